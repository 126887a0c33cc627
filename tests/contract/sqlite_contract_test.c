#include "server/store/sqlite/sqlite.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/contract/battery.h"
#include "tests/contract/sqlite_place.h"

static void *place_new(void)
{
        struct sqlite_place *place = malloc(sizeof(*place));

        if (place && !sqlite_place_init(place)) {
                free(place);
                return NULL;
        }
        return place;
}

static struct users_repository *open_store(void *place, const struct pipit_clock *clock)
{
        struct users_sqlite_options options = {
                .path = ((struct sqlite_place *)place)->path,
                .clock = clock,
        };
        struct pipit_error error;
        struct users_repository *repository = users_sqlite_new(&options, &error);

        if (!repository)
                (void)fprintf(stderr, "%s\n", error.message);
        return repository;
}

static void place_free(void *place)
{
        sqlite_place_deinit(place);
        free(place);
}

int main(void)
{
        static const struct battery_store store = {
                .name = "sqlite",
                .is_durable = true,
                .takes_clock = true,
                .place_new = place_new,
                .open = open_store,
                .place_free = place_free,
        };

        return battery_run(&store);
}
