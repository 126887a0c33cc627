#include "tools/cli/scenario/shape.h"

#include <regex.h>
#include <string.h>

#include "core/base/macros.h"
#include "core/json/field.h"
#include "core/json/known_type.h"
#include "core/json/nearest.h"
#include "tools/cli/scenario/matcher.h"
#include "tools/cli/scenario/outcome.h"
#include "tools/cli/scenario/variables.h"

enum kind {
        ANY, /* also: of a type that nobody knows */
        TEXT,
        NUMBER,
        BOOL,
        WORD, /* a text of a few */
        LIST,
        MAP,
        OBJECT, /* with these members */
        MESSAGE,
};

struct shape {
        enum kind kind;
        const char *type; /* as people call it: "uint32"; NULL: the kind's name */
        const char *const *words;
        const ProtobufCEnumDescriptor *enumeration; /* WORD, instead of words */
        const struct shape *element;                /* LIST, and the values of MAP */
        const struct member *members;               /* OBJECT; ends without a name */
        const ProtobufCMessageDescriptor *message;  /* MESSAGE */
};

struct member {
        const char *name;
        const struct shape *shape;
};

struct checker {
        const struct pipit_schema *schema;
        struct pipit_arena *arena;
        struct scenario_problems *problems;
};

static void check(struct checker *checker, struct scenario_value *expected, struct shape shape);

/* --- of messages ----------------------------------------------------------------------------- */

static const char *json_name(const struct checker *checker,
                             const ProtobufCMessageDescriptor *message,
                             const ProtobufCFieldDescriptor *field)
{
        const char *name = pipit_schema_json_key(checker->schema, message, field, checker->arena);

        return name ? name : field->name;
}

static const ProtobufCFieldDescriptor *find_field(const struct checker *checker,
                                                  const ProtobufCMessageDescriptor *message,
                                                  const char *name)
{
        for (unsigned i = 0; i < message->n_fields; i++) {
                const ProtobufCFieldDescriptor *field = &message->fields[i];

                if (strcmp(field->name, name) == 0 ||
                    strcmp(json_name(checker, message, field), name) == 0)
                        return field;
        }

        return NULL;
}

static struct shape shape_of_message(const ProtobufCMessageDescriptor *message)
{
        switch (json_known_type(message)) {
        case KNOWN_NONE:
                return (struct shape){.kind = MESSAGE, .message = message};
        case KNOWN_DURATION:
        case KNOWN_FIELD_MASK:
        case KNOWN_TIMESTAMP:
                return (struct shape){.kind = TEXT, .type = message->name};
        case KNOWN_ANY:
        case KNOWN_LIST_VALUE:
        case KNOWN_STRUCT:
        case KNOWN_VALUE:
        case KNOWN_WRAPPER:
                break;
        }

        return (struct shape){.kind = ANY};
}

/* Of one value of @field. */
static struct shape shape_of_single(const ProtobufCFieldDescriptor *field)
{
        const char *type = pipit_field_type_name(field->type);

        switch (field->type) {
        case PROTOBUF_C_TYPE_STRING:
        case PROTOBUF_C_TYPE_BYTES:
                return (struct shape){.kind = TEXT, .type = type};
        case PROTOBUF_C_TYPE_BOOL:
                return (struct shape){.kind = BOOL, .type = type};
        case PROTOBUF_C_TYPE_ENUM:
                /* Its null is a value. */
                if (strcmp(((const ProtobufCEnumDescriptor *)field->descriptor)->name,
                           "google.protobuf.NullValue") == 0)
                        return (struct shape){.kind = ANY};
                return (struct shape){.kind = WORD, .enumeration = field->descriptor};
        case PROTOBUF_C_TYPE_MESSAGE:
                return shape_of_message(field->descriptor);
        default:
                return (struct shape){.kind = NUMBER, .type = type};
        }
}

static struct shape shape_of_field(const struct checker *checker,
                                   const ProtobufCMessageDescriptor *parent,
                                   const ProtobufCFieldDescriptor *field)
{
        struct shape single = shape_of_single(field);
        bool is_map = pipit_schema_is_map(checker->schema, parent, field);
        struct shape *element;

        if (field->label != PROTOBUF_C_LABEL_REPEATED)
                return single;
        if (is_map)
                single = shape_of_single(protobuf_c_message_descriptor_get_field(
                        (const ProtobufCMessageDescriptor *)field->descriptor, 2));

        element = pipit_arena_memdup(checker->arena, &single, sizeof(single));
        if (!element)
                return (struct shape){.kind = ANY};
        return (struct shape){.kind = is_map ? MAP : LIST, .element = element};
}

