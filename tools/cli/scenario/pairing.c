/*
 * What an element matches may overlap with what another does ({$any: true} and
 * 5), so that taking the first that fits could fail where a pairing exists:
 * augmenting paths find it.
 */

#include "tools/cli/scenario/pairing.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/scenario/matcher.h"

#define NOBODY SIZE_MAX

struct pairing {
        const struct scenario_value **got;
        size_t n_got;
        size_t *taken_by; /* of each got: which wanted, or NOBODY */
        bool *seen;       /* of each got: was tried in this search */
        const struct scenario_value **wanted;
};

static bool find_place(struct pairing *pairing, size_t wanted)
{
        for (size_t i = 0; i < pairing->n_got; i++) {
                if (pairing->seen[i] ||
                    !scenario_match(pairing->wanted[wanted], pairing->got[i], "", NULL))
                        continue;
                pairing->seen[i] = true;
                if (pairing->taken_by[i] == NOBODY || find_place(pairing, pairing->taken_by[i])) {
                        pairing->taken_by[i] = wanted;
                        return true;
                }
        }

        return false;
}

static void list(const struct scenario_value *array, const struct scenario_value **ret_elements)
{
        for (const struct scenario_value *child = array->first; child; child = child->next)
                *ret_elements++ = child;
}

static bool pair(struct pairing *pairing,
                 size_t n_wanted,
                 const struct scenario_value **ret_missing)
{
        for (size_t i = 0; i < pairing->n_got; i++)
                pairing->taken_by[i] = NOBODY;

        for (size_t i = 0; i < n_wanted; i++) {
                memset(pairing->seen, 0, pairing->n_got);
                if (!find_place(pairing, i)) {
                        *ret_missing = pairing->wanted[i];
                        return false;
                }
        }

        return true;
}

bool scenario_pair(const struct scenario_value *wanted,
                   const struct scenario_value *got,
                   const struct scenario_value **ret_missing)
{
        struct pipit_arena arena = {0};
        struct pairing pairing = {
                .n_got = got->n_children,
                .got = pipit_arena_alloc(&arena, got->n_children * sizeof(*pairing.got)),
                .taken_by = pipit_arena_alloc(&arena, got->n_children * sizeof(size_t)),
                .seen = pipit_arena_alloc(&arena, got->n_children * sizeof(bool)),
                .wanted = pipit_arena_alloc(&arena, wanted->n_children * sizeof(*pairing.wanted)),
        };
        bool ok = false;

        *ret_missing = NULL;
        if (pairing.got && pairing.taken_by && pairing.seen && pairing.wanted) {
                list(wanted, pairing.wanted);
                list(got, pairing.got);
                ok = pair(&pairing, wanted->n_children, ret_missing);
        }

        pipit_arena_deinit(&arena);
        return ok;
}
