/*
 * Requests that no protoc sends: a good one, cut short or with bits turned over
 *
 * argv[1] is a FileDescriptorSet of what the golden cases hold. Nothing is said of
 * the answers but that there is one or none: sanitizers say the rest.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/macros.h"
#include "gen/generator.h"
#include "gen/memory.h"
#include "google/protobuf/compiler/plugin.pb-c.h"

#define N_CUTS             600
#define N_FLIPS            1500
#define N_FLIPS_WITH_CHILD 60 /* each starts a process */
#define FLIPS_A_CASE_MAX   4

typedef Google__Protobuf__Compiler__CodeGeneratorRequest request_message;
typedef Google__Protobuf__Compiler__CodeGeneratorResponse response_message;

static const char *set_path;

struct fixture {
        struct pipit_arena arena;
        uint8_t *bytes; /* the files of the request; its parameter comes behind them */
        size_t n_bytes;
        char folder[64];
        char child[96];
        uint64_t random;
        size_t n_requests; /* that were taken for one */
        size_t n_clean;    /* without an error */
};

static uint64_t next_random(struct fixture *fixture)
{
        fixture->random ^= fixture->random << 13;
        fixture->random ^= fixture->random >> 7;
        fixture->random ^= fixture->random << 17;

        return fixture->random;
}

static uint8_t *read_set(struct fixture *fixture, size_t *ret_n_bytes)
{
        struct text text = {.arena = &fixture->arena};
        FILE *file = fopen(set_path, "re");
        size_t n;

        assert_non_null(file);
        do {
                n = fread(text_reserve(&text, 4096), 1, 4096, file);
                text_advance(&text, n);
        } while (n > 0);
        assert_int_equal(fclose(file), 0);
        *ret_n_bytes = text.n_bytes;

        return (uint8_t *)text.bytes;
}

/* All files of the set are asked for, but those that come with protoc. */
static void make_request(struct fixture *fixture)
{
        ProtobufCAllocator allocator = gen_allocator(&fixture->arena);
        request_message request = GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_REQUEST__INIT;
        size_t n_set;
        uint8_t *set_bytes = read_set(fixture, &n_set);
        Google__Protobuf__FileDescriptorSet *set =
                google__protobuf__file_descriptor_set__unpack(&allocator, n_set, set_bytes);

        assert_non_null(set);
        request.proto_file = set->file;
        request.n_proto_file = set->n_file;
        request.file_to_generate = gen_alloc_array(&fixture->arena, set->n_file, sizeof(char *));
        for (size_t i = 0; i < set->n_file; i++)
                if (strncmp(set->file[i]->name, "google/", 7) != 0)
                        request.file_to_generate[request.n_file_to_generate++] = set->file[i]->name;
        assert_true(request.n_file_to_generate > 0);

        fixture->n_bytes =
                google__protobuf__compiler__code_generator_request__get_packed_size(&request);
        fixture->bytes = gen_alloc(&fixture->arena, fixture->n_bytes);
        (void)google__protobuf__compiler__code_generator_request__pack(&request, fixture->bytes);
}

