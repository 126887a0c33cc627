#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/runtime/address.h"
#include "tests/integration/runtime/fixture.h"

/* It has a thread of its own, which takes signals. */
#ifdef __SANITIZE_THREAD__
#define IS_THREAD_SANITIZER true
#else
#define IS_THREAD_SANITIZER false
#endif

/* --- addresses ------------------------------------------------------------- */

static void only_loopback_tcp_ipc_and_inproc_are_listened_on(void **state)
{
        static const struct {
                const char *url;
                bool insecure;
                bool accepted;
        } cases[] = {
                {"tcp://127.0.0.1:0", true, true},
                {"tcp://[::1]:0", true, true},
                {"tcp://localhost:0", true, true},
                {"tcp://127.0.0.1:0", false, false},
                {"tcp://0.0.0.0:0", true, false},
                {"tcp://192.0.2.1:7", true, false},
                {"tcp://*:7000", true, false},
                {"ws://127.0.0.1:80", true, false},
                {"tls+tcp://127.0.0.1:0", true, false},
                {"abstract://x", true, false},
                {"ipc:///tmp/x", false, true},
                {"ipc://relative", false, false},
                {"inproc://x", false, true},
                {"", true, false},
        };

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(cases); ++i) {
                const struct pipit_server_options options = {
                        .insecure_plaintext = cases[i].insecure,
                };
                struct pipit_server *server = pipit_server_new(&options, NULL);
                struct pipit_error error = {};

                assert_non_null(server);
                if (cases[i].accepted) {
                        assert_int_equal(PIPIT_OK,
                                         pipit_server_listen(server, cases[i].url, &error));
                } else {
                        assert_int_equal(PIPIT_INVALID_ARGUMENT,
                                         pipit_server_listen(server, cases[i].url, &error));
                        assert_non_null(error.message);
                }
                pipit_server_free(server);
        }
}

static void an_ipc_socket_is_for_owner_and_group(void **state)
{
        struct fixture fixture;
        struct stat stat_;
        mode_t before = umask(0);

        (void)state;
        fixture_start(&fixture, FIXTURE_IPC, NULL);
        umask(before);
        assert_int_equal(0, stat(fixture.url + strlen("ipc://"), &stat_));
        assert_int_equal(0660, stat_.st_mode & 0777);
        fixture_stop(&fixture);
}

static enum pipit_status start_at(const char *url,
                                  struct pipit_server **ret_server,
                                  char *ret_reason)
{
        struct pipit_error error = {};
        enum pipit_status status;

        *ret_server = pipit_server_new(NULL, NULL);
        assert_non_null(*ret_server);
        assert_int_equal(PIPIT_OK, pipit_server_listen(*ret_server, url, NULL));
        status = pipit_server_start(*ret_server, &error);
        (void)snprintf(ret_reason, 64, "%s", error.reason ? error.reason : "");

        return status;
}

static void an_address_in_use_is_refused_and_a_left_over_socket_replaced(void **state)
{
        struct fixture fixture;
        struct pipit_server *server;
        struct address address;
        char reason[64];
        int fd;

        (void)state;
        fixture_start(&fixture, FIXTURE_IPC, NULL);
        assert_int_equal(PIPIT_UNAVAILABLE, start_at(fixture.url, &server, reason));
        assert_string_equal("ADDRESS_IN_USE", reason);
        pipit_server_free(server);
        assert_serves(fixture.url);
        (void)pipit_server_stop(fixture.server);

        assert_true(address_parse(fixture.url, &address));
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(0, bind(fd, &address.sockaddr.any, address.n_bytes));
        close(fd);
        assert_int_equal(PIPIT_OK, start_at(fixture.url, &server, reason));
        pipit_server_free(server);
        fixture_stop(&fixture);
}

