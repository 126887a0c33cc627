/*
 * YAML by libyaml's events. libyaml knows the grammar, of YAML 1.1; what plain
 * scalars and tags mean is decided here, by YAML 1.2.
 */

#include <string.h>
#include <yaml.h>

#include "core/json/number.h"
#include "tools/cli/scenario/reader.h"

struct anchor {
        const char *name;
        const struct scenario_value *value;
        struct anchor *next;
};

struct reader {
        const char *file;
        struct pipit_arena *arena;
        struct scenario_problems *problems;
        yaml_parser_t parser;
        struct anchor *anchors; /* the newest first: a name may be used again */
        size_t n_values;
        unsigned depth;
};

static struct scenario_place place_of(const struct reader *reader, const yaml_mark_t *mark)
{
        return (struct scenario_place){
                .file = reader->file,
                .line = mark->line + 1,
                .column = mark->column + 1,
        };
}

static struct scenario_value *fail(struct reader *reader,
                                   const yaml_mark_t *mark,
                                   const char *problem)
{
        struct scenario_place place = place_of(reader, mark);

        scenario_problems_add(reader->problems, &place, "%s", problem);
        return NULL;
}

/* What libyaml has to say. */
static void fail_parser(struct reader *reader)
{
        const yaml_parser_t *parser = &reader->parser;
        struct scenario_place place = place_of(reader, &parser->problem_mark);
        const char *problem = parser->problem ? parser->problem : "this is no YAML";

        if (parser->error == YAML_MEMORY_ERROR)
                problem = "out of memory";
        if (parser->error == YAML_READER_ERROR) {
                struct pipit_json_position at;
                const char *text = (const char *)parser->input.string.start;

                at = pipit_json_position_of(
                        text,
                        (size_t)(parser->input.string.end - parser->input.string.start),
                        parser->problem_offset);
                place.line = at.line;
                place.column = at.column;
        }

        if (parser->context)
                scenario_problems_add(reader->problems,
                                      &place,
                                      "%s, %s of line %zu",
                                      problem,
                                      parser->context,
                                      parser->context_mark.line + 1);
        else
                scenario_problems_add(reader->problems, &place, "%s", problem);
}

static bool next_event(struct reader *reader, yaml_event_t *event)
{
        if (yaml_parser_parse(&reader->parser, event))
                return true;

        fail_parser(reader);
        return false;
}

static struct scenario_value *count(struct reader *reader,
                                    const yaml_mark_t *mark,
                                    size_t n,
                                    struct scenario_value *value)
{
        if (!value)
                return fail(reader, mark, "out of memory");

        reader->n_values += n;
        if (reader->n_values > SCENARIO_VALUES_MAX)
                return fail(reader, mark, "this is too much for one file");

        value->place = place_of(reader, mark);
        return value;
}

/* --- scalars ------------------------------------------------------------------- */

static bool is_one_of(const char *text, const char *const *words)
{
        for (; *words; words++) {
                if (strcmp(text, *words) == 0)
                        return true;
        }

        return false;
}

/* A number to YAML 1.1, to 1.2, or to who reads it, but not to JSON. */
static bool is_doubtful(const char *text)
{
        static const char *const words[] = {
                ".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", "+.inf", "-.inf", NULL};
        size_t n_sign = *text == '+' || *text == '-' ? 1 : 0;
        const char *digits = text + n_sign;
        size_t n = strspn(digits, "0123456789");

        if (is_one_of(text, words))
                return true;
        if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'o'))
                return digits[2] != '\0' &&
                       strspn(digits + 2, "0123456789abcdefABCDEF") == strlen(digits + 2);

        const char *rest = digits + n;

        if (*rest == '.')
                rest += 1 + strspn(rest + 1, "0123456789");
        if (rest == digits || (rest == digits + 1 && *digits == '.'))
                return false;
        if ((*rest == 'e' || *rest == 'E') && rest[1] != '\0') {
                size_t n_exponent_sign = rest[1] == '+' || rest[1] == '-' ? 1 : 0;

                rest += 1 + n_exponent_sign;
                rest += strspn(rest, "0123456789");
        }

        return *rest == '\0';
}

static enum pipit_json_type plain_type(const char *text, size_t n_text)
{
        static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
        static const char *const booleans[] = {
                "true", "True", "TRUE", "false", "False", "FALSE", NULL};

        if (is_one_of(text, nulls))
                return PIPIT_JSON_NULL;
        if (is_one_of(text, booleans))
                return PIPIT_JSON_BOOL;
        if (pipit_number_scan(text, n_text) == n_text)
                return PIPIT_JSON_NUMBER;

        return PIPIT_JSON_STRING;
}

