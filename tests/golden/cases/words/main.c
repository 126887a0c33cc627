/* What the generated tables say, and how they are searched. */

#include <stdio.h>
#include <string.h>

#include "static/v1/words.pb-c.h"

int main(void)
{
        static const char *const names[] = {"base", "export", "Export2", "requires", "delete", "int", "errno",
                                            "union", "class", "st_mtime", "concept", "linux", "nullptr", "default"};
        static const char *const not_names[] = {"base_", "export_", "requires_", "errno_", "linux_", "delete_"};
        const ProtobufCMessageDescriptor *descriptor = &static__v1__struct__descriptor;
        Static__V1__Struct words = STATIC__V1__STRUCT__INIT;
        Static__V1__Struct *copy;
        uint8_t bytes[64];
        size_t n_bytes;

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                const ProtobufCFieldDescriptor *field =
                        protobuf_c_message_descriptor_get_field_by_name(descriptor, names[i]);

                if (!field || field->id != i + 1 || strcmp(field->name, names[i]) != 0)
                        return printf("%s is not found\n", names[i]), 1;
        }
        for (size_t i = 0; i < sizeof(not_names) / sizeof(not_names[0]); i++)
                if (protobuf_c_message_descriptor_get_field_by_name(descriptor, not_names[i]))
                        return printf("%s is found\n", not_names[i]), 1;

        words.base_ = (char *)"a";
        words.concept_ = 7;
        words.switch_case = STATIC__V1__STRUCT__SWITCH_LINUX_;
        words.linux_.data = (uint8_t *)"b";
        words.linux_.len = 1;
        n_bytes = static__v1__struct__pack(&words, bytes);
        copy = static__v1__struct__unpack(NULL, n_bytes, bytes);
        if (!copy || strcmp(copy->base_, "a") != 0 || copy->concept_ != 7 || copy->linux_.data[0] != 'b')
                return printf("not what was packed\n"), 1;
        static__v1__struct__free_unpacked(copy, NULL);

        return 0;
}
