#include "core/json/nearest.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "core/base/macros.h"

/* A letter in the wrong case is nearer than a wrong letter by far. */
#define COST_EDIT 8
#define COST_CASE 1

static uint16_t min_u16(uint16_t a, uint16_t b)
{
        return a < b ? a : b;
}

static uint16_t replace_cost(char a, char b)
{
        if (a == b)
                return 0;

        return tolower((unsigned char)a) == tolower((unsigned char)b) ? COST_CASE : COST_EDIT;
}

static size_t edit_distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
        uint16_t rows[3][PIPIT_NEAREST_BYTES_MAX + 1];
        uint16_t *before = rows[0], *previous = rows[1], *current = rows[2];

        for (size_t j = 0; j <= n_b; j++)
                previous[j] = (uint16_t)(j * COST_EDIT);

        for (size_t i = 1; i <= n_a; i++) {
                current[0] = (uint16_t)(i * COST_EDIT);
                for (size_t j = 1; j <= n_b; j++) {
                        uint16_t cost =
                                (uint16_t)(previous[j - 1] + replace_cost(a[i - 1], b[j - 1]));

                        cost = min_u16(cost, (uint16_t)(previous[j] + COST_EDIT));
                        cost = min_u16(cost, (uint16_t)(current[j - 1] + COST_EDIT));
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                                cost = min_u16(cost, (uint16_t)(before[j - 2] + COST_EDIT));
                        current[j] = cost;
                }

                uint16_t *oldest = before;

                before = previous;
                previous = current;
                current = oldest;
        }

        return previous[n_b];
}

void pipit_nearest_consider(struct pipit_nearest *nearest, const char *name)
{
        size_t n_wanted = strlen(nearest->wanted), n_name = strlen(name);

        if (n_wanted == 0 || n_wanted > PIPIT_NEAREST_BYTES_MAX || n_name > PIPIT_NEAREST_BYTES_MAX)
                return;

        size_t allowed = COST_EDIT * (n_wanted / 3 > 0 ? n_wanted / 3 : 1);
        size_t distance = edit_distance(nearest->wanted, n_wanted, name, n_name);

        if (distance > allowed || (nearest->name && distance >= nearest->distance))
                return;

        nearest->name = name;
        nearest->distance = distance;
}
