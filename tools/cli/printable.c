#include "tools/cli/printable.h"

#include <string.h>

#include "core/json/field.h"

static void clean(char *text)
{
        for (unsigned char *byte = (unsigned char *)text; byte && *byte; byte++) {
                if ((*byte < 0x20 && *byte != '\t' && *byte != '\n') || *byte == 0x7f) {
                        *byte = '?';
                } else if (*byte == 0xc2 && byte[1] >= 0x80 && byte[1] < 0xa0) {
                        /* U+0080 to U+009f: one character, two bytes */
                        byte[0] = '?';
                        byte[1] = '?';
                }
        }
}

static void clean_single(const ProtobufCFieldDescriptor *field, void *member)
{
        if (field->type == PROTOBUF_C_TYPE_STRING)
                clean(*(char **)member);
        else if (*(ProtobufCMessage **)member)
                cli_make_printable(*(ProtobufCMessage **)member);
}

static void clean_field(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
        void *member = pipit_field_member(message, field);

        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
                if (pipit_field_is_set(message, field))
                        clean_single(field, member);
                return;
        }

        void **elements = *(void ***)member;

        for (size_t i = 0; i < *pipit_field_count(message, field); i++)
                clean_single(field, &elements[i]);
}

void cli_make_printable(ProtobufCMessage *message)
{
        for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
                const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];

                if ((field->type == PROTOBUF_C_TYPE_STRING ||
                     field->type == PROTOBUF_C_TYPE_MESSAGE) &&
                    strcmp(field->name, "default_value") != 0)
                        clean_field(message, field);
        }
}