static void a_directory_that_others_can_write_to_is_refused_unless_sticky(void **state)
{
        char directory[] = "/tmp/pipit-XXXXXX";
        struct pipit_server *server;
        char url[64];
        char reason[64];

        (void)state;
        assert_non_null(mkdtemp(directory));
        (void)snprintf(url, sizeof(url), "ipc://%s/socket", directory);

        assert_int_equal(0, chmod(directory, 0777));
        assert_int_equal(PIPIT_FAILED_PRECONDITION, start_at(url, &server, reason));
        assert_string_equal("DIRECTORY_UNSAFE", reason);
        pipit_server_free(server);

        assert_int_equal(0, chmod(directory, 01777));
        assert_int_equal(PIPIT_OK, start_at(url, &server, reason));
        pipit_server_free(server);
        assert_int_equal(0, rmdir(directory));
}

static void files_are_read_again_between_start_and_stop_only(void **state)
{
        struct fixture fixture;
        struct pipit_error error = {};

        (void)state;
        fixture_start(&fixture, FIXTURE_INPROC, NULL);
        assert_int_equal(PIPIT_OK, pipit_server_reload(fixture.server, NULL));
        (void)pipit_server_stop(fixture.server);
        assert_int_equal(PIPIT_FAILED_PRECONDITION, pipit_server_reload(fixture.server, &error));
        assert_string_equal("SERVER_NOT_RUNNING", error.reason);
        fixture_stop(&fixture);
}

static void a_file_that_cannot_be_read_keeps_a_server_from_starting(void **state)
{
        const struct pipit_server_options options = {.policy_path = "/nonexistent/policy"};
        struct pipit_server *server = pipit_server_new(&options, NULL);
        struct pipit_error error = {};

        (void)state;
        assert_int_equal(PIPIT_OK, pipit_server_listen(server, "inproc://no-policy", NULL));
        assert_int_equal(PIPIT_FAILED_PRECONDITION, pipit_server_start(server, &error));
        assert_string_equal("ACCESS_FILES_INVALID", error.reason);
        assert_non_null(strstr(error.message, "/nonexistent/policy"));
        pipit_server_free(server);
}

static void registering_after_start_is_too_late(void **state)
{
        struct fixture fixture;
        static const struct echo_v1_echo_service none;

        (void)state;
        fixture_start(&fixture, FIXTURE_INPROC, NULL);
        assert_int_equal(PIPIT_FAILED_PRECONDITION,
                         echo_v1_echo_service_register(fixture.server, &none, NULL));
        assert_int_equal(PIPIT_FAILED_PRECONDITION,
                         pipit_server_listen(fixture.server, "inproc://late", NULL));
        fixture_stop(&fixture);
}

static void a_method_without_a_handler_is_unimplemented(void **state)
{
        static const struct echo_v1_echo_service none;
        struct pipit_server *server = pipit_server_new(NULL, NULL);
        struct client client;
        struct request request;
        struct answer answer;

        (void)state;
        assert_int_equal(PIPIT_OK, echo_v1_echo_service_register(server, &none, NULL));
        assert_int_equal(PIPIT_ALREADY_EXISTS, echo_v1_echo_service_register(server, &none, NULL));
        assert_int_equal(PIPIT_OK, pipit_server_listen(server, "inproc://without-handler", NULL));
        assert_int_equal(PIPIT_OK, pipit_server_start(server, NULL));
        client_open(&client, "inproc://without-handler", false);
        request_init(&request, &client);
        request_echo(&request, 1, "x", 0);
        /* Known before the payload is looked at. */
        request_call(&request, 2, ECHO)->payload =
                (ProtobufCBinaryData){.len = 1, .data = (uint8_t *)(uintptr_t) "\xff"};
        exchange_run(&client, &request, &answer);
        assert_failed(&answer, 1, PIPIT_UNIMPLEMENTED, PIPIT_NOT_RUN, "METHOD_NOT_IMPLEMENTED");
        assert_failed(&answer, 2, PIPIT_UNIMPLEMENTED, PIPIT_NOT_RUN, "METHOD_NOT_IMPLEMENTED");
        answer_deinit(&answer);
        client_close(&client);
        pipit_server_free(server);
}

/* --- drain --------------------------------------------------------------- */

struct stopper {
        struct fixture *fixture;
        pthread_t thread;
        size_t n_left;
};

