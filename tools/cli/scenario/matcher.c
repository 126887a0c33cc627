#include "tools/cli/scenario/matcher.h"

#include <regex.h>
#include <stdarg.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/json/number.h"
#include "tools/cli/scenario/pairing.h"

/* How much of a value a sentence shows; the whole stands beside it. */
#define SHOWN_BYTES 80

/* What of a comparison stays the same on the way down. */
struct match {
        struct scenario_mismatches *mismatches; /* NULL: nobody wants to know */
        const char *path;
};

typedef bool (*matcher_fn)(const struct match *match,
                           const struct scenario_value *argument,
                           const struct scenario_value *got);

/* --- mismatches --------------------------------------------------------------------- */

void scenario_mismatches_add(struct scenario_mismatches *mismatches,
                             const char *path,
                             const struct scenario_value *expected,
                             const struct scenario_value *got,
                             const char *format,
                             ...)
{
        struct scenario_mismatch *mismatch;
        char problem[512];
        va_list list;

        if (!mismatches)
                return;
        mismatches->n++;
        if (mismatches->n > SCENARIO_MISMATCHES_MAX)
                return;

        va_start(list, format);
        (void)vsnprintf(problem, sizeof(problem), format, list);
        va_end(list);

        mismatch = pipit_arena_zalloc(mismatches->arena, sizeof(*mismatch));
        if (!mismatch)
                return;
        mismatch->path = path;
        mismatch->expected = expected;
        mismatch->got = got;
        mismatch->problem = pipit_arena_strdup(mismatches->arena, problem);
        if (!mismatch->problem)
                mismatch->problem = "out of memory";

        if (mismatches->last)
                mismatches->last->next = mismatch;
        else
                mismatches->first = mismatch;
        mismatches->last = mismatch;
}

/* JSON that fits a sentence. */
static const char *show(const struct match *match, const struct scenario_value *value)
{
        const char *json = scenario_value_json(value, match->mismatches->arena);
        size_t n = SHOWN_BYTES;

        if (!json)
                return "...";
        if (strlen(json) <= SHOWN_BYTES)
                return json;
        while (n > 0 && ((unsigned char)json[n] & 0xc0) == 0x80)
                n--;

        json = pipit_arena_printf(match->mismatches->arena, "%.*s...", (int)n, json);
        return json ? json : "...";
}

/* "$.name is "Ada", WANTED". Always false. */
static bool fail(const struct match *match,
                 const struct scenario_value *expected,
                 const struct scenario_value *got,
                 const char *wanted)
{
        if (!match->mismatches)
                return false;

        if (got)
                scenario_mismatches_add(match->mismatches,
                                        match->path,
                                        expected,
                                        got,
                                        "%s is %s, %s",
                                        match->path,
                                        show(match, got),
                                        wanted);
        else
                scenario_mismatches_add(match->mismatches,
                                        match->path,
                                        expected,
                                        got,
                                        "%s is not there, %s",
                                        match->path,
                                        wanted);
        return false;
}

/* The same with "expected EXPECTED". */
static bool fail_expected(const struct match *match,
                          const char *words,
                          const struct scenario_value *expected,
                          const struct scenario_value *got)
{
        const char *wanted = NULL;

        if (match->mismatches)
                wanted = pipit_arena_printf(
                        match->mismatches->arena, "expected %s%s", words, show(match, expected));

        return fail(match, expected, got, wanted ? wanted : "expected something else");
}

static const char *path_below(const struct match *match, const char *key, size_t index)
{
        const char *path;

        if (!match->mismatches)
                return "";
        if (key)
                path = pipit_arena_printf(match->mismatches->arena,
                                          "%s%s%s",
                                          match->path,
                                          match->path[0] ? "." : "",
                                          key);
        else
                path = pipit_arena_printf(match->mismatches->arena, "%s[%zu]", match->path, index);

        return path ? path : match->path;
}

/* --- scalars -------------------------------------------------------------------------- */

bool scenario_is_number(const struct scenario_value *value)
{
        return value && (value->type == PIPIT_JSON_NUMBER || value->type == PIPIT_JSON_STRING) &&
               value->n_text > 0 && pipit_number_scan(value->text, value->n_text) == value->n_text;
}

static int compare_doubles(const char *a, const char *b)
{
        double left = 0, right = 0;

        /* What is out of range compares as 0: no field holds it. */
        (void)pipit_number_to_double(a, &left);
        (void)pipit_number_to_double(b, &right);
        return left < right ? -1 : left > right ? 1 : 0;
}