static void fail_unknown_field(struct checker *checker,
                               const struct scenario_place *place,
                               const ProtobufCMessageDescriptor *message,
                               const char *name)
{
        struct pipit_nearest nearest = {.wanted = name};

        for (unsigned i = 0; i < message->n_fields; i++)
                pipit_nearest_consider(&nearest, json_name(checker, message, &message->fields[i]));

        scenario_problems_add(checker->problems,
                              place,
                              "%s has no field '%s'%s%s%s",
                              message->name,
                              name,
                              nearest.name ? "; did you mean " : "",
                              nearest.name ? nearest.name : "",
                              nearest.name ? "?" : "");
}

static void check_message(struct checker *checker,
                          struct scenario_value *expected,
                          const ProtobufCMessageDescriptor *message)
{
        for (struct scenario_value *child = expected->first; child; child = child->next) {
                const ProtobufCFieldDescriptor *field = find_field(checker, message, child->key);

                if (!field) {
                        fail_unknown_field(checker, &child->key_place, message, child->key);
                        continue;
                }
                child->key = json_name(checker, message, field);
                check(checker, child, shape_of_field(checker, message, field));
        }
}

/* --- matchers --------------------------------------------------------------------------------- */

static void fail_argument(struct checker *checker,
                          const struct scenario_value *argument,
                          const char *wanted)
{
        scenario_problems_add(checker->problems,
                              &argument->place,
                              "%s takes %s, not %s",
                              argument->key,
                              wanted,
                              scenario_type_name(argument->type));
}

static bool is_open(const struct scenario_value *value)
{
        return value->type == PIPIT_JSON_STRING && scenario_has_variables(value->text);
}

static void check_each(struct checker *checker, struct scenario_value *list, struct shape shape)
{
        if (list->type != PIPIT_JSON_ARRAY && !is_open(list)) {
                fail_argument(checker, list, "a list");
                return;
        }
        for (struct scenario_value *child = list->first; child; child = child->next)
                check(checker, child, shape);
}

static void check_regex(struct checker *checker, const struct scenario_value *argument)
{
        regex_t regex;
        char problem[128];
        int code;

        if (is_open(argument))
                return;
        if (argument->type != PIPIT_JSON_STRING) {
                fail_argument(checker, argument, "a text");
                return;
        }

        code = regcomp(&regex, argument->text, REG_EXTENDED | REG_NOSUB);
        if (code == 0) {
                regfree(&regex);
                return;
        }
        (void)regerror(code, &regex, problem, sizeof(problem));
        scenario_problems_add(
                checker->problems, &argument->place, "this is no regular expression: %s", problem);
}

static void check_number(struct checker *checker, const struct scenario_value *argument)
{
        if (argument->type != PIPIT_JSON_NUMBER && !is_open(argument))
                scenario_problems_add(checker->problems,
                                      &argument->place,
                                      "a number is expected here, not %s",
                                      scenario_type_name(argument->type));
}

static void check_range(struct checker *checker, const struct scenario_value *argument)
{
        if (argument->type != PIPIT_JSON_ARRAY || argument->n_children != 2) {
                fail_argument(checker, argument, "[MIN, MAX]");
                return;
        }
        check_number(checker, argument->first);
        check_number(checker, argument->last);
}

static struct shape element_of(struct shape shape)
{
        return shape.kind == LIST && shape.element ? *shape.element : (struct shape){.kind = ANY};
}

static bool is_key(const struct scenario_value *value, const char *one, const char *two)
{
        return strcmp(value->key, one) == 0 || strcmp(value->key, two) == 0;
}

static void check_matcher(struct checker *checker,
                          struct scenario_value *matcher,
                          struct shape shape)
{
        const struct shape number = {.kind = NUMBER};

        if (is_key(matcher, "$present", "$absent") || is_key(matcher, "$any", "$any")) {
                if (matcher->type != PIPIT_JSON_BOOL ||
                    (strcmp(matcher->key, "$any") == 0 && !matcher->boolean))
                        fail_argument(checker, matcher, "true");
        } else if (is_key(matcher, "$regex", "$regex")) {
                check_regex(checker, matcher);
        } else if (is_key(matcher, "$min", "$max")) {
                check_number(checker, matcher);
        } else if (is_key(matcher, "$range", "$range")) {
                check_range(checker, matcher);
        } else if (is_key(matcher, "$length", "$length")) {
                check(checker, matcher, number);
        } else if (is_key(matcher, "$contains", "$unordered")) {
                /* $contains of a text: which texts hold. */
                if (matcher->type != PIPIT_JSON_STRING || strcmp(matcher->key, "$unordered") == 0)
                        check_each(checker, matcher, element_of(shape));
        } else if (is_key(matcher, "$each", "$each")) {
                check(checker, matcher, element_of(shape));
        } else if (is_key(matcher, "$one_of", "$one_of")) {
                check_each(checker, matcher, shape);
        } else if (is_key(matcher, "$not", "$not")) {
                check(checker, matcher, shape);
        } else if (is_key(matcher, "$exact", "$exact")) {
                if (matcher->type != PIPIT_JSON_OBJECT && !is_open(matcher))
                        fail_argument(checker, matcher, "a map");
                else
                        check(checker, matcher, shape);
        } else {
                scenario_problems_add_unknown(checker->problems,
                                              &matcher->key_place,
                                              "matcher",
                                              matcher->key,
                                              "here",
                                              scenario_matcher_names);
        }
}

