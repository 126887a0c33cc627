/*
 * The URLs that usersd is to listen on
 *
 * They are checked as they are read, before anything is opened. Knows nothing of
 * what listens there already.
 */

#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include <stdbool.h>
#include <stdio.h>

#include "server/options.h"

/*
 * Adds each URL of @value, which has commas between them, to @options; copies.
 * @name: the flag or the variable that it comes by. False: what is wrong, and what
 * would be right, has been written to @errors.
 */
bool usersd_listen_add(struct usersd_options *options,
                       const char *name,
                       const char *value,
                       FILE *errors);

/* Whether all may be listened on as the rest of @options has it. False: as above. */
bool usersd_listen_check(const struct usersd_options *options, FILE *errors);

/* Whether callers by any of them are known by their keys. */
bool usersd_listens_by_key(const struct usersd_options *options);

#endif
