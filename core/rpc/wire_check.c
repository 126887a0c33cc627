#include "core/rpc/wire_check.h"

#include <limits.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/macros.h"
#include "core/base/utf8.h"
#include "core/rpc/wire_limits.h"
#include "core/rpc/wire_read.h"

#define REQUIRED_BITS_FREE 128 /* protobuf-c allocates its bitmap of required fields past this */

/*
 * What protobuf-c keeps of each member while it scans a message, in slabs: the
 * first, of 16, on its stack, each further one twice as large and allocated.
 */
struct scanned_member {
        uint32_t number;
        uint8_t wire_type;
        uint8_t n_length_bytes;
        const void *field;
        size_t n_bytes;
        const uint8_t *bytes;
};

#define FIRST_SLAB_MEMBERS 16
#define N_SLABS_MAX        22

/*
 * Which singular fields a message had, by their place in its C struct: members
 * of a oneof share theirs. A window of the struct at a time, since structs have
 * any size and this has not; see check_windows().
 */
#define PRESENCE_UNIT_BYTES   4 /* no field is smaller */
#define PRESENCE_WINDOW_BYTES 1024
#define PRESENCE_WORDS        (PRESENCE_WINDOW_BYTES / PRESENCE_UNIT_BYTES / 64)

struct presence {
        size_t window; /* offset in the struct */
        uint64_t seen[PRESENCE_WORDS];
        uint64_t seen_message[PRESENCE_WORDS];
};

struct level {
        const ProtobufCMessageDescriptor *descriptor;
        const ProtobufCFieldDescriptor *around; /* the field it is the value of */
        const uint8_t *begin;
        const uint8_t *end;
        const ProtobufCFieldDescriptor *last_field;
        const ProtobufCFieldDescriptor *last_repeated;
        size_t n_members;
        size_t slabs_full_at;
        uint32_t n_slabs;
        uint32_t n_unknown;
        uint32_t n_arrays;
        struct presence presence;
};

struct walk {
        const struct pipit_wire_limits *limits;
        const uint8_t *at;
        const ProtobufCFieldDescriptor *field; /* of the member at hand */
        size_t decoded_bytes;
        uint32_t n_levels_max;
        uint32_t n_levels;
        struct level levels[PIPIT_NESTING_MAX];
};

const struct pipit_wire_limits pipit_wire_limits_default = {
        .decoded_bytes_max = PIPIT_DECODED_BYTES_MAX,
        .nesting_max = PIPIT_NESTING_MAX,
        .unknown_fields_max = PIPIT_UNKNOWN_FIELDS_MAX,
};

/* Here and below: NULL when all is well, else the problem, with walk->at where it lies. */
static const char *charge(struct walk *walk, size_t n_bytes)
{
        if (n_bytes > walk->limits->decoded_bytes_max - walk->decoded_bytes)
                return "too large when decoded";

        walk->decoded_bytes += n_bytes;

        return NULL;
}

/* As the arena rounds it. */
static const char *charge_allocation(struct walk *walk, size_t n_bytes)
{
        return charge(walk, (n_bytes + PIPIT_ARENA_ALIGN - 1) & ~(size_t)(PIPIT_ARENA_ALIGN - 1));
}

static const char *charge_member(struct walk *walk, struct level *level)
{
        const char *problem;
        size_t n_slab_members;

        if (PIPIT_LIKELY(level->n_members++ < level->slabs_full_at))
                return NULL;
        if (level->n_slabs == N_SLABS_MAX)
                return "too many members";

        n_slab_members = (size_t)FIRST_SLAB_MEMBERS << ++level->n_slabs;
        problem = charge_allocation(walk, n_slab_members * sizeof(struct scanned_member));
        level->slabs_full_at += n_slab_members;

        return problem;
}

static size_t element_bytes(ProtobufCType type)
{
        switch (type) {
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_SINT32:
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_SFIXED32:
        case PROTOBUF_C_TYPE_FIXED32:
        case PROTOBUF_C_TYPE_FLOAT:
        case PROTOBUF_C_TYPE_ENUM:
                return 4;
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_SFIXED64:
        case PROTOBUF_C_TYPE_FIXED64:
        case PROTOBUF_C_TYPE_DOUBLE:
                return 8;
        case PROTOBUF_C_TYPE_BOOL:
                return sizeof(protobuf_c_boolean);
        case PROTOBUF_C_TYPE_BYTES:
                return sizeof(ProtobufCBinaryData);
        case PROTOBUF_C_TYPE_STRING:
        case PROTOBUF_C_TYPE_MESSAGE:
                break;
        }

        return sizeof(void *);
}

