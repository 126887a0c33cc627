/*
 * The battery over PostgreSQL: with prepared statements, and (argument
 * "unnamed") as it goes through a pooler.
 */

#include <stdlib.h>
#include <string.h>

#include "tests/contract/battery.h"
#include "tests/contract/postgres_place.h"

static void *place_new(void)
{
        return postgres_place_new_migrated();
}

static void place_free(void *place)
{
        postgres_place_free(place);
}

static struct users_repository *open_named(void *place, const struct pipit_clock *clock)
{
        return postgres_place_open(place, clock, false);
}

static struct users_repository *open_unnamed(void *place, const struct pipit_clock *clock)
{
        return postgres_place_open(place, clock, true);
}

int main(int argc, char **argv)
{
        bool unnamed = argc > 1 && strcmp(argv[1], "unnamed") == 0;
        const struct battery_store store = {
                .name = unnamed ? "postgres, unnamed statements" : "postgres",
                .is_durable = true,
                .takes_clock = true,
                .place_new = place_new,
                .open = unnamed ? open_unnamed : open_named,
                .place_free = place_free,
        };

        postgres_place_require_server();
        return battery_run(&store);
}
