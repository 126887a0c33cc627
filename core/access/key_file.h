/*
 * Files with a secret key
 *
 *      # pipit-pk1_...        comments, and
 *      pipit-sk1_...          one key
 *
 * Read only if the file is regular, no link, ours, and for nobody else (mode 0600 or
 * 0400). The key lies in guarded memory from the first byte that is read.
 */

#ifndef CORE_ACCESS_KEY_FILE_H
#define CORE_ACCESS_KEY_FILE_H

#include <stdbool.h>

#include "core/access/words.h"
#include "core/base/macros.h"
#include "core/rpc/noise.h"

/* A new pair, in guarded memory. NULL: out of memory. */
PIPIT_MUST_CHECK struct pipit_noise_keys *pipit_key_pair_new(void);

/* The pair of the secret key in the file at @path. NULL: it says why. */
PIPIT_MUST_CHECK struct pipit_noise_keys *pipit_key_pair_load(
        const char *path, struct pipit_access_problem *ret_problem);

/* Makes the file, with mode 0600. One that is there is not overwritten. */
PIPIT_MUST_CHECK bool pipit_key_pair_save(const struct pipit_noise_keys *keys,
                                          const char *path,
                                          struct pipit_access_problem *ret_problem);

/* Zeroes and frees it. NULL is a no-op. Returns NULL. */
struct pipit_noise_keys *pipit_key_pair_free(struct pipit_noise_keys *keys);

#endif
