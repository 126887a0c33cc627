/*
 * For oracle.py: a line "MESSAGE HEX JSON" on stdin becomes a line "JSON HEX"
 * on stdout: the packed message as JSON, and the JSON as a packed message.
 */

#include <pipit/status.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json/json.h"
#include "core/rpc/message.h"

static size_t decode_hex(char *text)
{
        size_t n = strlen(text) / 2;

        for (size_t i = 0; i < n; i++) {
                char pair[] = {text[2 * i], text[2 * i + 1], '\0'};

                text[i] = (char)strtoul(pair, NULL, 16);
        }

        return n;
}

static int fail(const char *what, const struct pipit_error *error)
{
        (void)fprintf(stderr, "%s: %s\n", what, error->message ? error->message : "?");
        return 1;
}

static int convert(const struct pipit_schema *schema,
                   struct pipit_arena *arena,
                   const char *name,
                   char *hex,
                   const char *json)
{
        const ProtobufCMessageDescriptor *descriptor = pipit_schema_message(schema, name);
        struct pipit_error error = {0};
        ProtobufCMessage *message;
        char *text;

        if (!descriptor)
                return fail(name, &error);

        size_t n_bytes = decode_hex(hex);

        message = pipit_message_unpack(descriptor, arena, (const uint8_t *)hex, n_bytes);
        if (!message)
                return fail("unpack", &error);
        if (pipit_json_write(message, schema, NULL, arena, &text, &error) != PIPIT_OK)
                return fail("write", &error);
        if (pipit_json_read(descriptor, json, strlen(json), schema, arena, &message, &error) !=
            PIPIT_OK)
                return fail(json, &error);

        n_bytes = protobuf_c_message_get_packed_size(message);

        uint8_t *bytes = pipit_arena_alloc(arena, n_bytes + 1);

        if (!bytes)
                return fail("pack", &error);
        (void)protobuf_c_message_pack(message, bytes);

        (void)printf("%s\t", text);
        for (size_t i = 0; i < n_bytes; i++)
                (void)printf("%02x", bytes[i]);
        (void)putchar('\n');
        return 0;
}

int main(int argc, char **argv)
{
        struct pipit_schema *schema = pipit_schema_new();
        struct pipit_error error = {0};
        static uint8_t set[1 << 20];
        size_t n_line = 0;
        char *line = NULL;
        int status = 0;
        FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;

        if (!file || !schema)
                return 2;
        if (pipit_schema_add_set(schema, set, fread(set, 1, sizeof(set), file), &error) != PIPIT_OK)
                return fail("set", &error);
        (void)fclose(file);

        while (status == 0 && getline(&line, &n_line, stdin) > 0) {
                struct pipit_arena arena = {0};
                char *save = NULL, *name = strtok_r(line, "\t\n", &save);
                char *hex = strtok_r(NULL, "\t\n", &save), *json = strtok_r(NULL, "\n", &save);

                status = name && hex && json ? convert(schema, &arena, name, hex + 1, json) : 2;
                pipit_arena_deinit(&arena);
        }

        free(line);
        pipit_schema_free(schema);
        return status;
}
