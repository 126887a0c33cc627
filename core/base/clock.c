#include "core/base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t read_clock_us(clockid_t id)
{
        struct timespec time = {0};

        (void)clock_gettime(id, &time);

        return (int64_t)time.tv_sec * PIPIT_US_PER_S + time.tv_nsec / 1000;
}

int64_t pipit_clock_now_us(void)
{
        return read_clock_us(CLOCK_MONOTONIC);
}

int64_t pipit_clock_wall_us(void)
{
        return read_clock_us(CLOCK_REALTIME);
}

static int64_t system_now_us(void *context)
{
        (void)context;
        return pipit_clock_now_us();
}

static int64_t system_wall_us(void *context)
{
        (void)context;
        return pipit_clock_wall_us();
}

const struct pipit_clock pipit_clock_system = {
        .now_us = system_now_us,
        .wall_us = system_wall_us,
        .context = NULL,
};
