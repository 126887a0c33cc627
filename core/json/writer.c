#include "core/json/writer.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/base/utf8.h"

#define FIRST_BYTES 256

static char *reserve(struct pipit_json_writer *writer, size_t n_bytes)
{
        if (writer->failed)
                return NULL;

        if (n_bytes > writer->n_allocated - writer->n_bytes) {
                size_t n_wanted = writer->n_allocated ? writer->n_allocated * 2 : FIRST_BYTES;

                if (n_wanted < writer->n_bytes + n_bytes)
                        n_wanted = writer->n_bytes + n_bytes;

                char *text = pipit_arena_alloc(writer->arena, n_wanted);

                if (!text) {
                        writer->failed = true;
                        return NULL;
                }
                if (writer->n_bytes > 0)
                        memcpy(text, writer->text, writer->n_bytes);
                writer->text = text;
                writer->n_allocated = n_wanted;
        }

        char *space = writer->text + writer->n_bytes;

        writer->n_bytes += n_bytes;
        return space;
}

static void append(struct pipit_json_writer *writer, const char *text, size_t n_bytes)
{
        char *space = reserve(writer, n_bytes);

        if (space)
                memcpy(space, text, n_bytes);
}

static void append_line(struct pipit_json_writer *writer)
{
        char *space = writer->pretty ? reserve(writer, 1 + 2 * (size_t)writer->level) : NULL;

        if (!space)
                return;

        space[0] = '\n';
        memset(space + 1, ' ', 2 * (size_t)writer->level);
}

/* What stands between this value and the one before. */
static void separate(struct pipit_json_writer *writer)
{
        if (writer->after_key) {
                writer->after_key = false;
                return;
        }

        if (writer->after_value)
                append(writer, ",", 1);
        if (writer->level > 0)
                append_line(writer);
}

void pipit_json_writer_begin(struct pipit_json_writer *writer, char bracket)
{
        separate(writer);
        append(writer, &bracket, 1);
        writer->level++;
        writer->after_value = false;
}

void pipit_json_writer_end(struct pipit_json_writer *writer, char bracket)
{
        writer->level--;
        if (writer->after_value)
                append_line(writer);
        append(writer, &bracket, 1);
        writer->after_value = true;
}

void pipit_json_writer_raw(struct pipit_json_writer *writer, const char *text)
{
        separate(writer);
        append(writer, text, strlen(text));
        writer->after_value = true;
}

static void append_escaped(struct pipit_json_writer *writer, uint16_t c)
{
        static const char names[] = "\"\\bfnrt";
        static const char values[] = "\"\\\b\f\n\r\t";
        const char *value = c ? strchr(values, c) : NULL;
        char escape[7];

        if (value)
                (void)snprintf(escape, sizeof(escape), "\\%c", names[value - values]);
        else
                (void)snprintf(escape, sizeof(escape), "\\u%04x", c);
        append(writer, escape, strlen(escape));
}

void pipit_json_writer_string(struct pipit_json_writer *writer, const char *text, size_t n_bytes)
{
        const uint8_t *bytes = (const uint8_t *)text;
        size_t at = 0;

        separate(writer);
        append(writer, "\"", 1);
        while (at < n_bytes) {
                uint32_t code_point;
                size_t n = pipit_utf8_decode(bytes + at, n_bytes - at, &code_point);

                if (n == 0) {
                        append(writer, "\xef\xbf\xbd", 3);
                        n = 1;
                } else if (code_point == '"' || code_point == '\\' ||
                           pipit_utf8_is_control(code_point)) {
                        append_escaped(writer, (uint16_t)code_point);
                } else {
                        append(writer, text + at, n);
                }
                at += n;
        }
        append(writer, "\"", 1);
        writer->after_value = true;
}

char *pipit_json_writer_string_space(struct pipit_json_writer *writer, size_t n_bytes)
{
        separate(writer);

        char *space = reserve(writer, n_bytes + 2);

        writer->after_value = true;
        if (!space)
                return NULL;

        space[0] = '"';
        space[n_bytes + 1] = '"';
        return space + 1;
}

void pipit_json_writer_key(struct pipit_json_writer *writer, const char *key)
{
        pipit_json_writer_string(writer, key, strlen(key));
        append(writer, writer->pretty ? ": " : ":", writer->pretty ? 2 : 1);
        writer->after_key = true;
}

char *pipit_json_writer_finish(struct pipit_json_writer *writer)
{
        append(writer, "", 1);

        return writer->failed ? NULL : writer->text;
}
