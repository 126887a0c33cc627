#include <math.h>
#include <string.h>

#include "core/base/macros.h"
#include "samples.h"
#include "samples.pb-c.h"

#define KNOWN "samples.v1.Known"
#define TYPE  "type.googleapis.com/"

static void a_timestamp_is_rfc_3339_in_utc(void **state)
{
        samples_round_trip(*state, KNOWN, "{\"timestamp\":\"1970-01-01T00:00:00Z\"}", NULL);
        samples_round_trip(*state, KNOWN, "{\"timestamp\":\"0001-01-01T00:00:00Z\"}", NULL);
        samples_round_trip(
                *state, KNOWN, "{\"timestamp\":\"9999-12-31T23:59:59.999999999Z\"}", NULL);
        samples_round_trip(*state,
                           KNOWN,
                           "{\"timestamp\":\"2026-03-01T00:30:00.5+01:00\"}",
                           "{\"timestamp\":\"2026-02-28T23:30:00.500Z\"}");
        samples_round_trip(
                *state, KNOWN, "{\"timestamps\":[\"2024-02-29T12:00:00.000001Z\"]}", NULL);
        samples_refused(*state,
                        KNOWN,
                        "{\"timestamp\":\"2026-02-29T00:00:00Z\"}",
                        "1:14: timestamp: \"2026-02-29T00:00:00Z\" must be a time as "
                        "2026-01-31T12:30:00Z (RFC 3339, year 0001 to 9999)");
        samples_refused(*state,
                        KNOWN,
                        "{\"timestamp\":5}",
                        "1:14: timestamp: 5 is not a string (google.protobuf.Timestamp)");
}

static void a_duration_is_seconds(void **state)
{
        samples_round_trip(*state, KNOWN, "{\"duration\":\"0s\"}", NULL);
        samples_round_trip(*state, KNOWN, "{\"duration\":\"-0.500s\"}", NULL);
        samples_round_trip(*state, KNOWN, "{\"duration\":\"315576000000s\"}", NULL);
        samples_round_trip(*state, KNOWN, "{\"duration\":\"1.5s\"}", "{\"duration\":\"1.500s\"}");
        samples_refused(*state,
                        KNOWN,
                        "{\"duration\":\"1m\"}",
                        "1:13: duration: \"1m\" must be seconds as \"1.5s\", at most 315576000000 "
                        "either way");
}

static void a_time_out_of_range_is_not_written(void **state)
{
        struct samples *samples = *state;
        Samples__V1__Known message = SAMPLES__V1__KNOWN__INIT;
        Google__Protobuf__Timestamp timestamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        struct pipit_error error = {0};
        char *text = NULL;

        timestamp.nanos = 1000000000;
        message.timestamp = &timestamp;
        assert_int_equal(
                pipit_json_write(&message.base, NULL, NULL, &samples->arena, &text, &error),
                PIPIT_INVALID_ARGUMENT);
        assert_string_equal(error.message, "google.protobuf.Timestamp is out of range");
        assert_null(text);
}

static void a_mask_is_one_string_of_camel_case_paths(void **state)
{
        struct samples *samples = *state;
        const Samples__V1__Known *message =
                samples_read(samples, KNOWN, "{\"mask\":\"userName,homeAddress.zipCode\"}");

        assert_int_equal(message->mask->n_paths, 2);
        assert_string_equal(message->mask->paths[0], "user_name");
        assert_string_equal(message->mask->paths[1], "home_address.zip_code");
        samples_round_trip(*state, KNOWN, "{\"mask\":\"userName,homeAddress.zipCode\"}", NULL);
        samples_round_trip(*state, KNOWN, "{\"mask\":\"\"}", NULL);
        samples_round_trip(*state, KNOWN, "{\"mask\":\"*\"}", NULL);
        samples_refused(*state,
                        KNOWN,
                        "{\"mask\":\"user_name\"}",
                        "1:9: mask: \"user_name\" must have its paths in lowerCamelCase, as "
                        "\"homeAddress.city\"");
        samples_refused(*state,
                        KNOWN,
                        "{\"mask\":\"a,,b\"}",
                        "1:9: mask: \"a,,b\" must be paths with commas between, as "
                        "\"name,homeAddress.city\"");
        samples_refused(*state,
                        KNOWN,
                        "{\"mask\":[\"a\"]}",
                        "1:9: mask: an array is not a string as \"name,homeAddress.city\" "
                        "(google.protobuf.FieldMask)");
}