/*
 * protobuf-c makes one array a field, when it knows the count. Its elements are
 * charged as they come, its rounding at each change of field, which there may be
 * more of than fields.
 */
static const char *charge_elements(struct walk *walk, struct level *level, size_t n_elements)
{
        const ProtobufCFieldDescriptor *field = walk->field;
        size_t n_bytes = n_elements * element_bytes(field->type);

        if (level->last_repeated != field) {
                level->last_repeated = field;
                if (level->n_arrays < level->descriptor->n_fields) {
                        level->n_arrays++;
                        n_bytes += PIPIT_ARENA_ALIGN - 1;
                }
        }

        return charge(walk, n_bytes);
}

static bool presence_find(const struct presence *presence,
                          const ProtobufCFieldDescriptor *field,
                          size_t *ret_word,
                          uint64_t *ret_bit)
{
        size_t unit = (field->offset - presence->window) / PRESENCE_UNIT_BYTES;

        if (field->offset < presence->window || unit >= (size_t)PRESENCE_WORDS * 64)
                return false;

        *ret_word = unit / 64;
        *ret_bit = UINT64_C(1) << (unit % 64);

        return true;
}

/*
 * protobuf-c merges a singular sub-message into the one before it, in quadratic
 * time. What a oneof held before is thrown away; with a message on either side
 * that is refused as well, since implementations differ in what is left of it.
 */
static const char *presence_add(struct presence *presence, const ProtobufCFieldDescriptor *field)
{
        bool is_message = field->type == PROTOBUF_C_TYPE_MESSAGE;
        uint64_t bit;
        size_t word;

        if (!presence_find(presence, field, &word, &bit))
                return NULL;

        if ((presence->seen[word] & bit) && (is_message || (presence->seen_message[word] & bit)))
                return "singular sub-message twice";

        presence->seen[word] |= bit;
        if (is_message)
                presence->seen_message[word] |= bit;

        return NULL;
}

static const char *presence_check_required(struct walk *walk,
                                           const struct presence *presence,
                                           const ProtobufCMessageDescriptor *descriptor)
{
        for (unsigned int i = 0; i < descriptor->n_fields; i++) {
                const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
                uint64_t bit;
                size_t word;

                if (field->label != PROTOBUF_C_LABEL_REQUIRED || field->default_value)
                        continue;
                if (presence_find(presence, field, &word, &bit) && !(presence->seen[word] & bit)) {
                        walk->field = field;
                        return "required field missing";
                }
        }

        return NULL;
}

static const ProtobufCFieldDescriptor *find_field(struct level *level, uint32_t number)
{
        const ProtobufCMessageDescriptor *descriptor = level->descriptor;
        const ProtobufCFieldDescriptor *field = level->last_field;

        if (field && field->id == number)
                return field;

        /* Packers write in order of number, so the next is a good guess. */
        if (descriptor->n_fields == 0)
                return NULL;
        field = field ? field + 1 : descriptor->fields;
        if (field >= descriptor->fields + descriptor->n_fields || field->id != number)
                field = protobuf_c_message_descriptor_get_field(descriptor, number);
        if (field)
                level->last_field = field;

        return field;
}

/* The members of a level are known to be well-formed; once more for each further window. */
static const char *check_window(struct walk *walk, struct level *level, size_t window)
{
        struct presence presence = {.window = window};
        const char *problem = NULL;

        walk->at = level->begin;
        while (walk->at < level->end) {
                const uint8_t *start = walk->at;
                uint8_t wire_type = 0;
                uint32_t number = 0;

                problem = pipit_wire_read_tag(&walk->at, level->end, &number, &wire_type);
                if (!problem)
                        problem = pipit_wire_skip_value(&walk->at, level->end, wire_type);
                if (problem)
                        return problem;

                walk->field = find_field(level, number);
                if (walk->field && walk->field->label != PROTOBUF_C_LABEL_REPEATED)
                        problem = presence_add(&presence, walk->field);
                if (problem) {
                        walk->at = start;
                        return problem;
                }
        }

        return presence_check_required(walk, &presence, level->descriptor);
}

