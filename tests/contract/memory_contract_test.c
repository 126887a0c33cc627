#include "server/store/memory/memory.h"

#include "tests/contract/battery.h"

/* Memory keeps nothing outside: its place is just something that is not NULL. */
static char place;

static void *place_new(void)
{
        return &place;
}

static struct users_repository *open_store(void *unused, const struct pipit_clock *clock)
{
        (void)unused;
        return users_memory_new(clock);
}

static void place_free(void *unused)
{
        (void)unused;
}

int main(void)
{
        static const struct battery_store store = {
                .name = "memory",
                .takes_clock = true,
                .place_new = place_new,
                .open = open_store,
                .place_free = place_free,
        };

        return battery_run(&store);
}
