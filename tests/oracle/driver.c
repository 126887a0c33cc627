/*
 * For oracle.mjs: converts messages of schemas that come with them, in bulk
 *
 * A record on stdin is one byte, the kind, and its parts; a part is its length
 * (u32, little endian) and its bytes. Answers on stdout have no kind.
 *
 *   'S' a FileDescriptorSet, the schema of what follows -> result
 *   'M' message name, binary, JSON -> three results: the binary as JSON, that
 *       JSON as binary, the given JSON as binary. An empty JSON is none.
 *
 * A result is one byte, 1 or 0, and a part: what came out, or the error.
 */

#include <pipit/status.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json/json.h"
#include "core/rpc/message.h"
#include "core/rpc/wire_check.h"

#define PART_BYTES_MAX (64u * 1024 * 1024)

struct part {
        uint8_t *bytes; /* NUL-terminated, too */
        size_t n_bytes;
};

static bool read_part(struct pipit_arena *arena, struct part *ret_part)
{
        uint8_t length[4];

        if (fread(length, 1, sizeof(length), stdin) != sizeof(length))
                return false;

        size_t n = (size_t)length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 |
                   (size_t)length[3] << 24;

        if (n > PART_BYTES_MAX)
                return false;

        ret_part->n_bytes = n;
        ret_part->bytes = pipit_arena_zalloc(arena, n + 1);
        return ret_part->bytes && fread(ret_part->bytes, 1, n, stdin) == n;
}

static void write_result(bool ok, const void *bytes, size_t n_bytes)
{
        uint8_t head[5] = {ok,
                           (uint8_t)n_bytes,
                           (uint8_t)(n_bytes >> 8),
                           (uint8_t)(n_bytes >> 16),
                           (uint8_t)(n_bytes >> 24)};

        (void)fwrite(head, 1, sizeof(head), stdout);
        (void)fwrite(bytes, 1, n_bytes, stdout);
}

static void write_error(const char *problem)
{
        write_result(false, problem, strlen(problem));
}

static const char *problem_of(const struct pipit_error *error)
{
        return error->message ? error->message : "an error without a message";
}

/* NULL: failed, and the result was written. */
static char *binary_to_json(const struct pipit_schema *schema,
                            const ProtobufCMessageDescriptor *descriptor,
                            struct pipit_arena *arena,
                            const struct part *binary)
{
        struct pipit_wire_report report;
        struct pipit_error error = {0};
        ProtobufCMessage *message;
        char *text;

        if (!pipit_wire_check(descriptor,
                              binary->bytes,
                              binary->n_bytes,
                              &pipit_wire_limits_default,
                              &report)) {
                write_error(pipit_arena_printf(arena, "wire: %s", report.problem));
                return NULL;
        }

        message = pipit_message_unpack(descriptor, arena, binary->bytes, binary->n_bytes);
        if (!message) {
                write_error("cannot unpack");
                return NULL;
        }
        if (pipit_json_write(message, schema, NULL, arena, &text, &error) != PIPIT_OK) {
                write_error(problem_of(&error));
                return NULL;
        }

        write_result(true, text, strlen(text));
        return text;
}

static void json_to_binary(const struct pipit_schema *schema,
                           const ProtobufCMessageDescriptor *descriptor,
                           struct pipit_arena *arena,
                           const char *json,
                           size_t n_bytes)
{
        struct pipit_error error = {0};
        ProtobufCMessage *message;

        if (pipit_json_read(descriptor, json, n_bytes, schema, arena, &message, &error) !=
            PIPIT_OK) {
                write_error(problem_of(&error));
                return;
        }

        size_t n_packed = protobuf_c_message_get_packed_size(message);
        uint8_t *packed = pipit_arena_alloc(arena, n_packed + 1);

        if (!packed) {
                write_error("out of memory");
                return;
        }

        write_result(true, packed, protobuf_c_message_pack(message, packed));
}

static bool convert(const struct pipit_schema *schema, struct pipit_arena *arena)
{
        const ProtobufCMessageDescriptor *descriptor;
        struct part name, binary, json;

        if (!schema || !read_part(arena, &name) || !read_part(arena, &binary) ||
            !read_part(arena, &json))
                return false;

        descriptor = pipit_schema_message(schema, (const char *)name.bytes);
        if (!descriptor)
                return false;

        char *text = binary_to_json(schema, descriptor, arena, &binary);

        if (text)
                json_to_binary(schema, descriptor, arena, text, strlen(text));
        else
                write_error("there is no JSON");

        if (json.n_bytes > 0)
                json_to_binary(schema, descriptor, arena, (const char *)json.bytes, json.n_bytes);
        else
                write_error("no JSON was given");
        return true;
}

static bool load(struct pipit_schema **schema, struct pipit_arena *arena)
{
        struct pipit_error error = {0};
        struct part set;

        *schema = pipit_schema_free(*schema);
        *schema = pipit_schema_new();
        if (!*schema || !read_part(arena, &set))
                return false;

        if (pipit_schema_add_set(*schema, set.bytes, set.n_bytes, &error) == PIPIT_OK)
                write_result(true, "", 0);
        else
                write_error(problem_of(&error));
        return true;
}

int main(void)
{
        struct pipit_schema *schema = NULL;
        struct pipit_arena arena = {0};
        bool ok = true;
        int kind;

        while (ok && (kind = getchar()) != EOF) {
                ok = kind == 'S'   ? load(&schema, &arena)
                     : kind == 'M' ? convert(schema, &arena)
                                   : false;
                pipit_arena_reset(&arena);
        }

        pipit_arena_deinit(&arena);
        pipit_schema_free(schema);
        return ok && fflush(stdout) == 0 ? 0 : 1;
}