static void *stop_main(void *argument)
{
        struct stopper *stopper = argument;

        stopper->n_left = pipit_server_stop(stopper->fixture->server);

        return NULL;
}

static void a_drain_finishes_what_was_accepted_and_refuses_the_rest(void **state)
{
        struct fixture fixture;
        struct stopper stopper = {.fixture = &fixture};
        struct client client;
        struct exchange slow;
        struct request request;
        struct answer answer;
        bool draining = false;

        (void)state;
        fixture_start(&fixture, FIXTURE_IPC, NULL);
        client_open(&client, fixture.url, false);
        request_init(&request, &client);
        request_call(&request, 1, SLEEP)->timeout_ms = 60000;
        exchange_send(&slow, &client, &request);
        request_deinit(&request);
        fixture_wait_parked(&fixture, 1);

        assert_int_equal(0, pthread_create(&stopper.thread, NULL, stop_main, &stopper));
        while (!draining) {
                request_init(&request, &client);
                exchange_run(&client, &request, &answer);
                draining = answer.response->draining;
                answer_deinit(&answer);
        }
        request_init(&request, &client);
        request_echo(&request, 1, "x", 0);
        request_call(&request, 2, HEALTH);
        exchange_run(&client, &request, &answer);
        assert_failed(&answer, 1, PIPIT_UNAVAILABLE, PIPIT_NOT_RUN, "DRAINING");
        assert_ok(&answer, 2);
        assert_int_equal(2, answer_reply(&answer, 2)->payload.data[1]);
        answer_deinit(&answer);

        fixture_answer(&fixture, 0);
        exchange_wait(&slow, &answer);
        assert_int_equal(0, answer.result);
        assert_ok(&answer, 1);
        answer_deinit(&answer);
        client_close(&client);
        pthread_join(stopper.thread, NULL);
        assert_int_equal(0, stopper.n_left);
        fixture_stop(&fixture);
}

static void a_drain_answers_held_frames(void **state)
{
        struct fixture fixture;
        struct stopper stopper = {.fixture = &fixture};
        struct client client;
        struct exchange poll_;
        struct request request;
        struct answer answer;

        (void)state;
        fixture_start(&fixture, FIXTURE_IPC, NULL);
        client_open(&client, fixture.url, true);
        request_init(&request, &client);
        request.message.hold_ms = 10000;
        exchange_send(&poll_, &client, &request);
        request_deinit(&request);
        assert_serves(fixture.url);

        assert_int_equal(0, pthread_create(&stopper.thread, NULL, stop_main, &stopper));
        exchange_wait(&poll_, &answer);
        assert_int_equal(0, answer.result);
        assert_true(answer.response->draining);
        answer_deinit(&answer);
        client_close(&client);
        pthread_join(stopper.thread, NULL);
        fixture_stop(&fixture);
}

static void large_replies_arrive_though_the_server_stops(void **state)
{
        (void)state;
        for (int round = 0; round < 10; ++round) {
                struct fixture fixture;
                struct stopper stopper = {.fixture = &fixture};
                struct client client;
                struct exchange exchange[4];
                struct request request;
                struct answer answer;

                fixture_start(&fixture, FIXTURE_IPC, NULL);
                client_open(&client, fixture.url, false);
                for (size_t i = 0; i < 4; ++i) {
                        request_init(&request, &client);
                        request_echo(&request, 1, "grow", 1000000);
                        exchange_send(&exchange[i], &client, &request);
                        request_deinit(&request);
                }
                fixture_wait_ran(&fixture, 4);
                assert_int_equal(0, pthread_create(&stopper.thread, NULL, stop_main, &stopper));
                for (size_t i = 0; i < 4; ++i) {
                        exchange_wait(&exchange[i], &answer);
                        assert_int_equal(0, answer.result);
                        assert_ok(&answer, 1);
                        answer_deinit(&answer);
                }
                client_close(&client);
                pthread_join(stopper.thread, NULL);
                assert_int_equal(0, stopper.n_left);
                fixture_stop(&fixture);
        }
}

