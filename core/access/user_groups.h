/*
 * Which groups a uid has
 */

#ifndef CORE_ACCESS_USER_GROUPS_H
#define CORE_ACCESS_USER_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/macros.h"

/*
 * By getpwuid_r() and getgrouplist(), which may ask another machine: it may block. A uid
 * without a name has none. *ret_gids is to be freed. False: they cannot be told now.
 */
PIPIT_MUST_CHECK bool pipit_user_groups(uint32_t uid, uint32_t **ret_gids, size_t *ret_n_gids);

#endif