int scenario_compare_numbers(const struct scenario_value *a, const struct scenario_value *b)
{
        int64_t left, right;
        uint64_t left_unsigned, right_unsigned;

        if (pipit_number_to_int64(a->text, a->n_text, INT64_MIN, INT64_MAX, &left) ==
                    PIPIT_NUMBER_OK &&
            pipit_number_to_int64(b->text, b->n_text, INT64_MIN, INT64_MAX, &right) ==
                    PIPIT_NUMBER_OK)
                return left < right ? -1 : left > right ? 1 : 0;
        if (pipit_number_to_uint64(a->text, a->n_text, UINT64_MAX, &left_unsigned) ==
                    PIPIT_NUMBER_OK &&
            pipit_number_to_uint64(b->text, b->n_text, UINT64_MAX, &right_unsigned) ==
                    PIPIT_NUMBER_OK)
                return left_unsigned < right_unsigned ? -1 : left_unsigned > right_unsigned ? 1 : 0;

        return compare_doubles(a->text, b->text);
}

/* A 64-bit integer is a text in JSON: a number on either side makes both of them numbers. */
static bool is_equal_scalar(const struct scenario_value *a, const struct scenario_value *b)
{
        if ((a->type == PIPIT_JSON_NUMBER || b->type == PIPIT_JSON_NUMBER) &&
            scenario_is_number(a) && scenario_is_number(b))
                return scenario_compare_numbers(a, b) == 0;
        if (a->type != b->type)
                return false;
        if (a->type == PIPIT_JSON_BOOL)
                return a->boolean == b->boolean;

        return a->n_text == b->n_text && memcmp(a->text, b->text, a->n_text) == 0;
}

static bool is_set(const struct scenario_value *got)
{
        return got && got->type != PIPIT_JSON_NULL && !got->is_default;
}

/* --- lists and maps ---------------------------------------------------------------------- */

static bool match_value(const struct match *match,
                        const struct scenario_value *expected,
                        const struct scenario_value *got);

static bool match_list(const struct match *match,
                       const struct scenario_value *expected,
                       const struct scenario_value *got)
{
        const struct scenario_value *item = got->first;
        size_t i = 0;
        bool ok = true;

        if (expected->n_children != got->n_children && match->mismatches) {
                scenario_mismatches_add(match->mismatches,
                                        match->path,
                                        expected,
                                        got,
                                        "%s has %zu elements, expected %zu",
                                        match->path,
                                        got->n_children,
                                        expected->n_children);
                return false;
        }
        if (expected->n_children != got->n_children)
                return false;

        for (const struct scenario_value *child = expected->first; child; child = child->next) {
                const struct match below = {match->mismatches, path_below(match, NULL, i++)};

                ok = match_value(&below, child, item) && ok;
                item = item->next;
        }

        return ok;
}

static bool match_map(const struct match *match,
                      const struct scenario_value *expected,
                      const struct scenario_value *got)
{
        bool ok = true;

        for (const struct scenario_value *child = expected->first; child; child = child->next) {
                /* "$$name" is the member "$name". */
                const char *key = child->key + (strncmp(child->key, "$$", 2) == 0 ? 1 : 0);
                const struct match below = {match->mismatches, path_below(match, key, 0)};

                ok = match_value(&below, child, scenario_value_member(got, key)) && ok;
        }

        return ok;
}

/* --- matchers ------------------------------------------------------------------------------- */

static bool match_present(const struct match *match,
                          const struct scenario_value *argument,
                          const struct scenario_value *got)
{
        if (is_set(got) == argument->boolean)
                return true;

        return fail(match,
                    argument,
                    got,
                    argument->boolean ? "expected to be set" : "expected to be absent");
}

static bool match_absent(const struct match *match,
                         const struct scenario_value *argument,
                         const struct scenario_value *got)
{
        if (is_set(got) != argument->boolean)
                return true;

        return fail(match,
                    argument,
                    got,
                    argument->boolean ? "expected to be absent" : "expected to be set");
}

static bool match_any(const struct match *match,
                      const struct scenario_value *argument,
                      const struct scenario_value *got)
{
        return got ? true : fail(match, argument, got, "expected anything");
}

