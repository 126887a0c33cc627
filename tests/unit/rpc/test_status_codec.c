#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/rpc/message.h"
#include "core/rpc/status_codec.h"
#include "google/rpc/error_details.pb-c.h"
#include "tests/unit/rpc/random_message.h"

static const struct pipit_violation violations[] = {
        {"user.email", "a valid address"},
        {"user.name", "1 to 50 characters"},
};

static const struct pipit_error full = {
        .status = PIPIT_INVALID_ARGUMENT,
        .ran = PIPIT_NOT_RUN,
        .retry_after_ms = 61007,
        .reason = "FIELD_INVALID",
        .domain = "users.v1",
        .message = "2 fields are invalid",
        .violations = violations,
        .n_violations = 2,
};

/* By way of the bytes. */
static struct pipit_error there_and_back(const struct pipit_error *error, struct pipit_arena *arena)
{
        Google__Rpc__Status *status = pipit_status_encode(error, arena);
        size_t n_bytes = protobuf_c_message_get_packed_size(&status->base);
        uint8_t *bytes = pipit_arena_alloc(arena, n_bytes);
        struct pipit_error decoded;

        protobuf_c_message_pack(&status->base, bytes);
        status = (Google__Rpc__Status *)pipit_message_unpack(
                &google__rpc__status__descriptor, arena, bytes, n_bytes);
        assert_non_null(status);
        pipit_status_decode(status, arena, &decoded);

        return decoded;
}

static void every_field_of_an_error_comes_back(void **state)
{
        struct pipit_arena arena = {0};
        struct pipit_error error = there_and_back(&full, &arena);

        (void)state;
        assert_int_equal(error.status, full.status);
        assert_int_equal(error.ran, full.ran);
        assert_int_equal(error.origin, PIPIT_ORIGIN_SERVER);
        assert_int_equal(error.retry_after_ms, full.retry_after_ms);
        assert_string_equal(error.reason, full.reason);
        assert_string_equal(error.domain, full.domain);
        assert_string_equal(error.message, full.message);
        assert_int_equal(error.n_violations, 2);
        for (size_t i = 0; i < 2; i++) {
                assert_string_equal(error.violations[i].field, violations[i].field);
                assert_string_equal(error.violations[i].description, violations[i].description);
        }
        pipit_arena_deinit(&arena);
}

static void an_error_of_a_status_alone_comes_back_as_that(void **state)
{
        struct pipit_arena arena = {0};

        (void)state;
        for (int status = 1; status <= PIPIT_STATUS_MAX; status++) {
                for (int ran = PIPIT_NOT_RUN; ran <= PIPIT_RAN; ran++) {
                        struct pipit_error made = {.status = (enum pipit_status)status,
                                                   .ran = (enum pipit_ran)ran};
                        struct pipit_error error = there_and_back(&made, &arena);

                        assert_int_equal(error.status, status);
                        assert_int_equal(error.ran, ran);
                        assert_int_equal(error.retry_after_ms, 0);
                        assert_null(error.reason);
                        assert_string_equal(error.domain, PIPIT_ERROR_DOMAIN);
                        assert_null(error.message);
                        assert_int_equal(error.n_violations, 0);
                }
        }
        pipit_arena_deinit(&arena);
}

static void the_details_are_those_that_are_needed(void **state)
{
        struct pipit_arena arena = {0};
        struct pipit_error error = {.status = PIPIT_ABORTED};
        Google__Rpc__Status *status = pipit_status_encode(&error, &arena);

        (void)state;
        assert_int_equal(status->n_details, 1);
        assert_string_equal(status->details[0]->type_url,
                            "type.googleapis.com/google.rpc.ErrorInfo");
        status = pipit_status_encode(&full, &arena);
        assert_int_equal(status->n_details, 3);
        assert_string_equal(status->details[1]->type_url,
                            "type.googleapis.com/google.rpc.BadRequest");
        assert_string_equal(status->details[2]->type_url,
                            "type.googleapis.com/google.rpc.RetryInfo");
        pipit_arena_deinit(&arena);
}