static void what_is_not_finished_in_time_is_cancelled_and_counted(void **state)
{
        const struct pipit_server_options options = {.drain_ms = 20};
        struct fixture fixture;
        struct client client;
        struct exchange slow;
        struct request request;
        struct answer answer;

        (void)state;
        fixture_start(&fixture, FIXTURE_IPC, &options);
        client_open(&client, fixture.url, false);
        request_init(&request, &client);
        request_call(&request, 1, SLEEP)->timeout_ms = 60000;
        exchange_send(&slow, &client, &request);
        request_deinit(&request);
        fixture_wait_parked(&fixture, 1);
        assert_int_equal(1, pipit_server_stop(fixture.server));
        assert_true(pipit_server_call_cancelled(fixture_parked(&fixture, 0)));
        exchange_wait(&slow, &answer);
        assert_true(answer.result != 0);
        answer_deinit(&answer);

        /* The handle is owed an answer even after the server is gone. */
        fixture.server = pipit_server_free(fixture.server);
        fixture_answer(&fixture, 0);
        client_close(&client);
        fixture_stop(&fixture);
}

/* --- threads ---------------------------------------------------------------- */

/* Whether thread @id of this process may be given SIGTERM, and is none of nng's, which the test has. */
static bool takes_sigterm(const char *id)
{
        unsigned long long blocked = 0;
        bool is_nngs = false;
        char line[256], path[300];
        FILE *status;

        (void)snprintf(path, sizeof(path), "/proc/self/task/%s/status", id);
        status = fopen(path, "re");
        if (!status)
                return false; /* it has ended */
        while (fgets(line, sizeof(line), status)) {
                is_nngs = is_nngs || strncmp(line, "Name:\tnng:", strlen("Name:\tnng:")) == 0;
                if (sscanf(line, "SigBlk: %llx", &blocked) == 1)
                        break;
        }
        (void)fclose(status);

        return !is_nngs && !(blocked >> (SIGTERM - 1) & 1);
}

static void signals_are_for_the_threads_of_the_program(void **state)
{
        struct fixture fixture;
        struct client client;
        struct request request;
        struct answer answer;
        unsigned int n_threads = 0;
        struct dirent *entry;
        DIR *threads;

        (void)state;
        fixture_start(&fixture, FIXTURE_IPC, NULL);
        client_open(&client, fixture.url, true);
        request_init(&request, &client);
        request_echo(&request, 1, "x", 0);
        exchange_run(&client, &request, &answer);
        answer_deinit(&answer);

        threads = opendir("/proc/self/task");
        assert_non_null(threads);
        while ((entry = readdir(threads))) {
                if (entry->d_name[0] == '.' || atoi(entry->d_name) == getpid())
                        continue;
                n_threads++;
                if (takes_sigterm(entry->d_name) && !IS_THREAD_SANITIZER)
                        fail_msg("thread %s would be given SIGTERM", entry->d_name);
        }
        (void)closedir(threads);
        assert_true(n_threads > 3);
        client_close(&client);
        fixture_stop(&fixture);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_loopback_tcp_ipc_and_inproc_are_listened_on),
                cmocka_unit_test(an_ipc_socket_is_for_owner_and_group),
                cmocka_unit_test(an_address_in_use_is_refused_and_a_left_over_socket_replaced),
                cmocka_unit_test(a_directory_that_others_can_write_to_is_refused_unless_sticky),
                cmocka_unit_test(files_are_read_again_between_start_and_stop_only),
                cmocka_unit_test(a_file_that_cannot_be_read_keeps_a_server_from_starting),
                cmocka_unit_test(registering_after_start_is_too_late),
                cmocka_unit_test(a_method_without_a_handler_is_unimplemented),
                cmocka_unit_test(a_drain_finishes_what_was_accepted_and_refuses_the_rest),
                cmocka_unit_test(a_drain_answers_held_frames),
                cmocka_unit_test(large_replies_arrive_though_the_server_stops),
                cmocka_unit_test(what_is_not_finished_in_time_is_cancelled_and_counted),
                cmocka_unit_test(signals_are_for_the_threads_of_the_program),
        };

        return cmocka_run_group_tests_name("runtime_life", tests, NULL, NULL);
}
