#include "core/access/places.h"

#include <stdlib.h>

static const char *get(const char *variable)
{
        const char *value = getenv(variable);

        return value && value[0] ? value : NULL;
}

char *pipit_access_place(struct pipit_arena *arena, const char *name)
{
        const char *folder = get("PIPIT_CONFIG_DIR");

        if (folder)
                return pipit_arena_printf(arena, "%s/%s", folder, name);
        folder = get("XDG_CONFIG_HOME");
        if (folder)
                return pipit_arena_printf(arena, "%s/pipit/%s", folder, name);
        folder = get("HOME");

        return folder ? pipit_arena_printf(arena, "%s/.config/pipit/%s", folder, name) : NULL;
}
