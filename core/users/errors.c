#include "core/users/errors.h"

#include "core/base/macros.h"

struct pipit_error users_error_make(enum users_error error, enum pipit_ran ran)
{
        static const struct pipit_error errors[] = {
#define USERS_ERROR_ENTRY(name, code, why, text)                                                   \
        [USERS_ERROR_##name] = {.status = PIPIT_##code, .reason = (why), .message = (text)},
                USERS_ERROR_MAP(USERS_ERROR_ENTRY)
#undef USERS_ERROR_ENTRY
        };
        struct pipit_error made = {0};

        if ((size_t)error < PIPIT_N_ELEMENTS(errors))
                made = errors[error];
        made.ran = ran;
        made.domain = USERS_ERROR_DOMAIN;

        return made;
}
