#include "tools/cli/scenario/keys.h"

#include <stdlib.h>
#include <string.h>

#include "core/json/number.h"
#include "core/rpc/wire_limits.h"

bool scenario_check_keys(const struct scenario_value *map,
                         const char *where,
                         const char *const *names,
                         struct scenario_problems *problems)
{
        if (map->type != PIPIT_JSON_OBJECT) {
                scenario_problems_add(problems,
                                      &map->place,
                                      "%s is expected here, not %s",
                                      "a map",
                                      scenario_type_name(map->type));
                return false;
        }

        for (const struct scenario_value *child = map->first; child; child = child->next) {
                bool is_known = false;

                for (size_t i = 0; names[i]; i++)
                        is_known = is_known || strcmp(names[i], child->key) == 0;
                if (!is_known)
                        scenario_problems_add_unknown(
                                problems, &child->key_place, "key", child->key, where, names);
        }

        return true;
}

const struct scenario_value *scenario_take(const struct scenario_value *map,
                                           const char *key,
                                           enum pipit_json_type type,
                                           struct scenario_problems *problems)
{
        const struct scenario_value *value = scenario_value_member(map, key);

        if (!value || value->type == type)
                return value;

        scenario_problems_add(problems,
                              &value->place,
                              "%s has to be %s, not %s",
                              key,
                              scenario_type_name(type),
                              scenario_type_name(value->type));
        return NULL;
}

bool scenario_take_bool(const struct scenario_value *map,
                        const char *key,
                        struct scenario_problems *problems,
                        bool *ret)
{
        const struct scenario_value *value = scenario_take(map, key, PIPIT_JSON_BOOL, problems);

        if (!value)
                return false;

        *ret = value->boolean;
        return true;
}

bool scenario_take_count(const struct scenario_value *map,
                         const char *key,
                         size_t min,
                         size_t max,
                         struct scenario_problems *problems,
                         size_t *ret)
{
        const struct scenario_value *value = scenario_take(map, key, PIPIT_JSON_NUMBER, problems);
        uint64_t number;

        if (!value)
                return false;
        if (pipit_number_to_uint64(value->text, value->n_text, max, &number) != PIPIT_NUMBER_OK ||
            number < min) {
                scenario_problems_add(
                        problems, &value->place, "%s has to be %zu to %zu", key, min, max);
                return false;
        }

        *ret = (size_t)number;
        return true;
}

/* "500ms", "2s", "1.5s", "1m". */
static bool parse_duration(const char *text, double *ret_ms)
{
        static const struct {
                const char *unit;
                double ms;
        } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}};
        size_t n = strspn(text, "0123456789.");
        char digits[16];
        double value;

        if (n == 0 || n >= sizeof(digits) || text[0] == '.')
                return false;
        memcpy(digits, text, n);
        digits[n] = '\0';
        if (pipit_number_to_double(digits, &value) != PIPIT_NUMBER_OK)
                return false;

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(units); i++) {
                if (strcmp(text + n, units[i].unit) == 0) {
                        *ret_ms = value * units[i].ms;
                        return true;
                }
        }

        return false;
}

bool scenario_take_duration(const struct scenario_value *map,
                            const char *key,
                            struct scenario_problems *problems,
                            uint32_t *ret_ms)
{
        const struct scenario_value *value = scenario_value_member(map, key);
        double ms;

        if (!value)
                return false;
        if (value->type != PIPIT_JSON_STRING || !parse_duration(value->text, &ms)) {
                scenario_problems_add(
                        problems, &value->place, "%s has to be a duration, as 500ms or 2s", key);
                return false;
        }
        if (ms < 1 || ms > PIPIT_TIMEOUT_MS_MAX) {
                scenario_problems_add(problems, &value->place, "%s has to be 1ms to 60s", key);
                return false;
        }

        *ret_ms = (uint32_t)ms;
        return true;
}
