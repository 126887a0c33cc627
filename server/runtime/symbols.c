#include "server/runtime/symbols.h"

#include <pipit/status.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ascii.h"
#include "core/base/macros.h"
#include "core/rpc/wire_read.h"

#define WIRE_BYTES 2 /* the wire type of strings and messages */

/* Of each so many characters one may be wrong, and no more than that in all. */
#define EDIT_BYTES 4
#define EDITS_MAX  2

/* Whatever has a name, in google/protobuf/descriptor.proto. */
enum kind {
        KIND_FILE,
        KIND_MESSAGE,
        KIND_ENUM,
        KIND_SERVICE,
        KIND_METHOD,
        KINDS_N,
};

struct child {
        uint32_t number;
        enum kind kind;
};

/*
 * By hand and not with descriptor.pb-c: a server needs five field numbers of
 * it, and would carry all of it in memory.
 */
static const struct {
        uint32_t name; /* the file's is its package */
        struct child children[3];
} kinds[KINDS_N] = {
        [KIND_FILE] = {2, {{4, KIND_MESSAGE}, {5, KIND_ENUM}, {6, KIND_SERVICE}}},
        [KIND_MESSAGE] = {1, {{3, KIND_MESSAGE}, {4, KIND_ENUM}}},
        [KIND_ENUM] = {1, {}},
        [KIND_SERVICE] = {1, {{2, KIND_METHOD}}},
        [KIND_METHOD] = {1, {}},
};

struct bytes {
        const uint8_t *at;
        const uint8_t *end;
};

/* --- adding ---------------------------------------------------------------- */

/* Takes the next field off @message; the value is empty unless it is a string or a message. */
static bool next_field(struct bytes *message, uint32_t *ret_number, struct bytes *ret_value)
{
        uint8_t wire_type;
        size_t length;

        *ret_value = (struct bytes){message->end, message->end};
        if (pipit_wire_read_tag(&message->at, message->end, ret_number, &wire_type))
                return false;
        if (wire_type != WIRE_BYTES)
                return !pipit_wire_skip_value(&message->at, message->end, wire_type);
        if (pipit_wire_read_length(&message->at, message->end, &length))
                return false;

        *ret_value = (struct bytes){message->at, message->at + length};
        message->at += length;

        return true;
}

/* The first field @wanted of @message; empty if there is none. */
static bool find_field(struct bytes message, uint32_t wanted, struct bytes *ret_value)
{
        uint32_t number;

        while (message.at < message.end) {
                if (!next_field(&message, &number, ret_value))
                        return false;
                if (number == wanted)
                        return true;
        }
        *ret_value = (struct bytes){message.end, message.end};

        return true;
}

static enum pipit_status add_row(struct symbols *symbols, const char *name, size_t file)
{
        if (symbols->n_rows == symbols->n_slots) {
                size_t n_slots = symbols->n_slots ? symbols->n_slots * 2 : 64;
                struct symbol *rows = realloc(symbols->rows, n_slots * sizeof(*rows));

                if (!rows)
                        return PIPIT_RESOURCE_EXHAUSTED;
                symbols->rows = rows;
                symbols->n_slots = n_slots;
        }
        symbols->rows[symbols->n_rows++] = (struct symbol){name, file};

        return PIPIT_OK;
}

static enum pipit_status add_children(struct symbols *symbols,
                                      enum kind kind,
                                      struct bytes message,
                                      const char *scope,
                                      size_t file);

/* @scope is empty for what lies in no package. */
static enum pipit_status add_named(struct symbols *symbols,
                                   enum kind kind,
                                   struct bytes message,
                                   const char *scope,
                                   size_t file)
{
        struct bytes name;
        const char *full;
        enum pipit_status status = PIPIT_OK;

        if (!find_field(message, kinds[kind].name, &name))
                return PIPIT_INTERNAL;

        full = pipit_arena_printf(&symbols->names,
                                  "%s%s%.*s",
                                  scope,
                                  scope[0] && name.at < name.end ? "." : "",
                                  (int)(name.end - name.at),
                                  (const char *)name.at);
        if (!full)
                return PIPIT_RESOURCE_EXHAUSTED;
        if (kind != KIND_FILE)
                status = add_row(symbols, full, file);

        return status == PIPIT_OK ? add_children(symbols, kind, message, full, file) : status;
}