static void strings_that_are_not_utf8_are_sent_as_utf8(void **state)
{
        const struct pipit_violation violation = {"a\xff", "\xc3"};
        const struct pipit_error made = {
                .status = PIPIT_INTERNAL,
                .reason = "R\x80",
                .message = "é \xe2\x82 x",
                .violations = &violation,
                .n_violations = 1,
        };
        struct pipit_arena arena = {0};
        struct pipit_error error = there_and_back(&made, &arena);

        (void)state;
        assert_string_equal(error.reason, "R\xef\xbf\xbd");
        assert_string_equal(error.message, "é \xef\xbf\xbd\xef\xbf\xbd x");
        assert_string_equal(error.violations[0].field, "a\xef\xbf\xbd");
        assert_string_equal(error.violations[0].description, "\xef\xbf\xbd");
        pipit_arena_deinit(&arena);
}

static void a_status_without_details_ran(void **state)
{
        Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
        struct pipit_arena arena = {0};
        struct pipit_error error;
        char message[] = "said so";

        (void)state;
        status.code = PIPIT_NOT_FOUND;
        status.message = message;
        pipit_status_decode(&status, &arena, &error);
        assert_int_equal(error.status, PIPIT_NOT_FOUND);
        assert_int_equal(error.ran, PIPIT_RAN);
        assert_string_equal(error.message, "said so");
        assert_ptr_not_equal(error.message, message);
        assert_null(error.reason);
        assert_null(error.domain);
        pipit_arena_deinit(&arena);
}

static void a_code_that_is_no_status_is_unknown(void **state)
{
        static const int32_t codes[] = {17, -1, INT32_MAX, INT32_MIN};
        struct pipit_arena arena = {0};

        (void)state;
        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
                Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
                struct pipit_error error;

                status.code = codes[i];
                pipit_status_decode(&status, &arena, &error);
                assert_int_equal(error.status, PIPIT_UNKNOWN);
        }
        pipit_arena_deinit(&arena);
}

/* A Status of one detail of @type_url. */
static struct pipit_error decode_detail(struct pipit_arena *arena,
                                        const char *type_url,
                                        const ProtobufCMessage *detail)
{
        Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
        Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
        Google__Protobuf__Any *details[] = {&any};
        uint8_t bytes[256];
        struct pipit_error error;

        assert_true(protobuf_c_message_get_packed_size(detail) <= sizeof(bytes));
        any.type_url = pipit_arena_strdup(arena, type_url);
        any.value.len = protobuf_c_message_pack(detail, bytes);
        any.value.data = bytes;
        status.code = PIPIT_UNAVAILABLE;
        status.n_details = 1;
        status.details = details;
        pipit_status_decode(&status, arena, &error);

        return error;
}

static void details_of_other_types_are_passed_over(void **state)
{
        static const char *const urls[] = {
                "", "google.rpc.RetryInfo", "type.googleapis.com/google.rpc.Other", "/", "x/"};
        Google__Rpc__RetryInfo info = GOOGLE__RPC__RETRY_INFO__INIT;
        Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
        struct pipit_arena arena = {0};

        (void)state;
        delay.seconds = 1;
        info.retry_delay = &delay;
        for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
                assert_int_equal(decode_detail(&arena, urls[i], &info.base).retry_after_ms, 0);
        assert_int_equal(
                decode_detail(&arena, "x.org/google.rpc.RetryInfo", &info.base).retry_after_ms,
                1000);
        pipit_arena_deinit(&arena);
}

