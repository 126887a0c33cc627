#include "server/runtime/errors.h"

static const struct pipit_error errors[RUNTIME_ERRORS_N] = {
#define RUNTIME_ERROR_ROW(name, code, known, text)                                                 \
        [RUNTIME_ERROR_##name] = {                                                                 \
                .status = PIPIT_##code,                                                            \
                .ran = PIPIT_##known,                                                              \
                .origin = PIPIT_ORIGIN_SERVER,                                                     \
                .reason = #name,                                                                   \
                .message = (text),                                                                 \
        },
        RUNTIME_ERROR_MAP(RUNTIME_ERROR_ROW)
#undef RUNTIME_ERROR_ROW
};

struct pipit_error runtime_error_make(enum runtime_error error)
{
        struct pipit_error made = errors[error];

        if (error == RUNTIME_ERROR_DEADLINE_RUNNING)
                made.reason = "DEADLINE";

        return made;
}