/* As deep as protoc let messages nest in the server's own files. */
static enum pipit_status add_children(struct symbols *symbols,
                                      enum kind kind,
                                      struct bytes message,
                                      const char *scope,
                                      size_t file)
{
        enum pipit_status status = PIPIT_OK;

        while (status == PIPIT_OK && message.at < message.end) {
                struct bytes value;
                uint32_t number;

                if (!next_field(&message, &number, &value))
                        return PIPIT_INTERNAL;
                for (size_t i = 0; i < PIPIT_N_ELEMENTS(kinds[kind].children); ++i) {
                        const struct child *child = &kinds[kind].children[i];

                        if (status == PIPIT_OK && child->number == number)
                                status = add_named(symbols, child->kind, value, scope, file);
                }
        }

        return status;
}

enum pipit_status symbols_add(struct symbols *symbols, const struct pipit_file *file, size_t index)
{
        struct bytes bytes = {file->bytes, file->bytes + file->n_bytes};

        return add_named(symbols, KIND_FILE, bytes, "", index);
}

/* --- finding --------------------------------------------------------------- */

static int compare_rows(const void *a, const void *b)
{
        const struct symbol *left = a;
        const struct symbol *right = b;

        return strcmp(left->name, right->name);
}

void symbols_sort(struct symbols *symbols)
{
        if (symbols->n_rows > 1)
                qsort(symbols->rows, symbols->n_rows, sizeof(*symbols->rows), compare_rows);
}

const struct symbol *symbols_find(const struct symbols *symbols, const char *name)
{
        const struct symbol key = {.name = name};

        if (symbols->n_rows == 0)
                return NULL;

        return bsearch(&key, symbols->rows, symbols->n_rows, sizeof(key), compare_rows);
}

/* Whether @n_edits make @a of @b: at most 3^n_edits ways, each as far as they agree. */
static bool is_near(const char *a, const char *b, unsigned n_edits)
{
        while (*a && pipit_ascii_lower(*a) == pipit_ascii_lower(*b)) {
                ++a;
                ++b;
        }
        if (!*a && !*b)
                return true;
        if (n_edits == 0)
                return false;

        return (*a && *b && is_near(a + 1, b + 1, n_edits - 1)) ||
               (*a && is_near(a + 1, b, n_edits - 1)) || (*b && is_near(a, b + 1, n_edits - 1));
}

static const char *last_part(const char *name)
{
        const char *dot = strrchr(name, '.');

        return dot ? dot + 1 : name;
}

static const char *whole(const char *name)
{
        return name;
}

/* With the fewest edits, compared by what @part leaves of the names. */
static const char *nearest_by(const struct symbols *symbols,
                              const char *name,
                              const char *(*part)(const char *name))
{
        const char *wanted = part(name);
        size_t n_bytes = strlen(wanted);

        for (unsigned int n_edits = 0; n_edits <= EDITS_MAX && n_bytes / EDIT_BYTES >= n_edits;
             ++n_edits) {
                for (size_t i = 0; n_bytes > 0 && i < symbols->n_rows; ++i) {
                        if (is_near(wanted, part(symbols->rows[i].name), n_edits))
                                return symbols->rows[i].name;
                }
        }

        return NULL;
}

const char *symbols_nearest(const struct symbols *symbols, const char *name)
{
        const char *nearest;

        if (strnlen(name, SYMBOLS_NEAREST_BYTES_MAX + 1) > SYMBOLS_NEAREST_BYTES_MAX)
                return NULL;

        nearest = nearest_by(symbols, name, whole);

        return nearest ? nearest : nearest_by(symbols, name, last_part);
}

void symbols_deinit(struct symbols *symbols)
{
        free(symbols->rows);
        pipit_arena_deinit(&symbols->names);
        *symbols = (struct symbols){};
}
