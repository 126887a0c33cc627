/*
 * Where the files about access lie if nobody says otherwise
 *
 *      $PIPIT_CONFIG_DIR, else $XDG_CONFIG_HOME/pipit, else $HOME/.config/pipit
 */

#ifndef CORE_ACCESS_PLACES_H
#define CORE_ACCESS_PLACES_H

#include "core/base/arena.h"

#define PIPIT_PLACE_ID_KEY          "id.key"
#define PIPIT_PLACE_KNOWN_SERVERS   "known_servers"
#define PIPIT_PLACE_SERVER_KEY      "server.key"
#define PIPIT_PLACE_AUTHORIZED_KEYS "authorized_keys"
#define PIPIT_PLACE_POLICY          "policy"

/* The path of @name in that folder. NULL: none of the variables is set, or out of memory. */
char *pipit_access_place(struct pipit_arena *arena, const char *name);

#endif
