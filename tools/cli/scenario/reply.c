#include "tools/cli/scenario/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/json/base64.h"
#include "core/json/json.h"
#include "tools/cli/metadata.h"
#include "tools/cli/scenario/outcome.h"

static void append_text(struct scenario_value *object,
                        const char *key,
                        const char *text,
                        struct pipit_arena *arena)
{
        if (text)
                scenario_value_append(object, key, scenario_string_new(arena, text));
}

/* --- the response ------------------------------------------------------------------------- */

static struct scenario_value *json_of(const ProtobufCMessage *message,
                                      const struct pipit_schema *schema,
                                      bool defaults,
                                      struct pipit_arena *arena,
                                      const char **ret_problem)
{
        const struct pipit_json_style style = {.defaults = defaults};
        struct pipit_error error = {0};
        struct scenario_value *value;
        char *text;

        if (pipit_json_write(message, schema, &style, arena, &text, &error) != PIPIT_OK ||
            scenario_value_parse(text, strlen(text), NULL, arena, &value, &error) != PIPIT_OK) {
                *ret_problem = error.message;
                return NULL;
        }

        return value;
}

/* @sent has what @all has, in the same order, without what is empty. */
static void mark_defaults(struct scenario_value *all, const struct scenario_value *sent)
{
        const struct scenario_value *sent_child = sent->first;

        /* Its place is in the JSON, which nobody sees. */
        all->place = all->key_place = (struct scenario_place){0};
        for (struct scenario_value *child = all->first; child; child = child->next) {
                if (sent_child && (!child->key || strcmp(child->key, sent_child->key) == 0)) {
                        mark_defaults(child, sent_child);
                        sent_child = sent_child->next;
                } else {
                        child->is_default = true;
                        child->place = child->key_place = all->place;
                }
        }
}

static struct scenario_value *response_new(const ProtobufCMessage *message,
                                           const struct pipit_schema *schema,
                                           struct pipit_arena *arena,
                                           const char **ret_problem)
{
        struct scenario_value *all = json_of(message, schema, true, arena, ret_problem);
        struct scenario_value *sent = json_of(message, schema, false, arena, ret_problem);

        if (!all || !sent)
                return NULL;

        mark_defaults(all, sent);
        return all;
}

/* --- the error ------------------------------------------------------------------------------ */

static void append_violations(struct scenario_value *reply,
                              const struct pipit_error *error,
                              struct pipit_arena *arena)
{
        struct scenario_value *list = scenario_value_new(arena, PIPIT_JSON_ARRAY);

        for (size_t i = 0; list && i < error->n_violations; i++) {
                struct scenario_value *violation = scenario_value_new(arena, PIPIT_JSON_OBJECT);

                if (!violation)
                        return;
                append_text(violation, "field", error->violations[i].field, arena);
                append_text(violation, "description", error->violations[i].description, arena);
                scenario_value_append(list, NULL, violation);
        }
        scenario_value_append(reply, SCENARIO_VIOLATIONS, list);
}

static void append_error(struct scenario_value *reply,
                         const struct pipit_error *error,
                         struct pipit_arena *arena)
{
        char digits[16];

        append_text(reply, "reason", error->reason, arena);
        append_text(reply, "domain", error->domain, arena);
        append_text(reply, "message", error->message, arena);
        append_text(reply, "ran", pipit_ran_name(error->ran), arena);
        append_text(reply, "origin", pipit_origin_name(error->origin), arena);
        if (error->n_violations > 0)
                append_violations(reply, error, arena);
        if (error->retry_after_ms > 0) {
                (void)snprintf(digits, sizeof(digits), "%" PRIu32, error->retry_after_ms);
                scenario_value_append(reply, "retry_after_ms", scenario_number_new(arena, digits));
        }
}

/* --- metadata --------------------------------------------------------------------------------- */

static struct scenario_value *metadata_value(const struct pipit_metadata *entry,
                                             struct pipit_arena *arena)
{
        char *text;

        if (cli_metadata_is_text(entry)) {
                text = pipit_arena_strndup(arena, (const char *)entry->value, entry->n_value_bytes);
        } else {
                text = pipit_arena_alloc(arena, PIPIT_BASE64_TEXT_BYTES(entry->n_value_bytes) + 1);
                if (text)
                        pipit_base64_encode(entry->value, entry->n_value_bytes, text);
                if (text)
                        text[PIPIT_BASE64_TEXT_BYTES(entry->n_value_bytes)] = '\0';
        }

        return text ? scenario_string_new(arena, text) : NULL;
}

/* All entries of one key: one is a text, several are a list. */
static struct scenario_value *metadata_of_key(const struct pipit_call *call,
                                              const char *key,
                                              struct pipit_arena *arena)
{
        struct scenario_value *list = scenario_value_new(arena, PIPIT_JSON_ARRAY);

        for (size_t i = 0; list && i < pipit_call_n_response_metadata(call); i++) {
                const struct pipit_metadata *entry = pipit_call_response_metadata(call, i);

                if (strcmp(entry->key, key) == 0)
                        scenario_value_append(list, NULL, metadata_value(entry, arena));
        }

        return list && list->n_children == 1 ? list->first : list;
}

static void append_metadata(struct scenario_value *reply,
                            const struct pipit_call *call,
                            struct pipit_arena *arena)
{
        struct scenario_value *map = scenario_value_new(arena, PIPIT_JSON_OBJECT);

        for (size_t i = 0; map && i < pipit_call_n_response_metadata(call); i++) {
                const char *key = pipit_call_response_metadata(call, i)->key;

                if (!scenario_value_member(map, key))
                        scenario_value_append(map, key, metadata_of_key(call, key, arena));
        }
        if (map && map->first)
                scenario_value_append(reply, "metadata", map);
}

/* --- all of it -------------------------------------------------------------------------------- */

struct scenario_value *scenario_reply_new(const struct pipit_call *call,
                                          const struct pipit_method *method,
                                          int64_t duration_us,
                                          const struct pipit_schema *schema,
                                          struct pipit_arena *arena,
                                          const char **ret_problem)
{
        const ProtobufCMessage *message = pipit_call_response(call, method);
        const struct pipit_error *error = pipit_call_error(call);
        struct scenario_value *reply = scenario_value_new(arena, PIPIT_JSON_OBJECT);
        struct scenario_value *response = NULL;
        char digits[32];

        *ret_problem = "out of memory";
        if (message)
                response = response_new(message, schema, arena, ret_problem);
        if (!reply || (message && !response))
                return NULL;

        append_text(reply, SCENARIO_STATUS, pipit_status_name(error->status), arena);
        if (error->status != PIPIT_OK)
                append_error(reply, error, arena);
        scenario_value_append(reply, SCENARIO_RESPONSE, response);
        append_metadata(reply, call, arena);
        append_text(reply, "peer", pipit_call_peer(call), arena);
        (void)snprintf(digits,
                       sizeof(digits),
                       "%" PRId64 ".%03" PRId64,
                       duration_us / PIPIT_US_PER_MS,
                       duration_us % PIPIT_US_PER_MS);
        scenario_value_append(reply, SCENARIO_DURATION_MS, scenario_number_new(arena, digits));
        return reply;
}