static struct scenario_value *read_scalar(struct reader *reader, const yaml_event_t *event)
{
        const char *text = (const char *)event->data.scalar.value;
        const char *tag = (const char *)event->data.scalar.tag;
        size_t n_text = event->data.scalar.length;
        enum pipit_json_type type = PIPIT_JSON_STRING;

        if (tag && strcmp(tag, YAML_STR_TAG) != 0 && strcmp(tag, "!") != 0)
                return fail(reader, &event->start_mark, "there are no tags here, but for !!str");
        if (memchr(text, '\0', n_text))
                return fail(reader, &event->start_mark, "a text cannot hold a NUL");

        if (!tag && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
                type = plain_type(text, n_text);
                if (type == PIPIT_JSON_STRING && is_doubtful(text)) {
                        struct scenario_place place = place_of(reader, &event->start_mark);

                        scenario_problems_add(reader->problems,
                                              &place,
                                              "is %s a number or a text? Write it as a number of "
                                              "JSON, or in quotes",
                                              text);
                        return NULL;
                }
        }

        struct scenario_value *value = scenario_value_new(reader->arena, type);

        if (value && type == PIPIT_JSON_BOOL)
                value->boolean = text[0] == 't' || text[0] == 'T';
        if (value && (type == PIPIT_JSON_STRING || type == PIPIT_JSON_NUMBER)) {
                value->text = pipit_arena_strndup(reader->arena, text, n_text);
                value->n_text = n_text;
                if (!value->text)
                        value = NULL;
        }

        return count(reader, &event->start_mark, 1, value);
}

/* --- anchors -------------------------------------------------------------------- */

static bool add_anchor(struct reader *reader,
                       const yaml_char_t *name,
                       const struct scenario_value *value)
{
        struct anchor *anchor = pipit_arena_zalloc(reader->arena, sizeof(*anchor));

        if (anchor)
                anchor->name = pipit_arena_strdup(reader->arena, (const char *)name);
        if (!anchor || !anchor->name)
                return false;

        anchor->value = value;
        anchor->next = reader->anchors;
        reader->anchors = anchor;
        return true;
}

static size_t n_values_of(const struct scenario_value *value)
{
        size_t n = 1;

        for (const struct scenario_value *child = value->first; child; child = child->next)
                n += n_values_of(child);

        return n;
}

static unsigned depth_of(const struct scenario_value *value)
{
        unsigned depth = 0;

        for (const struct scenario_value *child = value->first; child; child = child->next) {
                unsigned below = 1 + depth_of(child);

                depth = below > depth ? below : depth;
        }

        return depth;
}

static struct scenario_value *read_alias(struct reader *reader, const yaml_event_t *event)
{
        const char *name = (const char *)event->data.alias.anchor;
        const struct anchor *anchor = reader->anchors;

        while (anchor && strcmp(anchor->name, name) != 0)
                anchor = anchor->next;
        if (!anchor) {
                struct scenario_place place = place_of(reader, &event->start_mark);

                scenario_problems_add(
                        reader->problems, &place, "there is no anchor '&%s' before this", name);
                return NULL;
        }
        if (reader->depth + depth_of(anchor->value) > SCENARIO_DEPTH_MAX)
                return fail(reader, &event->start_mark, "this is nested too deeply");

        size_t n = n_values_of(anchor->value);

        if (reader->n_values + n > SCENARIO_VALUES_MAX)
                return fail(reader, &event->start_mark, "this is too much for one file");

        return count(
                reader, &event->start_mark, n, scenario_value_copy(reader->arena, anchor->value));
}

/* --- lists and maps ---------------------------------------------------------------- */

static struct scenario_value *read_value(struct reader *reader, const yaml_event_t *event);

static bool read_items(struct reader *reader, struct scenario_value *list)
{
        for (;;) {
                yaml_event_t event;

                if (!next_event(reader, &event))
                        return false;

                bool is_end = event.type == YAML_SEQUENCE_END_EVENT;
                struct scenario_value *item = is_end ? NULL : read_value(reader, &event);

                yaml_event_delete(&event);
                if (is_end)
                        return true;
                if (!item)
                        return false;
                scenario_value_append(list, NULL, item);
        }
}