static void any_json_is_a_value(void **state)
{
        samples_round_trip(*state, KNOWN, "{\"value\":null}", NULL);
        samples_round_trip(*state, KNOWN, "{\"value\":[1,\"a\",true,null,{},[[]]]}", NULL);
        samples_round_trip(*state, KNOWN, "{\"struct\":{\"a\":{\"b\":[{}]},\"c\":-0.5}}", NULL);
        samples_round_trip(*state, KNOWN, "{\"list\":[null,{\"x\":[]}]}", NULL);
        samples_round_trip(*state, KNOWN, "{\"values\":[null,1]}", NULL);
        samples_refused(
                *state, KNOWN, "{\"struct\":[]}", "1:11: struct: an array is not an object (map)");
}

static void a_value_that_json_cannot_hold_is_not_written(void **state)
{
        struct samples *samples = *state;
        Samples__V1__Known message = SAMPLES__V1__KNOWN__INIT;
        Google__Protobuf__Value value = GOOGLE__PROTOBUF__VALUE__INIT;
        struct pipit_error error = {0};
        char *text = NULL;

        message.value = &value;
        assert_int_equal(
                pipit_json_write(&message.base, NULL, NULL, &samples->arena, &text, &error),
                PIPIT_INVALID_ARGUMENT);
        assert_string_equal(error.message,
                            "google.protobuf.Value has no value, which JSON cannot say");

        value.kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
        value.number_value = NAN;
        assert_int_equal(
                pipit_json_write(&message.base, NULL, NULL, &samples->arena, &text, &error),
                PIPIT_INVALID_ARGUMENT);
        assert_string_equal(error.message,
                            "google.protobuf.Value is a number that JSON does not have");
}

static void wrappers_are_what_they_wrap(void **state)
{
        samples_round_trip(*state,
                           KNOWN,
                           "{\"boolValue\":false,\"int32Value\":0,\"int64Value\":\"-1\","
                           "\"uint32Value\":1,\"uint64Value\":\"18446744073709551615\","
                           "\"floatValue\":0.5,\"doubleValue\":\"NaN\",\"stringValue\":\"\","
                           "\"bytesValue\":\"YQ==\"}",
                           NULL);
        samples_round_trip(*state, KNOWN, "{\"int32Value\":null}", "{}");
        samples_refused(*state,
                        KNOWN,
                        "{\"uint32Value\":-1}",
                        "1:16: uint32Value: -1 is out of range (uint32: 0 to 4294967295)");
}

static void empty_and_null_value_come_back(void **state)
{
        samples_round_trip(*state, KNOWN, "{\"empty\":{}}", NULL);
        samples_round_trip(*state, KNOWN, "{\"nullValue\":null}", "{}");
        samples_round_trip(*state, KNOWN, "{\"nullValue\":\"NULL_VALUE\"}", "{}");
}

static void an_any_shows_its_message(void **state)
{
        samples_round_trip(*state,
                           KNOWN,
                           "{\"any\":{\"@type\":\"" TYPE "samples.v1.Scalars\",\"anInt32\":1,"
                           "\"aMessage\":{\"aString\":\"x\"}}}",
                           NULL);
        samples_round_trip(*state,
                           KNOWN,
                           "{\"any\":{\"anInt32\":1,\"@type\":\"" TYPE "samples.v1.Scalars\"}}",
                           "{\"any\":{\"@type\":\"" TYPE "samples.v1.Scalars\",\"anInt32\":1}}");
        samples_round_trip(*state, KNOWN, "{\"any\":{}}", NULL);
        samples_round_trip(
                *state, KNOWN, "{\"anys\":[{\"@type\":\"" TYPE "google.protobuf.Empty\"}]}", NULL);
}

static void an_any_of_a_type_with_its_own_form_has_it_as_value(void **state)
{
        samples_round_trip(*state,
                           KNOWN,
                           "{\"any\":{\"@type\":\"" TYPE
                           "google.protobuf.Duration\",\"value\":\"1s\"}}",
                           NULL);
        samples_round_trip(*state,
                           KNOWN,
                           "{\"any\":{\"@type\":\"" TYPE
                           "google.protobuf.Any\",\"value\":{\"@type\":\"" TYPE
                           "google.protobuf.Int32Value\",\"value\":3}}}",
                           NULL);
        samples_round_trip(*state,
                           KNOWN,
                           "{\"any\":{\"@type\":\"" TYPE "google.protobuf.Value\",\"value\":null}}",
                           NULL);
        samples_refused(*state,
                        KNOWN,
                        "{\"any\":{\"@type\":\"" TYPE "google.protobuf.Duration\",\"seconds\":1}}",
                        "1:8: any: an Any of google.protobuf.Duration is {\"@type\": ..., "
                        "\"value\": ...}");
}

