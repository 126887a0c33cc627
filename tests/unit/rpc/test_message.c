#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/rpc/message.h"
#include "tests/unit/rpc/random_message.h"
#include "tests/unit/rpc/samples.pb-c.h"

static void a_message_comes_back_from_its_bytes(void **state)
{
        struct random_source source = {.state = 41};
        struct pipit_arena arena = {0};

        (void)state;
        for (size_t i = 0; i < 200; i++) {
                ProtobufCMessage *message =
                        random_message(&source, &arena, &samples__tree__descriptor, 3);
                size_t n_bytes = protobuf_c_message_get_packed_size(message);
                uint8_t *bytes = pipit_arena_alloc(&arena, n_bytes);
                uint8_t *again = pipit_arena_alloc(&arena, n_bytes);
                ProtobufCMessage *unpacked;

                protobuf_c_message_pack(message, bytes);
                unpacked = pipit_message_unpack(message->descriptor, &arena, bytes, n_bytes);
                assert_non_null(unpacked);
                assert_int_equal(protobuf_c_message_get_packed_size(unpacked), n_bytes);
                protobuf_c_message_pack(unpacked, again);
                assert_memory_equal(bytes, again, n_bytes);
                pipit_arena_reset(&arena);
        }
        pipit_arena_deinit(&arena);
}

static void unpacking_past_the_cap_is_null(void **state)
{
        struct pipit_arena arena = {.cap_bytes = 64};

        (void)state;
        assert_null(pipit_message_unpack(
                &samples__scalars__descriptor, &arena, (const uint8_t *)"\x7a\1a", 3));
        pipit_arena_deinit(&arena);
}

static char good[] = "good €";
static char bad[] = "bad \xff";

static void a_bad_string_is_found_in_any_field(void **state)
{
        Samples__Scalars scalars = SAMPLES__SCALARS__INIT;
        const ProtobufCFieldDescriptor *field;

        (void)state;
        assert_null(pipit_message_bad_string(&scalars.base));
        scalars.a_string = good;
        scalars.some_bytes = (ProtobufCBinaryData){5, (uint8_t *)bad};
        assert_null(pipit_message_bad_string(&scalars.base));
        scalars.a_string = bad;
        field = pipit_message_bad_string(&scalars.base);
        assert_string_equal(field->name, "a_string");
        scalars.a_string = NULL;
        assert_null(pipit_message_bad_string(&scalars.base));
}

static void a_bad_string_is_found_in_lists_maps_and_depths(void **state)
{
        Samples__Scalars scalars = SAMPLES__SCALARS__INIT;
        Samples__Scalars *many[] = {NULL, &scalars};
        Samples__Lists__ByNameEntry entry = SAMPLES__LISTS__BY_NAME_ENTRY__INIT;
        Samples__Lists__ByNameEntry *entries[] = {&entry};
        Samples__Lists lists = SAMPLES__LISTS__INIT;
        Samples__Tree inner = SAMPLES__TREE__INIT;
        Samples__Tree outer = SAMPLES__TREE__INIT;
        char *strings[] = {good, good, bad};

        (void)state;
        outer.left = &inner;
        inner.lists = &lists;
        lists.strings = strings;
        lists.n_strings = 2;
        lists.scalars = many;
        lists.n_scalars = 2;
        lists.by_name = entries;
        lists.n_by_name = 1;
        entry.key = good;
        assert_null(pipit_message_bad_string(&outer.base));

        lists.n_strings = 3;
        assert_string_equal(pipit_message_bad_string(&outer.base)->name, "strings");
        lists.n_strings = 0;
        scalars.a_string = bad;
        assert_string_equal(pipit_message_bad_string(&outer.base)->name, "a_string");
        scalars.a_string = good;
        entry.key = bad;
        assert_string_equal(pipit_message_bad_string(&outer.base)->name, "key");
}

static void of_a_oneof_only_what_is_set_is_looked_at(void **state)
{
        Samples__Choice choice = SAMPLES__CHOICE__INIT;

        (void)state;
        choice.choice_case = SAMPLES__CHOICE__CHOICE_NUMBER;
        memset(&choice.number, 0xff, sizeof(choice.number));
        assert_null(pipit_message_bad_string(&choice.base));
        choice.choice_case = SAMPLES__CHOICE__CHOICE_TEXT;
        choice.text = bad;
        assert_string_equal(pipit_message_bad_string(&choice.base)->name, "text");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_message_comes_back_from_its_bytes),
                cmocka_unit_test(unpacking_past_the_cap_is_null),
                cmocka_unit_test(a_bad_string_is_found_in_any_field),
                cmocka_unit_test(a_bad_string_is_found_in_lists_maps_and_depths),
                cmocka_unit_test(of_a_oneof_only_what_is_set_is_looked_at),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
