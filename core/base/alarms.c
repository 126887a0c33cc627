#include "core/base/alarms.h"

#include <stdlib.h>

#include "core/base/clock.h"

#define N_PLACES_MIN 64

void pipit_alarms_deinit(struct pipit_alarms *alarms)
{
        free(alarms->heap);
        *alarms = (struct pipit_alarms){0};
}

bool pipit_alarms_enter(struct pipit_alarms *alarms, size_t n)
{
        size_t n_places = alarms->n_places ? alarms->n_places : N_PLACES_MIN;
        struct pipit_alarm **heap;

        while (n_places < alarms->n_users + n)
                n_places *= 2;
        if (n_places > alarms->n_places) {
                heap = realloc(alarms->heap, n_places * sizeof(struct pipit_alarm *));
                if (!heap)
                        return false;
                alarms->heap = heap;
                alarms->n_places = n_places;
        }
        alarms->n_users += n;

        return true;
}

void pipit_alarms_leave(struct pipit_alarms *alarms)
{
        alarms->n_users--;
}

static struct pipit_alarm *at(const struct pipit_alarms *alarms, size_t place)
{
        return alarms->heap[place - 1];
}

static void put(struct pipit_alarms *alarms, size_t place, struct pipit_alarm *alarm)
{
        alarms->heap[place - 1] = alarm;
        alarm->place = place;
}

/* The place from @place towards the root where @alarm belongs, made free. */
static size_t rise(struct pipit_alarms *alarms, size_t place, const struct pipit_alarm *alarm)
{
        while (place > 1 && at(alarms, place / 2)->at_us > alarm->at_us) {
                put(alarms, place, at(alarms, place / 2));
                place /= 2;
        }

        return place;
}

/* The same, towards the leaves. */
static size_t sink(struct pipit_alarms *alarms, size_t place, const struct pipit_alarm *alarm)
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

/* @alarm belongs above or below @place, which is free. */
static void settle(struct pipit_alarms *alarms, size_t place, struct pipit_alarm *alarm)
{
        put(alarms, sink(alarms, rise(alarms, place, alarm), alarm), alarm);
}

static void unset(struct pipit_alarms *alarms, struct pipit_alarm *alarm)
{
        struct pipit_alarm *last = at(alarms, alarms->n_set--);
        size_t place = alarm->place;

        alarm->place = 0;
        if (last != alarm)
                settle(alarms, place, last);
}

void pipit_alarms_set(struct pipit_alarms *alarms, struct pipit_alarm *alarm, int64_t at_us)
{
        alarm->at_us = at_us;
        if (at_us != PIPIT_NEVER_US)
                settle(alarms, alarm->place > 0 ? alarm->place : ++alarms->n_set, alarm);
        else if (alarm->place > 0)
                unset(alarms, alarm);
}

int64_t pipit_alarms_next_us(const struct pipit_alarms *alarms)
{
        return alarms->n_set > 0 ? at(alarms, 1)->at_us : PIPIT_NEVER_US;
}

struct pipit_alarm *pipit_alarms_take(struct pipit_alarms *alarms, int64_t now_us)
{
        struct pipit_alarm *first = alarms->n_set > 0 ? at(alarms, 1) : NULL;

        if (!first || first->at_us > now_us)
                return NULL;
        unset(alarms, first);

        return first;
}