static void an_any_of_an_unknown_type_keeps_its_bytes(void **state)
{
        struct samples *samples = *state;
        Samples__V1__Known message = SAMPLES__V1__KNOWN__INIT;
        Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
        char type[] = TYPE "some.Unknown";
        uint8_t bytes[] = {8, 1};

        any.type_url = type;
        any.value = (ProtobufCBinaryData){sizeof(bytes), bytes};
        message.any = &any;
        assert_string_equal(samples_write(samples, &message),
                            "{\"any\":{\"@type\":\"" TYPE "some.Unknown\",\"@value\":\"CAE=\"}}");
        samples_round_trip(*state,
                           KNOWN,
                           "{\"any\":{\"@type\":\"" TYPE "some.Unknown\",\"@value\":\"CAE=\"}}",
                           NULL);
        samples_refused(*state,
                        KNOWN,
                        "{\"any\":{\"@type\":\"" TYPE "some.Unknown\",\"x\":1}}",
                        "1:17: any.@type: \"" TYPE "some.Unknown\" is of a type that is not in the "
                        "schema");
}

static void an_any_with_malformed_bytes_keeps_them(void **state)
{
        struct samples *samples = *state;
        Samples__V1__Known message = SAMPLES__V1__KNOWN__INIT;
        Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
        char type[] = TYPE "samples.v1.Scalars";
        uint8_t bytes[] = {0xff};

        any.type_url = type;
        any.value = (ProtobufCBinaryData){sizeof(bytes), bytes};
        message.any = &any;
        assert_string_equal(samples_write(samples, &message),
                            "{\"any\":{\"@type\":\"" TYPE
                            "samples.v1.Scalars\",\"@value\":\"/w==\"}}");
}

static void an_any_without_a_usable_type_is_refused(void **state)
{
        samples_refused(*state,
                        KNOWN,
                        "{\"any\":{\"value\":1}}",
                        "1:8: any: an Any needs \"@type\", as \"type.googleapis.com/NAME\"");
        samples_refused(*state,
                        KNOWN,
                        "{\"any\":{\"@type\":\"samples.v1.Scalars\"}}",
                        "1:17: any.@type: \"samples.v1.Scalars\" is not a type URL; write "
                        "type.googleapis.com/samples.v1.Scalars");
        samples_refused(*state,
                        KNOWN,
                        "{\"any\":{\"@type\":\"" TYPE "samples.v1.Scalars\",\"anInt32\":\"x\"}}",
                        "1:68: any.anInt32: \"x\" is not a number (int32)");
}

/* A server's Any of 1,000 levels is shown as bytes; one's own JSON of 101 is refused. */
static void nesting_is_limited(void **state)
{
        char json[1024] = "{\"value\":", *end = json + strlen(json);

        memset(end, '[', 200);
        end[200] = '\0';
        samples_refused(*state, KNOWN, json, "1:109: nested more than 100 levels deep");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, samples_reset)
                TEST(a_timestamp_is_rfc_3339_in_utc),
                TEST(a_duration_is_seconds),
                TEST(a_time_out_of_range_is_not_written),
                TEST(a_mask_is_one_string_of_camel_case_paths),
                TEST(any_json_is_a_value),
                TEST(a_value_that_json_cannot_hold_is_not_written),
                TEST(wrappers_are_what_they_wrap),
                TEST(empty_and_null_value_come_back),
                TEST(an_any_shows_its_message),
                TEST(an_any_of_a_type_with_its_own_form_has_it_as_value),
                TEST(an_any_of_an_unknown_type_keeps_its_bytes),
                TEST(an_any_with_malformed_bytes_keeps_them),
                TEST(an_any_without_a_usable_type_is_refused),
                TEST(nesting_is_limited),
#undef TEST
        };

        return cmocka_run_group_tests(tests, samples_setup, samples_teardown);
}
