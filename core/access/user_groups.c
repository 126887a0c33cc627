#include "core/access/user_groups.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#define USER_BYTES   ((size_t)64 * 1024) /* a line of passwd */
#define GIDS_AT_ONCE 64
#define GIDS_MAX     65536 /* NGROUPS_MAX of Linux */

_Static_assert(sizeof(gid_t) == sizeof(uint32_t), "getgrouplist() writes what is given back");

static bool list(const struct passwd *user, uint32_t **ret_gids, size_t *ret_n_gids)
{
        for (int n_room = GIDS_AT_ONCE; n_room <= GIDS_MAX; n_room *= 4) {
                uint32_t *gids = calloc((size_t)n_room, sizeof(*gids));
                int n_gids = n_room;

                if (!gids)
                        return false;
                if (getgrouplist(user->pw_name, user->pw_gid, gids, &n_gids) >= 0) {
                        *ret_gids = gids;
                        *ret_n_gids = (size_t)n_gids;
                        return true;
                }
                free(gids);
        }

        return false;
}

/* How getpwuid_r() says that there is none, as its manual lists them. */
static bool is_nobody(int error)
{
        return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

bool pipit_user_groups(uint32_t uid, uint32_t **ret_gids, size_t *ret_n_gids)
{
        struct passwd entry, *user = NULL;
        char *buffer = malloc(USER_BYTES);
        bool ok = false;
        int error;

        if (!buffer)
                return false;

        error = getpwuid_r(uid, &entry, buffer, USER_BYTES, &user);
        if (user) {
                ok = list(user, ret_gids, ret_n_gids);
        } else if (is_nobody(error)) {
                *ret_gids = NULL;
                *ret_n_gids = 0;
                ok = true;
        }
        free(buffer);

        return ok;
}
