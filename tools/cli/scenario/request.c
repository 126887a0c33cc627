#include "tools/cli/scenario/request.h"

#include <stdlib.h>
#include <string.h>

#include "core/json/base64.h"
#include "core/json/json.h"
#include "core/rpc/wire_limits.h"

#define BINARY_SUFFIX "-bin"

/* --- requests ------------------------------------------------------------------------- */

/* The byte at "1:COLUMN: ..." of @json, which is one line; *ret_problem is what follows. */
static size_t offset_of(const char *json, const char *message, const char **ret_problem)
{
        char *end;
        unsigned long column;
        size_t offset = 0;

        *ret_problem = message;
        if (strtoul(message, &end, 10) != 1 || *end != ':')
                return 0;
        column = strtoul(end + 1, &end, 10);
        if (strncmp(end, ": ", 2) == 0)
                *ret_problem = end + 2;

        for (; column > 1 && json[offset]; column--) {
                do
                        offset++;
                while (((unsigned char)json[offset] & 0xc0) == 0x80);
        }

        return offset;
}

/*
 * Reads @request. NULL: *ret_part is what of it is wrong, *ret_problem how;
 * without a part it is out of memory.
 */
static ProtobufCMessage *read_request(const struct scenario_value *request,
                                      const struct pipit_method *method,
                                      const struct pipit_schema *schema,
                                      struct pipit_arena *arena,
                                      const struct scenario_value **ret_part,
                                      const char **ret_problem)
{
        const char *json = scenario_value_json(request, arena);
        struct pipit_error error = {0};
        ProtobufCMessage *message;

        *ret_part = NULL;
        *ret_problem = "";
        if (!json)
                return NULL;
        if (pipit_json_read(method->request, json, strlen(json), schema, arena, &message, &error) ==
            PIPIT_OK)
                return message;
        if (error.status == PIPIT_INVALID_ARGUMENT)
                *ret_part = scenario_value_at(
                        request, json, offset_of(json, error.message, ret_problem));
        return NULL;
}

static void fail(struct scenario_problems *problems,
                 const struct scenario_value *part,
                 const struct scenario_place *place,
                 const char *problem)
{
        if (!part)
                problems->out_of_memory = true;
        else
                scenario_problems_add(
                        problems, part->place.line > 0 ? &part->place : place, "%s", problem);
}

ProtobufCMessage *scenario_request_new(const struct scenario_value *request,
                                       const struct scenario_place *place,
                                       const struct pipit_method *method,
                                       const struct pipit_schema *schema,
                                       struct pipit_arena *arena,
                                       struct scenario_problems *problems)
{
        const struct scenario_value empty = {.type = PIPIT_JSON_OBJECT};
        const struct scenario_value *part = NULL;
        const char *problem = "";
        ProtobufCMessage *message =
                read_request(request ? request : &empty, method, schema, arena, &part, &problem);

        if (!message)
                fail(problems, part, place, problem);
        return message;
}

/* Takes out the part, or what is unknown around it. False: it is known. */
static bool remove_unknown(struct scenario_value *value, const struct scenario_value *part)
{
        for (struct scenario_value **at = &value->first; *at; at = &(*at)->next) {
                struct scenario_value *child = *at;

                if (child == part) {
                        if (!child->is_unknown)
                                return false;
                        *at = child->next;
                        value->n_children--;
                        return true;
                }
                if (remove_unknown(child, part))
                        return true;
        }

        return false;
}

void scenario_request_check(struct scenario_value *request,
                            const struct pipit_method *method,
                            const struct pipit_schema *schema,
                            struct pipit_arena *arena,
                            struct scenario_problems *problems)
{
        for (;;) {
                const struct scenario_value *part = NULL;
                const char *problem = "";

                if (request->is_unknown ||
                    read_request(request, method, schema, arena, &part, &problem))
                        return;
                if (!part || !remove_unknown(request, part)) {
                        fail(problems, part, &request->place, problem);
                        return;
                }
        }
}

/* --- metadata -------------------------------------------------------------------------- */

static bool is_binary(const char *key)
{
        size_t n_key = strlen(key), n_suffix = strlen(BINARY_SUFFIX);

        return n_key > n_suffix && strcmp(key + n_key - n_suffix, BINARY_SUFFIX) == 0;
}

static bool add_entry(struct pipit_call *call,
                      const char *key,
                      const struct scenario_value *value,
                      struct pipit_arena *arena,
                      struct scenario_problems *problems)
{
        const char *text = value->text ? value->text : scenario_value_json(value, arena);
        const void *bytes = text;
        size_t n_bytes;

        if (!text) {
                problems->out_of_memory = true;
                return false;
        }

        n_bytes = strlen(text);
        if (is_binary(key)) {
                uint8_t *decoded = pipit_arena_alloc(arena, PIPIT_BASE64_BYTES_MAX(n_bytes));

                if (!decoded || !pipit_base64_decode(text, n_bytes, decoded, &n_bytes)) {
                        scenario_problems_add(problems,
                                              &value->place,
                                              "'%s' is not base64, which %s wants",
                                              text,
                                              key);
                        return false;
                }
                bytes = decoded;
        }
        if (pipit_call_add_metadata(call, key, bytes, n_bytes) == PIPIT_OK)
                return true;

        scenario_problems_add(problems,
                              &value->place,
                              "metadata %s is refused; a key is 1 to %d of a-z 0-9 . _ -, and "
                              "there may be %d entries of %d bytes in all",
                              key,
                              PIPIT_METADATA_KEY_BYTES_MAX,
                              PIPIT_METADATA_ENTRIES_MAX,
                              PIPIT_METADATA_BYTES_MAX);
        return false;
}

bool scenario_metadata_add(struct pipit_call *call,
                           const struct scenario_value *metadata,
                           struct pipit_arena *arena,
                           struct scenario_problems *problems)
{
        bool ok = true;

        for (const struct scenario_value *entry = metadata->first; entry; entry = entry->next) {
                if (entry->type != PIPIT_JSON_ARRAY)
                        ok = add_entry(call, entry->key, entry, arena, problems) && ok;
                for (const struct scenario_value *item =
                             entry->type == PIPIT_JSON_ARRAY ? entry->first : NULL;
                     item;
                     item = item->next)
                        ok = add_entry(call, entry->key, item, arena, problems) && ok;
        }

        return ok;
}
