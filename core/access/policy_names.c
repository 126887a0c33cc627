#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#include "core/access/policy.h"

#define NSS_BYTES ((size_t)64 * 1024) /* a group's members are many */

static bool find_user(const char *name, uint32_t *ret_uid)
{
        char *buffer = malloc(NSS_BYTES);
        struct passwd entry, *found = NULL;
        bool ok = buffer && getpwnam_r(name, &entry, buffer, NSS_BYTES, &found) == 0 && found;

        if (ok)
                *ret_uid = entry.pw_uid;
        free(buffer);

        return ok;
}

static bool find_group(const char *name, uint32_t *ret_gid)
{
        struct group entry, *found = NULL;
        char *buffer = NULL, *room;
        int result = ERANGE;

        for (size_t n = NSS_BYTES; result == ERANGE && n <= NSS_BYTES * 64; n *= 4) {
                room = realloc(buffer, n);
                if (!room)
                        break;
                buffer = room;
                result = getgrnam_r(name, &entry, buffer, n, &found);
        }
        if (result == 0 && found)
                *ret_gid = entry.gr_gid;
        free(buffer);

        return result == 0 && found;
}

const struct pipit_policy_names pipit_policy_names_system = {
        .find_user = find_user,
        .find_group = find_group,
};