static void a_retry_delay_is_rounded_up_and_held_in_bounds(void **state)
{
        static const struct {
                int64_t seconds;
                int32_t nanos;
                uint32_t ms;
        } cases[] = {
                {0, 0, 0},
                {0, 1, 1},
                {0, 1000000, 1},
                {0, 1000001, 2},
                {3, 999999999, 4000},
                {-1, 0, 0},
                {0, -1, 0},
                {4294967, 295000000, UINT32_MAX},
                {4294967, 294000000, 4294967294},
                {4294968, 0, UINT32_MAX},
                {INT64_MAX, INT32_MAX, UINT32_MAX},
        };
        struct pipit_arena arena = {0};

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                Google__Rpc__RetryInfo info = GOOGLE__RPC__RETRY_INFO__INIT;
                Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
                struct pipit_error error;

                delay.seconds = cases[i].seconds;
                delay.nanos = cases[i].nanos;
                info.retry_delay = &delay;
                error = decode_detail(
                        &arena, "type.googleapis.com/google.rpc.RetryInfo", &info.base);
                assert_int_equal(error.retry_after_ms, cases[i].ms);
        }
        pipit_arena_deinit(&arena);
}

static void a_word_for_ran_that_is_not_known_is_may_have_run(void **state)
{
        Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
        Google__Rpc__ErrorInfo__MetadataEntry entry = GOOGLE__RPC__ERROR_INFO__METADATA_ENTRY__INIT;
        Google__Rpc__ErrorInfo__MetadataEntry *entries[] = {&entry};
        struct pipit_arena arena = {0};
        char key[] = "ran";
        char value[] = "perhaps";

        (void)state;
        entry.key = key;
        entry.value = value;
        info.metadata = entries;
        info.n_metadata = 1;
        assert_int_equal(
                decode_detail(&arena, "type.googleapis.com/google.rpc.ErrorInfo", &info.base).ran,
                PIPIT_MAY_HAVE_RUN);
        key[0] = 'x';
        assert_int_equal(
                decode_detail(&arena, "type.googleapis.com/google.rpc.ErrorInfo", &info.base).ran,
                PIPIT_RAN);
        pipit_arena_deinit(&arena);
}

static void assert_text(const char *string)
{
        if (string)
                assert_true(pipit_utf8_check((const uint8_t *)string, strlen(string), NULL));
}

static void damaged_details_never_harm(void **state)
{
        struct random_source source = {.state = 51};
        struct pipit_arena arena = {0};
        size_t n_lost = 0;

        (void)state;
        for (size_t i = 0; i < 20000; i++) {
                Google__Rpc__Status *status = pipit_status_encode(&full, &arena);
                Google__Protobuf__Any *any = status->details[i % 3];
                uint8_t *copy = malloc(2 * any->value.len);
                struct pipit_error error;

                memcpy(copy, any->value.data, any->value.len);
                any->value.len = random_damage(&source, copy, any->value.len, 2 * any->value.len);
                any->value.data = realloc(copy, any->value.len + 1);
                pipit_status_decode(status, &arena, &error);
                free(any->value.data);

                assert_int_equal(error.status, full.status);
                n_lost += !error.reason || error.n_violations == 0 || error.retry_after_ms == 0;
                assert_text(error.reason);
                assert_text(error.domain);
                assert_text(error.message);
                for (size_t n = 0; n < error.n_violations; n++) {
                        assert_text(error.violations[n].field);
                        assert_text(error.violations[n].description);
                }
                pipit_arena_reset(&arena);
        }
        assert_true(n_lost > 1000);
        pipit_arena_deinit(&arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_field_of_an_error_comes_back),
                cmocka_unit_test(an_error_of_a_status_alone_comes_back_as_that),
                cmocka_unit_test(the_details_are_those_that_are_needed),
                cmocka_unit_test(strings_that_are_not_utf8_are_sent_as_utf8),
                cmocka_unit_test(a_status_without_details_ran),
                cmocka_unit_test(a_code_that_is_no_status_is_unknown),
                cmocka_unit_test(details_of_other_types_are_passed_over),
                cmocka_unit_test(a_retry_delay_is_rounded_up_and_held_in_bounds),
                cmocka_unit_test(a_word_for_ran_that_is_not_known_is_may_have_run),
                cmocka_unit_test(damaged_details_never_harm),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