/* --- values -------------------------------------------------------------------------------------- */

static void fail_type(struct checker *checker,
                      const struct scenario_value *expected,
                      const struct shape *shape)
{
        static const char *const kinds[] = {
                [ANY] = "anything",
                [TEXT] = "a text",
                [NUMBER] = "a number",
                [BOOL] = "true or false",
                [WORD] = "a name",
                [LIST] = "a list",
                [MAP] = "a map",
                [OBJECT] = "a map",
                [MESSAGE] = "a map",
        };
        const char *type = shape->type ? shape->type : shape->message ? shape->message->name : NULL;

        scenario_problems_add(checker->problems,
                              &expected->place,
                              "%s%s%s%s is expected here, not %s",
                              kinds[shape->kind],
                              type ? " (" : "",
                              type ? type : "",
                              type ? ")" : "",
                              scenario_type_name(expected->type));
}

static void check_word(struct checker *checker,
                       const struct scenario_value *expected,
                       const struct shape *shape)
{
        struct pipit_nearest nearest = {.wanted = expected->text};
        const ProtobufCEnumDescriptor *enumeration = shape->enumeration;

        for (size_t i = 0; shape->words && shape->words[i]; i++) {
                if (strcmp(shape->words[i], expected->text) == 0)
                        return;
                pipit_nearest_consider(&nearest, shape->words[i]);
        }
        for (unsigned i = 0; enumeration && i < enumeration->n_values; i++) {
                if (strcmp(enumeration->values[i].name, expected->text) == 0)
                        return;
                pipit_nearest_consider(&nearest, enumeration->values[i].name);
        }

        scenario_problems_add(checker->problems,
                              &expected->place,
                              "%s%s'%s' is never here%s%s%s",
                              enumeration ? enumeration->name : "",
                              enumeration ? ": " : "",
                              expected->text,
                              nearest.name ? "; did you mean " : "",
                              nearest.name ? nearest.name : "",
                              nearest.name ? "?" : "");
}

/* Of double and float. */
static bool is_not_finite(const struct scenario_value *expected)
{
        return expected->type == PIPIT_JSON_STRING &&
               (strcmp(expected->text, "NaN") == 0 || strcmp(expected->text, "Infinity") == 0 ||
                strcmp(expected->text, "-Infinity") == 0);
}

static bool type_fits(const struct scenario_value *expected, const struct shape *shape)
{
        switch (shape->kind) {
        case ANY:
                return true;
        case TEXT:
                return expected->type == PIPIT_JSON_STRING;
        case NUMBER:
                return scenario_is_number(expected) || is_not_finite(expected);
        case BOOL:
                return expected->type == PIPIT_JSON_BOOL;
        case WORD:
                return expected->type == PIPIT_JSON_STRING || scenario_is_number(expected);
        case LIST:
                return expected->type == PIPIT_JSON_ARRAY;
        case MAP:
        case OBJECT:
        case MESSAGE:
                return expected->type == PIPIT_JSON_OBJECT;
        }

        return false;
}

static void check_object(struct checker *checker,
                         struct scenario_value *expected,
                         const struct member *members)
{
        for (struct scenario_value *child = expected->first; child; child = child->next) {
                const char *names[16] = {NULL};
                const struct member *member = members;

                for (size_t i = 0; member->name && strcmp(member->name, child->key) != 0 &&
                                   i + 1 < PIPIT_N_ELEMENTS(names);
                     i++, member++)
                        names[i] = member->name;
                if (member->name)
                        check(checker, child, *member->shape);
                else
                        scenario_problems_add_unknown(checker->problems,
                                                      &child->key_place,
                                                      "key",
                                                      child->key,
                                                      "here",
                                                      names);
        }
}