/* A member's key, in the arena; NULL: it is none, and @problems has why. */
static const char *read_key(struct reader *reader,
                            const struct scenario_value *map,
                            const yaml_event_t *event)
{
        struct scenario_place place = place_of(reader, &event->start_mark);
        const char *text = (const char *)event->data.scalar.value;

        if (event->type != YAML_SCALAR_EVENT) {
                (void)fail(reader, &event->start_mark, "a key has to be a text");
                return NULL;
        }
        if (memchr(text, '\0', event->data.scalar.length)) {
                (void)fail(reader, &event->start_mark, "a key cannot hold a NUL");
                return NULL;
        }
        if (scenario_value_member(map, text)) {
                scenario_problems_add(
                        reader->problems, &place, "the key '%s' is there already", text);
                return NULL;
        }

        const char *key = pipit_arena_strdup(reader->arena, text);

        if (!key)
                (void)fail(reader, &event->start_mark, "out of memory");
        return key;
}

static bool read_members(struct reader *reader, struct scenario_value *map)
{
        for (;;) {
                yaml_event_t event;

                if (!next_event(reader, &event))
                        return false;

                bool is_end = event.type == YAML_MAPPING_END_EVENT;
                struct scenario_place place = place_of(reader, &event.start_mark);
                const char *key = is_end ? NULL : read_key(reader, map, &event);

                yaml_event_delete(&event);
                if (is_end)
                        return true;
                if (!key || !next_event(reader, &event))
                        return false;

                struct scenario_value *member = read_value(reader, &event);

                yaml_event_delete(&event);
                if (!member)
                        return false;
                member->key_place = place;
                scenario_value_append(map, key, member);
        }
}

static struct scenario_value *read_collection(struct reader *reader, const yaml_event_t *event)
{
        bool is_map = event->type == YAML_MAPPING_START_EVENT;
        const yaml_char_t *tag =
                is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
        struct scenario_value *value;

        if (tag)
                return fail(reader, &event->start_mark, "there are no tags here, but for !!str");
        if (reader->depth == SCENARIO_DEPTH_MAX)
                return fail(reader, &event->start_mark, "this is nested too deeply");

        value = count(
                reader,
                &event->start_mark,
                1,
                scenario_value_new(reader->arena, is_map ? PIPIT_JSON_OBJECT : PIPIT_JSON_ARRAY));
        if (!value)
                return NULL;

        reader->depth++;
        if (is_map ? !read_members(reader, value) : !read_items(reader, value))
                return NULL;
        reader->depth--;
        return value;
}

static struct scenario_value *read_value(struct reader *reader, const yaml_event_t *event)
{
        const yaml_char_t *anchor = NULL;
        struct scenario_value *value;

        switch (event->type) {
        case YAML_ALIAS_EVENT:
                return read_alias(reader, event);
        case YAML_SCALAR_EVENT:
                anchor = event->data.scalar.anchor;
                value = read_scalar(reader, event);
                break;
        case YAML_SEQUENCE_START_EVENT:
                anchor = event->data.sequence_start.anchor;
                value = read_collection(reader, event);
                break;
        case YAML_MAPPING_START_EVENT:
                anchor = event->data.mapping_start.anchor;
                value = read_collection(reader, event);
                break;
        default:
                return fail(reader, &event->start_mark, "a value is missing here");
        }

        if (value && anchor && !add_anchor(reader, anchor, value))
                return fail(reader, &event->start_mark, "out of memory");
        return value;
}

/* --- the document -------------------------------------------------------------------- */

/* Takes the next event, which has to be of @type. */
static bool expect_event(struct reader *reader, yaml_event_type_t type, const char *problem)
{
        yaml_event_t event;

        if (!next_event(reader, &event))
                return false;

        bool is_right = event.type == type;

        if (!is_right)
                (void)fail(reader, &event.start_mark, problem);
        yaml_event_delete(&event);
        return is_right;
}

static struct scenario_value *read_document(struct reader *reader)
{
        yaml_event_t event;

        if (!expect_event(reader, YAML_STREAM_START_EVENT, "this is no YAML") ||
            !expect_event(reader, YAML_DOCUMENT_START_EVENT, "the file is empty") ||
            !next_event(reader, &event))
                return NULL;

        struct scenario_value *value = read_value(reader, &event);

        yaml_event_delete(&event);
        if (!value || !expect_event(reader, YAML_DOCUMENT_END_EVENT, "the end is expected here") ||
            !expect_event(
                    reader, YAML_STREAM_END_EVENT, "a second document begins here; a file has one"))
                return NULL;

        return value;
}

struct scenario_value *scenario_read_yaml(const char *file,
                                          const char *text,
                                          size_t n_bytes,
                                          struct pipit_arena *arena,
                                          struct scenario_problems *problems)
{
        struct reader reader = {.file = file, .arena = arena, .problems = problems};

        if (!yaml_parser_initialize(&reader.parser)) {
                problems->out_of_memory = true;
                return NULL;
        }

        yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, n_bytes);
        yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);

        struct scenario_value *value = read_document(&reader);

        yaml_parser_delete(&reader.parser);
        return value;
}
