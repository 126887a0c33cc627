/*
 * Making errors
 *
 * The types are public: <pipit/status.h>.
 */

#ifndef CORE_BASE_STATUS_H
#define CORE_BASE_STATUS_H

#include <pipit/status.h>
#include <stdbool.h>

#include "core/base/macros.h"

/* The status named @name ("NOT_FOUND"). False if there is none; *ret_status is then untouched. */
bool pipit_status_parse(const char *name, enum pipit_status *ret_status);

/* The pipit_ran named @name, as pipit_ran_name() writes it. */
bool pipit_ran_parse(const char *name, enum pipit_ran *ret_ran);

/* A failure in this process. @reason and @message are static, or live as the error does. */
static inline struct pipit_error pipit_error_make(enum pipit_status status,
                                                  enum pipit_ran ran,
                                                  const char *reason,
                                                  const char *message)
{
        return (struct pipit_error){
                .status = status,
                .ran = ran,
                .reason = reason,
                .message = message,
        };
}

#endif
