#include "core/base/status.h"

#include <string.h>

const char *pipit_status_name(enum pipit_status status)
{
        switch (status) {
#define STATUS_CASE(name, number)                                                                  \
        case PIPIT_##name:                                                                         \
                return #name;
                PIPIT_STATUS_MAP(STATUS_CASE)
#undef STATUS_CASE
        }

        return "UNKNOWN";
}

bool pipit_status_parse(const char *name, enum pipit_status *ret_status)
{
        for (int number = 0; number <= PIPIT_STATUS_MAX; number++) {
                enum pipit_status status = (enum pipit_status)number;

                if (strcmp(name, pipit_status_name(status)) == 0) {
                        *ret_status = status;
                        return true;
                }
        }

        return false;
}

static const char *const ran_names[] = {
        [PIPIT_NOT_RUN] = "not_run",
        [PIPIT_MAY_HAVE_RUN] = "may_have_run",
        [PIPIT_RAN] = "ran",
};

const char *pipit_ran_name(enum pipit_ran ran)
{
        return (size_t)ran < PIPIT_N_ELEMENTS(ran_names) ? ran_names[ran] : "may_have_run";
}

bool pipit_ran_parse(const char *name, enum pipit_ran *ret_ran)
{
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(ran_names); i++) {
                if (strcmp(name, ran_names[i]) == 0) {
                        *ret_ran = (enum pipit_ran)i;
                        return true;
                }
        }

        return false;
}

const char *pipit_origin_name(enum pipit_origin origin)
{
        switch (origin) {
        case PIPIT_ORIGIN_LOCAL:
                return "local";
        case PIPIT_ORIGIN_TRANSPORT:
                return "transport";
        case PIPIT_ORIGIN_SERVER:
                return "server";
        }

        return "local";
}