static void check(struct checker *checker, struct scenario_value *expected, struct shape shape)
{
        if (expected->type == PIPIT_JSON_NULL || is_open(expected))
                return;
        if (scenario_is_matcher(expected)) {
                for (struct scenario_value *child = expected->first; child; child = child->next)
                        check_matcher(checker, child, shape);
                return;
        }
        if (!type_fits(expected, &shape)) {
                fail_type(checker, expected, &shape);
                return;
        }

        switch (shape.kind) {
        case WORD:
                if (expected->type == PIPIT_JSON_STRING)
                        check_word(checker, expected, &shape);
                break;
        case LIST:
        case MAP:
                for (struct scenario_value *child = expected->first; child; child = child->next)
                        check(checker, child, *shape.element);
                break;
        case OBJECT:
                check_object(checker, expected, shape.members);
                break;
        case MESSAGE:
                check_message(checker, expected, shape.message);
                break;
        case ANY:
                for (struct scenario_value *child = expected->first; child; child = child->next)
                        check(checker, child, shape);
                break;
        case TEXT:
        case NUMBER:
        case BOOL:
                break;
        }
}

/* --- the reply -------------------------------------------------------------------------------------- */

static const char *const statuses[] = {
#define STATUS_NAME(name, number) #name,
        PIPIT_STATUS_MAP(STATUS_NAME)
#undef STATUS_NAME
                NULL};
static const char *const rans[] = {"not_run", "may_have_run", "ran", NULL};
static const char *const origins[] = {"local", "transport", "server", NULL};

static const struct shape any = {.kind = ANY};
static const struct shape text = {.kind = TEXT};
static const struct shape number = {.kind = NUMBER};
static const struct shape status = {.kind = WORD, .words = statuses};
static const struct shape ran = {.kind = WORD, .words = rans};
static const struct shape origin = {.kind = WORD, .words = origins};
static const struct shape metadata = {.kind = MAP, .element = &any};
static const struct member violation_members[] = {
        {"field", &text}, {"description", &text}, {NULL, NULL}};
static const struct shape violation = {.kind = OBJECT, .members = violation_members};
static const struct shape violations = {.kind = LIST, .element = &violation};

void scenario_shape_check(struct scenario_value *expected,
                          const ProtobufCMessageDescriptor *response,
                          const struct pipit_schema *schema,
                          struct pipit_arena *arena,
                          struct scenario_problems *problems)
{
        const struct shape response_shape = shape_of_message(response);
        const struct member members[] = {
                {SCENARIO_STATUS, &status},
                {SCENARIO_RESPONSE, &response_shape},
                {"reason", &text},
                {"domain", &text},
                {"message", &text},
                {"ran", &ran},
                {"origin", &origin},
                {SCENARIO_VIOLATIONS, &violations},
                {"retry_after_ms", &number},
                {"metadata", &metadata},
                {"peer", &text},
                {SCENARIO_DURATION_MS, &number},
                {NULL, NULL},
        };
        struct checker checker = {.schema = schema, .arena = arena, .problems = problems};

        check_object(&checker, expected, members);
}

/* --- paths -------------------------------------------------------------------------------------------- */

static struct shape step_into(struct checker *checker,
                              struct shape shape,
                              struct scenario_path_step *step,
                              const struct scenario_place *place)
{
        const ProtobufCFieldDescriptor *field;

        if (shape.kind == ANY)
                return shape;
        if (!step->key && shape.kind == LIST)
                return *shape.element;
        if (step->key && shape.kind == MAP)
                return *shape.element;
        if (!step->key || shape.kind != MESSAGE) {
                if (step->key)
                        scenario_problems_add(checker->problems,
                                              place,
                                              "there are no fields where '%s' is looked for",
                                              step->key);
                else
                        scenario_problems_add(checker->problems,
                                              place,
                                              "there is no list where [%ld] is looked for",
                                              step->index);
                return any;
        }

        field = find_field(checker, shape.message, step->key);
        if (!field) {
                fail_unknown_field(checker, place, shape.message, step->key);
                return any;
        }
        step->key = json_name(checker, shape.message, field);
        return shape_of_field(checker, shape.message, field);
}

void scenario_shape_check_path(struct scenario_path *path,
                               const struct scenario_place *place,
                               const ProtobufCMessageDescriptor *response,
                               const struct pipit_schema *schema,
                               struct pipit_arena *arena,
                               struct scenario_problems *problems)
{
        struct checker checker = {.schema = schema, .arena = arena, .problems = problems};
        struct shape shape = shape_of_message(response);

        for (struct scenario_path_step *step = path->first; step; step = step->next)
                shape = step_into(&checker, shape, step, place);
}
