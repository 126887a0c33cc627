#include "gen/child.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
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

/* Many times what a pipe holds, either way. */
#define LARGE_BYTES ((size_t)8 * 1024 * 1024)

struct fixture {
        char folder[64];
        char script[96];
        struct pipit_arena arena;
        struct text output;
        const char *error;
};

static int set_up(void **state)
{
        struct fixture *fixture = calloc(1, sizeof(*fixture));

        assert_non_null(fixture);
        (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/pipit-child-XXXXXX");
        assert_non_null(mkdtemp(fixture->folder));
        (void)snprintf(
                fixture->script, sizeof(fixture->script), "%s/protoc-gen-c", fixture->folder);
        fixture->output.arena = &fixture->arena;
        *state = fixture;

        return 0;
}

static int tear_down(void **state)
{
        struct fixture *fixture = *state;

        (void)unlink(fixture->script);
        (void)rmdir(fixture->folder);
        pipit_arena_deinit(&fixture->arena);
        free(fixture);

        return 0;
}

static void write_script(const struct fixture *fixture, const char *body)
{
        FILE *file = fopen(fixture->script, "we");

        assert_non_null(file);
        assert_true(fprintf(file, "#!/bin/sh\n%s\n", body) > 0);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(chmod(fixture->script, 0700), 0);
}

static bool run(struct fixture *fixture, const char *program, const char *bytes, size_t n_bytes)
{
        return child_run(program, bytes, n_bytes, &fixture->output, &fixture->error);
}

static char *large_input(struct fixture *fixture)
{
        char *bytes = pipit_arena_alloc(&fixture->arena, LARGE_BYTES);

        assert_non_null(bytes);
        for (size_t i = 0; i < LARGE_BYTES; i++)
                bytes[i] = (char)(i * 31 >> 3);

        return bytes;
}

static void what_it_writes_is_the_output(void **state)
{
        struct fixture *fixture = *state;

        write_script(fixture, "tr a-z A-Z");
        assert_true(run(fixture, fixture->script, "hello", 5));
        assert_int_equal(fixture->output.n_bytes, 5);
        assert_memory_equal(fixture->output.bytes, "HELLO", 5);
}

static void a_name_without_a_slash_is_found_in_path(void **state)
{
        struct fixture *fixture = *state;

        assert_true(run(fixture, "cat", "x", 1));
        assert_int_equal(fixture->output.n_bytes, 1);
}

static void it_is_called_protoc_gen_c_whatever_its_file_is(void **state)
{
        struct fixture *fixture = *state;

        /* a shell tells its name; a script would be told its file's */
        assert_true(run(fixture, "sh", "echo $0", 7));
        assert_int_equal(fixture->output.n_bytes, strlen("protoc-gen-c\n"));
        assert_memory_equal(fixture->output.bytes, "protoc-gen-c\n", fixture->output.n_bytes);
}

static void megabytes_both_ways_at_once_do_not_deadlock(void **state)
{
        struct fixture *fixture = *state;
        const char *bytes = large_input(fixture);

        assert_true(run(fixture, "cat", bytes, LARGE_BYTES));
        assert_int_equal(fixture->output.n_bytes, LARGE_BYTES);
        assert_memory_equal(fixture->output.bytes, bytes, LARGE_BYTES);
}

static void one_that_writes_before_it_reads_does_not_deadlock(void **state)
{
        struct fixture *fixture = *state;

        write_script(fixture, "head -c 1000000 /dev/zero; cat >/dev/null");
        assert_true(run(fixture, fixture->script, large_input(fixture), LARGE_BYTES));
        assert_int_equal(fixture->output.n_bytes, 1000000);
}

static void one_that_reads_nothing_is_judged_by_its_exit_code(void **state)
{
        struct fixture *fixture = *state;

        assert_true(run(fixture, "true", large_input(fixture), LARGE_BYTES));
        assert_false(run(fixture, "false", large_input(fixture), LARGE_BYTES));
        assert_string_equal(fixture->error, "false exited with 1");
}

static void one_that_is_not_there_is_an_error_that_names_it(void **state)
{
        struct fixture *fixture = *state;

        assert_false(run(fixture, "/nonexistent/protoc-gen-c", "x", 1));
        assert_string_equal(fixture->error,
                            "cannot run /nonexistent/protoc-gen-c: No such file or directory");
}

static void one_that_may_not_be_run_is_an_error(void **state)
{
        struct fixture *fixture = *state;

        /* not executable for anybody, so not for root either */
        write_script(fixture, "true");
        assert_int_equal(chmod(fixture->script, 0600), 0);
        assert_false(run(fixture, fixture->script, "x", 1));
        assert_non_null(strstr(fixture->error, "Permission denied"));
}

static void one_that_is_killed_is_an_error_that_names_the_signal(void **state)
{
        struct fixture *fixture = *state;

        write_script(fixture, "kill -9 $$");
        assert_false(run(fixture, fixture->script, "x", 1));
        assert_non_null(strstr(fixture->error, "was killed by signal 9"));
}

static int count_open_fds(void)
{
        int n = 0;

        for (int fd = 0; fd < 256; fd++)
                n += fcntl(fd, F_GETFD) >= 0;

        return n;
}

static void nothing_stays_open_and_sigpipe_is_as_before(void **state)
{
        struct fixture *fixture = *state;
        struct sigaction action;
        int n_before = count_open_fds();

        assert_true(run(fixture, "true", large_input(fixture), LARGE_BYTES));
        assert_false(run(fixture, "/nonexistent/x", "x", 1));
        assert_int_equal(count_open_fds(), n_before);
        assert_int_equal(sigaction(SIGPIPE, NULL, &action), 0);
        assert_ptr_equal(action.sa_handler, SIG_DFL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(what_it_writes_is_the_output),
                TEST(a_name_without_a_slash_is_found_in_path),
                TEST(it_is_called_protoc_gen_c_whatever_its_file_is),
                TEST(megabytes_both_ways_at_once_do_not_deadlock),
                TEST(one_that_writes_before_it_reads_does_not_deadlock),
                TEST(one_that_reads_nothing_is_judged_by_its_exit_code),
                TEST(one_that_is_not_there_is_an_error_that_names_it),
                TEST(one_that_may_not_be_run_is_an_error),
                TEST(one_that_is_killed_is_an_error_that_names_the_signal),
                TEST(nothing_stays_open_and_sigpipe_is_as_before),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