/* Answers anything with one file. */
static void write_child(struct fixture *fixture)
{
        FILE *file;

        (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/pipit-malformed-XXXXXX");
        assert_non_null(mkdtemp(fixture->folder));
        (void)snprintf(fixture->child, sizeof(fixture->child), "%s/child", fixture->folder);
        file = fopen(fixture->child, "we");
        assert_non_null(file);
        assert_true(fputs("#!/bin/sh\n"
                          "cat >/dev/null\n"
                          "printf 'z\\006\\012\\001az\\001b'\n",
                          file) >= 0);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(chmod(fixture->child, 0700), 0);
}

static int set_up(void **state)
{
        struct fixture *fixture = calloc(1, sizeof(*fixture));

        assert_non_null(fixture);
        fixture->random = 88172645463325252U;
        make_request(fixture);
        write_child(fixture);
        *state = fixture;

        return 0;
}

static int tear_down(void **state)
{
        struct fixture *fixture = *state;

        (void)unlink(fixture->child);
        (void)rmdir(fixture->folder);
        pipit_arena_deinit(&fixture->arena);
        free(fixture);

        return 0;
}

/* @parameter is whole, whatever became of the files: no other program must be started. */
static void run(struct fixture *fixture,
                const uint8_t *bytes,
                size_t n_bytes,
                const char *parameter)
{
        PIPIT_CLEANUP(pipit_arena_deinit) struct pipit_arena arena = {.cap_bytes = 0};
        ProtobufCAllocator allocator = gen_allocator(&arena);
        request_message tail = GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_REQUEST__INIT;
        struct text response = {.arena = &arena};
        const response_message *answer;
        uint8_t *request;
        size_t n_tail;

        tail.parameter = gen_strdup(&arena, parameter);
        n_tail = google__protobuf__compiler__code_generator_request__get_packed_size(&tail);
        request = gen_alloc(&arena, n_bytes + n_tail);
        memcpy(request, bytes, n_bytes);
        (void)google__protobuf__compiler__code_generator_request__pack(&tail, request + n_bytes);

        if (!generator_run(&arena, request, n_bytes + n_tail, &response))
                return;
        answer = google__protobuf__compiler__code_generator_response__unpack(
                &allocator, response.n_bytes, (const uint8_t *)response.bytes);
        assert_non_null(answer);
        assert_true(!answer->error || answer->n_file == 0);
        fixture->n_requests++;
        fixture->n_clean += !answer->error;
}

static void flip_bits(struct fixture *fixture, size_t n_cases, const char *parameter)
{
        uint8_t *copy = gen_alloc(&fixture->arena, fixture->n_bytes);

        for (size_t i = 0; i < n_cases; i++) {
                size_t n_flips = 1 + next_random(fixture) % FLIPS_A_CASE_MAX;

                memcpy(copy, fixture->bytes, fixture->n_bytes);
                for (size_t k = 0; k < n_flips; k++)
                        copy[next_random(fixture) % fixture->n_bytes] ^=
                                (uint8_t)(1U << next_random(fixture) % 8);
                run(fixture, copy, fixture->n_bytes, parameter);
        }
        /* else nothing behind the unpacking was tried */
        assert_true(fixture->n_requests > n_cases / 20);
}

static void the_request_is_good_when_it_is_whole(void **state)
{
        struct fixture *fixture = *state;
        char parameter[128];

        (void)snprintf(parameter, sizeof(parameter), "protoc_gen_c=%s", fixture->child);
        run(fixture, fixture->bytes, fixture->n_bytes, parameter);
        assert_int_equal(fixture->n_clean, 1);
}

static void a_request_that_was_cut_short_crashes_nothing(void **state)
{
        struct fixture *fixture = *state;

        for (size_t i = 0; i < N_CUTS; i++)
                run(fixture, fixture->bytes, fixture->n_bytes * i / N_CUTS, "descriptors_only");
}

static void flipped_bits_crash_no_check(void **state)
{
        flip_bits(*state, N_FLIPS, "protoc_gen_c=/nonexistent/protoc-gen-c");
}

static void flipped_bits_crash_no_descriptor(void **state)
{
        struct fixture *fixture = *state;

        flip_bits(fixture, N_FLIPS, "descriptors_only");
        assert_true(fixture->n_clean > 0);
}

static void flipped_bits_crash_nothing_that_writes_code(void **state)
{
        struct fixture *fixture = *state;
        char parameter[128];

        (void)snprintf(parameter, sizeof(parameter), "protoc_gen_c=%s", fixture->child);
        flip_bits(fixture, N_FLIPS_WITH_CHILD, parameter);
        assert_true(fixture->n_clean > 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                TEST(the_request_is_good_when_it_is_whole),
                TEST(a_request_that_was_cut_short_crashes_nothing),
                TEST(flipped_bits_crash_no_check),
                TEST(flipped_bits_crash_no_descriptor),
                TEST(flipped_bits_crash_nothing_that_writes_code),
        };

        if (argc != 2) {
                (void)fprintf(stderr, "%s FILE_DESCRIPTOR_SET\n", argv[0]);
                return 2;
        }
        set_path = argv[1];

        return cmocka_run_group_tests(tests, NULL, NULL);
}
