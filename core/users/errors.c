#include "core/users/errors.h"

struct pipit_error users_error_make(enum users_error error, enum pipit_ran ran)
{
        struct pipit_error made = {.ran = ran, .domain = USERS_ERROR_DOMAIN};

        switch (error) {
#define USERS_ERROR_CASE(name, code, why, text)                                                    \
        case USERS_ERROR_##name:                                                                   \
                made.status = PIPIT_##code;                                                        \
                made.reason = why;                                                                 \
                made.message = text;                                                               \
                break;
                USERS_ERROR_MAP(USERS_ERROR_CASE)
#undef USERS_ERROR_CASE
        }

        return made;
}