static const char *level_enter(struct walk *walk,
                               const ProtobufCMessageDescriptor *descriptor,
                               const ProtobufCFieldDescriptor *around,
                               size_t n_bytes)
{
        const char *problem;
        struct level *level;

        if (walk->n_levels == walk->n_levels_max)
                return "nested too deep";

        level = &walk->levels[walk->n_levels++];
        *level = (struct level){
                .descriptor = descriptor,
                .around = around,
                .begin = walk->at,
                .end = walk->at + n_bytes,
                .slabs_full_at = FIRST_SLAB_MEMBERS,
        };

        problem = charge_allocation(walk, descriptor->sizeof_message);
        if (!problem && descriptor->n_fields > REQUIRED_BITS_FREE)
                problem = charge_allocation(walk, (descriptor->n_fields + 7) / 8);

        return problem;
}

static const char *level_leave(struct walk *walk, struct level *level)
{
        const char *problem;

        walk->field = NULL;
        problem = presence_check_required(walk, &level->presence, level->descriptor);
        for (size_t window = PRESENCE_WINDOW_BYTES;
             !problem && window < level->descriptor->sizeof_message;
             window += PRESENCE_WINDOW_BYTES)
                problem = check_window(walk, level, window);
        if (!problem)
                walk->n_levels--;

        return problem;
}

static const char *check_unknown(struct walk *walk, struct level *level, uint8_t wire_type)
{
        const uint8_t *start = walk->at;
        const char *problem;

        if (level->n_unknown++ >= walk->limits->unknown_fields_max)
                return "too many unknown fields";

        problem = pipit_wire_skip_value(&walk->at, level->end, wire_type);
        if (!problem)
                problem = charge_allocation(walk, (size_t)(walk->at - start));
        if (!problem)
                problem = charge(walk,
                                 sizeof(ProtobufCMessageUnknownField) +
                                         (level->n_unknown == 1 ? PIPIT_ARENA_ALIGN - 1 : 0));

        return problem;
}

static uint8_t wire_type_of(ProtobufCType type)
{
        switch (type) {
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_SINT32:
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_ENUM:
        case PROTOBUF_C_TYPE_BOOL:
                return PROTOBUF_C_WIRE_TYPE_VARINT;
        case PROTOBUF_C_TYPE_SFIXED32:
        case PROTOBUF_C_TYPE_FIXED32:
        case PROTOBUF_C_TYPE_FLOAT:
                return PROTOBUF_C_WIRE_TYPE_32BIT;
        case PROTOBUF_C_TYPE_SFIXED64:
        case PROTOBUF_C_TYPE_FIXED64:
        case PROTOBUF_C_TYPE_DOUBLE:
                return PROTOBUF_C_WIRE_TYPE_64BIT;
        case PROTOBUF_C_TYPE_STRING:
        case PROTOBUF_C_TYPE_BYTES:
        case PROTOBUF_C_TYPE_MESSAGE:
                break;
        }

        return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
}

static const char *check_string(struct walk *walk, size_t length)
{
        const uint8_t *string = walk->at;

        if (memchr(string, '\0', length))
                return "NUL in a string";
        if (!pipit_utf8_check(string, length, NULL))
                return "string that is not UTF-8";

        walk->at += length;

        return charge_allocation(walk, length + 1);
}

static const char *check_bytes(struct walk *walk, size_t length)
{
        walk->at += length;

        return charge_allocation(walk, length);
}

static const char *check_packed_varints(struct walk *walk, struct level *level, size_t length)
{
        const uint8_t *end = walk->at + length;
        size_t n_elements = 0;

        while (walk->at < end) {
                uint64_t number;
                const char *problem = pipit_wire_read_varint(&walk->at, end, &number);

                if (problem)
                        return problem;
                n_elements++;
        }
        /* protobuf-c makes room for a bool a byte. */
        if (walk->field->type == PROTOBUF_C_TYPE_BOOL)
                n_elements = length;

        return charge_elements(walk, level, n_elements);
}