static bool match_regex(const struct match *match,
                        const struct scenario_value *argument,
                        const struct scenario_value *got)
{
        regex_t regex;
        bool ok;

        if (!got || !got->text)
                return fail_expected(match, "text that matches ", argument, got);
        if (argument->type != PIPIT_JSON_STRING ||
            regcomp(&regex, argument->text, REG_EXTENDED | REG_NOSUB) != 0)
                return fail(match, argument, got, "and $regex is no regular expression");

        ok = regexec(&regex, got->text, 0, NULL, 0) == 0;
        regfree(&regex);
        return ok ? true : fail_expected(match, "a match of ", argument, got);
}

static bool match_min(const struct match *match,
                      const struct scenario_value *argument,
                      const struct scenario_value *got)
{
        if (scenario_is_number(got) && scenario_is_number(argument) &&
            scenario_compare_numbers(got, argument) >= 0)
                return true;

        return fail_expected(match, "at least ", argument, got);
}

static bool match_max(const struct match *match,
                      const struct scenario_value *argument,
                      const struct scenario_value *got)
{
        if (scenario_is_number(got) && scenario_is_number(argument) &&
            scenario_compare_numbers(got, argument) <= 0)
                return true;

        return fail_expected(match, "at most ", argument, got);
}

static bool match_range(const struct match *match,
                        const struct scenario_value *argument,
                        const struct scenario_value *got)
{
        if (argument->type == PIPIT_JSON_ARRAY && argument->n_children == 2 &&
            scenario_is_number(got) && scenario_is_number(argument->first) &&
            scenario_is_number(argument->last) &&
            scenario_compare_numbers(got, argument->first) >= 0 &&
            scenario_compare_numbers(got, argument->last) <= 0)
                return true;

        return fail_expected(match, "a number in ", argument, got);
}

static bool match_length(const struct match *match,
                         const struct scenario_value *argument,
                         const struct scenario_value *got)
{
        struct scenario_value length = {.type = PIPIT_JSON_NUMBER};
        char digits[24];
        size_t n;

        if (!got || got->type == PIPIT_JSON_BOOL || got->type == PIPIT_JSON_NUMBER ||
            got->type == PIPIT_JSON_NULL)
                return fail(match, argument, got, "which has no length");

        n = got->n_children;
        if (got->type == PIPIT_JSON_STRING &&
            !pipit_utf8_check((const uint8_t *)got->text, got->n_text, &n))
                n = got->n_text;

        (void)snprintf(digits, sizeof(digits), "%zu", n);
        length.text = digits;
        length.n_text = strlen(digits);

        const struct match quiet = {NULL, ""};

        if (match_value(&quiet, argument, &length))
                return true;
        if (match->mismatches)
                scenario_mismatches_add(match->mismatches,
                                        match->path,
                                        argument,
                                        got,
                                        "%s has the length %zu, expected %s",
                                        match->path,
                                        n,
                                        show(match, argument));
        return false;
}

/* As many elements as @wanted has, each matched by one of its own. */
static bool match_elements(const struct match *match,
                           const struct scenario_value *wanted,
                           const struct scenario_value *got)
{
        const struct scenario_value *missing = NULL;

        if (scenario_pair(wanted, got, &missing))
                return true;

        return missing ? fail_expected(match, "an element as ", missing, got)
                       : fail(match, wanted, got, "too many elements to compare");
}

static bool match_contains(const struct match *match,
                           const struct scenario_value *argument,
                           const struct scenario_value *got)
{
        if (argument->type == PIPIT_JSON_STRING) {
                if (got && got->type == PIPIT_JSON_STRING && strstr(got->text, argument->text))
                        return true;
                return fail_expected(match, "text that holds ", argument, got);
        }
        if (!got || got->type != PIPIT_JSON_ARRAY || argument->type != PIPIT_JSON_ARRAY)
                return fail_expected(match, "a list that has ", argument, got);

        return match_elements(match, argument, got);
}

static bool match_unordered(const struct match *match,
                            const struct scenario_value *argument,
                            const struct scenario_value *got)
{
        if (!got || got->type != PIPIT_JSON_ARRAY || argument->type != PIPIT_JSON_ARRAY ||
            got->n_children != argument->n_children)
                return fail_expected(match, "in any order ", argument, got);

        return match_elements(match, argument, got);
}

