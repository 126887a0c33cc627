#include <stdio.h>

#include "core/base/macros.h"
#include "samples.h"
#include "samples.pb-c.h"

#define MAPS "samples.v1.Maps"

static void every_map_comes_back(void **state)
{
        samples_round_trip(*state,
                           MAPS,
                           "{\"strings\":{\"\":\"\",\"a\\\"\":\"b\"},\"numbers\":{\"-1\":\"2\"},"
                           "\"flags\":{\"true\":false,\"false\":true},"
                           "\"messages\":{\"18446744073709551615\":{\"anInt32\":1},\"1\":{}},"
                           "\"colors\":{\"a\":\"COLOR_RED\"},\"blobsById\":{\"-5\":\"YQ==\"},"
                           "\"values\":{\"n\":null,\"o\":{\"x\":[1]}}}",
                           NULL);
}

static void a_map_entry_without_key_or_value_has_their_defaults(void **state)
{
        struct samples *samples = *state;
        Samples__V1__Maps__MessagesEntry entry = SAMPLES__V1__MAPS__MESSAGES_ENTRY__INIT;
        Samples__V1__Maps__MessagesEntry *entries[] = {&entry};
        Samples__V1__Maps maps = SAMPLES__V1__MAPS__INIT;

        maps.n_messages = 1;
        maps.messages = entries;
        assert_string_equal(samples_write(samples, &maps), "{\"messages\":{\"0\":{}}}");
}

static void a_key_twice_on_the_wire_is_written_once_as_it_came_last(void **state)
{
        struct samples *samples = *state;
        Samples__V1__Maps__MessagesEntry entry = SAMPLES__V1__MAPS__MESSAGES_ENTRY__INIT;
        Samples__V1__Maps__MessagesEntry last = SAMPLES__V1__MAPS__MESSAGES_ENTRY__INIT;
        Samples__V1__Maps__MessagesEntry other = SAMPLES__V1__MAPS__MESSAGES_ENTRY__INIT;
        Samples__V1__Maps__MessagesEntry *entries[] = {&entry, &other, &entry, &last};
        Samples__V1__Scalars scalars = SAMPLES__V1__SCALARS__INIT;
        Samples__V1__Maps maps = SAMPLES__V1__MAPS__INIT;

        scalars.an_int32 = 1;
        last.value = &scalars;
        other.key = 2;
        maps.n_messages = PIPIT_N_ELEMENTS(entries);
        maps.messages = entries;
        assert_string_equal(samples_write(samples, &maps),
                            "{\"messages\":{\"2\":{},\"0\":{\"anInt32\":1}}}");
}

static void what_only_looks_like_a_map_is_an_array(void **state)
{
        samples_round_trip(*state, MAPS, "{\"notAMap\":[{\"key\":\"a\",\"value\":\"b\"}]}", NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(every_map_comes_back, samples_reset),
                cmocka_unit_test_setup(a_map_entry_without_key_or_value_has_their_defaults,
                                       samples_reset),
                cmocka_unit_test_setup(a_key_twice_on_the_wire_is_written_once_as_it_came_last,
                                       samples_reset),
                cmocka_unit_test_setup(what_only_looks_like_a_map_is_an_array, samples_reset),
        };

        return cmocka_run_group_tests(tests, samples_setup, samples_teardown);
}
