/*
 * What the use cases need from outside
 */

#ifndef CORE_USERS_PORTS_H
#define CORE_USERS_PORTS_H

#include "core/base/clock.h"
#include "core/base/uuid.h"
#include "core/users/repository.h"

/* Borrowed by every use case until its done(). Any thread. */
struct users_ports {
        struct users_repository *repository;
        const struct pipit_clock *clock;
        struct pipit_uuid (*new_id)(int64_t wall_us); /* pipit_uuid_v7, or a fake */
};

#endif