static bool match_each(const struct match *match,
                       const struct scenario_value *argument,
                       const struct scenario_value *got)
{
        size_t i = 0;
        bool ok = true;

        if (!got || got->type != PIPIT_JSON_ARRAY)
                return fail_expected(match, "a list of ", argument, got);

        for (const struct scenario_value *child = got->first; child; child = child->next) {
                const struct match below = {match->mismatches, path_below(match, NULL, i++)};

                ok = match_value(&below, argument, child) && ok;
        }

        return ok;
}

static bool match_one_of(const struct match *match,
                         const struct scenario_value *argument,
                         const struct scenario_value *got)
{
        const struct match quiet = {NULL, ""};

        for (const struct scenario_value *child = argument->first; child; child = child->next) {
                if (match_value(&quiet, child, got))
                        return true;
        }

        return fail_expected(match, "one of ", argument, got);
}

static bool match_not(const struct match *match,
                      const struct scenario_value *argument,
                      const struct scenario_value *got)
{
        const struct match quiet = {NULL, ""};

        if (!match_value(&quiet, argument, got))
                return true;

        return fail_expected(match, "anything but ", argument, got);
}

static bool match_exact(const struct match *match,
                        const struct scenario_value *argument,
                        const struct scenario_value *got)
{
        bool ok = match_value(match, argument, got);

        if (!got || got->type != PIPIT_JSON_OBJECT)
                return ok;

        for (const struct scenario_value *child = got->first; child; child = child->next) {
                const struct match below = {match->mismatches, path_below(match, child->key, 0)};

                if (is_set(child) && !scenario_value_member(argument, child->key))
                        ok = fail(&below, argument, child, "expected no such member");
        }

        return ok;
}

static const struct {
        const char *name;
        matcher_fn match;
} matchers[] = {
        {"$any", match_any},
        {"$present", match_present},
        {"$absent", match_absent},
        {"$regex", match_regex},
        {"$range", match_range},
        {"$min", match_min},
        {"$max", match_max},
        {"$length", match_length},
        {"$contains", match_contains},
        {"$unordered", match_unordered},
        {"$each", match_each},
        {"$one_of", match_one_of},
        {"$not", match_not},
        {"$exact", match_exact},
};

const char *const scenario_matcher_names[] = {"$any",
                                              "$present",
                                              "$absent",
                                              "$regex",
                                              "$range",
                                              "$min",
                                              "$max",
                                              "$length",
                                              "$contains",
                                              "$unordered",
                                              "$each",
                                              "$one_of",
                                              "$not",
                                              "$exact",
                                              NULL};

bool scenario_is_matcher(const struct scenario_value *value)
{
        return value->type == PIPIT_JSON_OBJECT && value->first && value->first->key[0] == '$' &&
               value->first->key[1] != '$';
}

static bool match_matchers(const struct match *match,
                           const struct scenario_value *expected,
                           const struct scenario_value *got)
{
        bool ok = true;

        for (const struct scenario_value *child = expected->first; child; child = child->next) {
                matcher_fn matcher = NULL;

                for (size_t i = 0; i < PIPIT_N_ELEMENTS(matchers); i++) {
                        if (strcmp(matchers[i].name, child->key) == 0)
                                matcher = matchers[i].match;
                }
                ok = (matcher ? matcher(match, child, got)
                              : fail(match, expected, got, "and there is no such matcher")) &&
                     ok;
        }

        return ok;
}

/* --- any ---------------------------------------------------------------------------------- */

static bool match_value(const struct match *match,
                        const struct scenario_value *expected,
                        const struct scenario_value *got)
{
        if (scenario_is_matcher(expected))
                return match_matchers(match, expected, got);
        if (expected->type == PIPIT_JSON_NULL)
                return is_set(got) ? fail(match, expected, got, "expected to be absent") : true;
        if (!got)
                return fail_expected(match, "", expected, got);
        if (expected->type == PIPIT_JSON_ARRAY && got->type == PIPIT_JSON_ARRAY)
                return match_list(match, expected, got);
        if (expected->type == PIPIT_JSON_OBJECT && got->type == PIPIT_JSON_OBJECT)
                return match_map(match, expected, got);
        if (expected->type != PIPIT_JSON_ARRAY && expected->type != PIPIT_JSON_OBJECT &&
            is_equal_scalar(expected, got))
                return true;

        return fail_expected(match, "", expected, got);
}

bool scenario_match(const struct scenario_value *expected,
                    const struct scenario_value *got,
                    const char *path,
                    struct scenario_mismatches *mismatches)
{
        const struct match match = {mismatches, path};

        return match_value(&match, expected, got);
}
