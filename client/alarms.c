#include "client/alarms.h"

#include <stdlib.h>

#include "core/base/clock.h"

#define N_PLACES_MIN 4

void alarms_deinit(struct alarms *alarms)
{
        free(alarms->heap);
        *alarms = (struct alarms){0};
}

bool alarms_enter(struct alarms *alarms)
{
        size_t n_places = alarms->n_places ? 2 * alarms->n_places : N_PLACES_MIN;
        struct alarm **heap;

        if (alarms->n_users == alarms->n_places) {
                heap = reallocarray(alarms->heap, n_places, sizeof(struct alarm *));
                if (!heap)
                        return false;
                alarms->heap = heap;
                alarms->n_places = n_places;
        }
        alarms->n_users++;

        return true;
}

void alarms_leave(struct alarms *alarms)
{
        alarms->n_users--;
}

static void put(struct alarms *alarms, size_t place, struct alarm *alarm)
{
        alarms->heap[place - 1] = alarm;
        alarm->place = place;
}

static struct alarm *at(const struct alarms *alarms, size_t place)
{
        return alarms->heap[place - 1];
}

/* The place from @place towards the root where @alarm belongs, made free. */
static size_t rise(struct alarms *alarms, size_t place, const struct alarm *alarm)
{
        while (place > 1 && at(alarms, place / 2)->at_us > alarm->at_us) {
                put(alarms, place, at(alarms, place / 2));
                place /= 2;
        }

        return place;
}

/* The same, towards the leaves. */
static size_t sink(struct alarms *alarms, size_t place, const struct alarm *alarm)
{
        for (;;) {
                size_t child = 2 * place;

                if (child < alarms->n_set &&
                    at(alarms, child + 1)->at_us < at(alarms, child)->at_us)
                        child++;
                if (child > alarms->n_set || at(alarms, child)->at_us >= alarm->at_us)
                        return place;
                put(alarms, place, at(alarms, child));
                place = child;
        }
}

static void settle(struct alarms *alarms, size_t place, struct alarm *alarm)
{
        put(alarms, sink(alarms, rise(alarms, place, alarm), alarm), alarm);
}

static void unset(struct alarms *alarms, struct alarm *alarm)
{
        size_t place = alarm->place;
        struct alarm *last = at(alarms, alarms->n_set);

        alarms->n_set--;
        alarm->place = 0;
        if (last != alarm)
                settle(alarms, place, last);
}

void alarms_set(struct alarms *alarms, struct alarm *alarm, int64_t at_us)
{
        if (alarm->place > 0)
                unset(alarms, alarm);
        alarm->at_us = at_us;
        if (at_us != PIPIT_NEVER_US)
                settle(alarms, ++alarms->n_set, alarm);
}

int64_t alarms_next_us(const struct alarms *alarms)
{
        return alarms->n_set > 0 ? at(alarms, 1)->at_us : PIPIT_NEVER_US;
}

struct alarm *alarms_take(struct alarms *alarms, int64_t now_us)
{
        struct alarm *first = alarms->n_set > 0 ? at(alarms, 1) : NULL;

        if (!first || first->at_us > now_us)
                return NULL;
        unset(alarms, first);

        return first;
}