static const char *check_packed(struct walk *walk, struct level *level)
{
        size_t n_element_bytes = element_bytes(walk->field->type);
        const char *problem;
        size_t length = 0;

        problem = pipit_wire_read_length(&walk->at, level->end, &length);
        if (problem)
                return problem;
        if (wire_type_of(walk->field->type) == PROTOBUF_C_WIRE_TYPE_VARINT)
                return check_packed_varints(walk, level, length);
        if (length % n_element_bytes != 0)
                return "packed length that is no multiple of its elements";

        walk->at += length;

        return charge_elements(walk, level, length / n_element_bytes);
}

static const char *check_delimited(struct walk *walk, struct level *level)
{
        const ProtobufCFieldDescriptor *field = walk->field;
        const char *problem;
        size_t length = 0;

        problem = pipit_wire_read_length(&walk->at, level->end, &length);
        if (problem)
                return problem;

        switch (field->type) {
        case PROTOBUF_C_TYPE_STRING:
                return check_string(walk, length);
        case PROTOBUF_C_TYPE_BYTES:
                return check_bytes(walk, length);
        default:
                return level_enter(walk, field->descriptor, field, length);
        }
}

static const char *check_known(struct walk *walk, struct level *level, uint8_t wire_type)
{
        const ProtobufCFieldDescriptor *field = walk->field;
        uint8_t expected = wire_type_of(field->type);
        bool is_repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
        const char *problem;

        if (wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED && is_repeated &&
            expected != wire_type)
                return check_packed(walk, level);
        if (wire_type != expected)
                return "wrong wire type";

        problem = is_repeated ? charge_elements(walk, level, 1)
                              : presence_add(&level->presence, field);
        if (problem)
                return problem;

        return expected == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED
                       ? check_delimited(walk, level)
                       : pipit_wire_skip_value(&walk->at, level->end, wire_type);
}

static const char *check_member(struct walk *walk, struct level *level)
{
        const char *problem;
        uint8_t wire_type = 0;
        uint32_t number = 0;

        walk->field = NULL;
        problem = pipit_wire_read_tag(&walk->at, level->end, &number, &wire_type);
        if (problem)
                return problem;
        walk->field = find_field(level, number);
        problem = charge_member(walk, level);
        if (problem)
                return problem;

        return walk->field ? check_known(walk, level, wire_type)
                           : check_unknown(walk, level, wire_type);
}

static const char *walk_all(struct walk *walk,
                            const ProtobufCMessageDescriptor *descriptor,
                            size_t n_bytes)
{
        const char *problem;

        /* protobuf-c counts in int */
        if (n_bytes > INT_MAX)
                return "too large";

        problem = level_enter(walk, descriptor, NULL, n_bytes);
        while (!problem && walk->n_levels > 0) {
                struct level *level = &walk->levels[walk->n_levels - 1];

                problem = walk->at < level->end ? check_member(walk, level)
                                                : level_leave(walk, level);
        }

        return problem;
}

bool pipit_wire_check(const ProtobufCMessageDescriptor *descriptor,
                      const uint8_t *bytes,
                      size_t n_bytes,
                      const struct pipit_wire_limits *limits,
                      struct pipit_wire_report *ret_report)
{
        static const uint8_t no_bytes[1];
        const char *problem;
        struct walk walk;

        walk.limits = limits;
        walk.at = bytes ? bytes : no_bytes;
        walk.field = NULL;
        walk.decoded_bytes = 0;
        walk.n_levels = 0;
        walk.n_levels_max =
                limits->nesting_max < PIPIT_NESTING_MAX ? limits->nesting_max : PIPIT_NESTING_MAX;
        bytes = walk.at;

        problem = walk_all(&walk, descriptor, n_bytes);
        *ret_report = (struct pipit_wire_report){
                .problem = problem,
                .decoded_bytes = walk.decoded_bytes,
        };
        if (!problem)
                return true;

        ret_report->offset = (size_t)(walk.at - bytes);
        ret_report->field = walk.field;
        if (!ret_report->field && walk.n_levels > 0)
                ret_report->field = walk.levels[walk.n_levels - 1].around;

        return false;
}
