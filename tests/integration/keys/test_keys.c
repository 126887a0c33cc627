/* Channels and servers of this library, on tcp with keys. */

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <pipit/client.h>
#include <pipit/server.h>

#include "core/access/key.h"
#include "core/access/key_file.h"
#include "core/base/macros.h"
#include "echo/v1/echo.pipit.h"

#define WAIT_MS 60000

struct stage {
        char directory[64];
        char path[5][96];
        char url[64];
        char public[2][PIPIT_KEY_TEXT_SIZE]; /* alice's and bob's */
        struct pipit_server *server;
        atomic_int n_ran;
};

enum {
        SERVER_KEY,
        ALICE_KEY,
        BOB_KEY,
        AUTHORIZED_KEYS,
        KNOWN_SERVERS,
};

static const char *const names[] = {
        "server.key",
        "alice.key",
        "bob.key",
        "authorized_keys",
        "known_servers",
};

static void handle_echo(void *self,
                        struct pipit_server_call *call,
                        const Echo__V1__EchoRequest *request)
{
        Echo__V1__EchoResponse response = ECHO__V1__ECHO_RESPONSE__INIT;
        struct stage *stage = self;

        atomic_fetch_add(&stage->n_ran, 1);
        response.text = request->text;
        response.data = request->data;
        echo_v1_echo_reply(call, &response);
}

static const struct echo_v1_echo_service handlers = {.echo = handle_echo};

/* --- the stage ------------------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
        FILE *file = fopen(path, "w");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static void make_key(const char *path, char ret_public[PIPIT_KEY_TEXT_SIZE])
{
        struct pipit_noise_keys *keys = pipit_key_pair_new();
        struct pipit_access_problem problem;

        assert_non_null(keys);
        assert_true(pipit_key_pair_save(keys, path, &problem));
        pipit_key_format(PIPIT_KEY_PUBLIC, keys->public, ret_public);
        (void)pipit_key_pair_free(keys);
}

static void authorize(const struct stage *stage, bool alice, bool bob)
{
        char text[512];

        snprintf(text,
                 sizeof(text),
                 "%s%s%s%s",
                 alice ? stage->public[0] : "#",
                 alice ? " alice roles=admin\n" : "\n",
                 bob ? stage->public[1] : "#",
                 bob ? " bob roles=admin\n" : "\n");
        write_file(stage->path[AUTHORIZED_KEYS], text);
}

static void start_server(struct stage *stage, const char *url)
{
        const struct pipit_server_options options = {
                .key_path = stage->path[SERVER_KEY],
                .authorized_keys_path = stage->path[AUTHORIZED_KEYS],
        };
        struct pipit_error error = {0};

        stage->server = pipit_server_new(&options, &error);
        assert_non_null(stage->server);
        assert_int_equal(echo_v1_echo_service_register(stage->server, &handlers, stage), PIPIT_OK);
        assert_int_equal(pipit_server_listen(stage->server, url, &error), PIPIT_OK);
        if (pipit_server_start(stage->server, &error) != PIPIT_OK)
                fail_msg("%s", error.message);
}

static int set_up(void **state)
{
        struct stage *stage = calloc(1, sizeof(*stage));
        char public[PIPIT_KEY_TEXT_SIZE], line[256];
        const char *tmp = getenv("TMPDIR");

        assert_non_null(stage);
        snprintf(stage->directory,
                 sizeof(stage->directory),
                 "%s/keys-XXXXXX",
                 tmp && strlen(tmp) < 40 ? tmp : "/tmp");
        assert_non_null(mkdtemp(stage->directory));
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(names); i++)
                snprintf(stage->path[i],
                         sizeof(stage->path[i]),
                         "%s/%s",
                         stage->directory,
                         names[i]);
        make_key(stage->path[SERVER_KEY], public);
        make_key(stage->path[ALICE_KEY], stage->public[0]);
        make_key(stage->path[BOB_KEY], stage->public[1]);
        authorize(stage, true, true);
        start_server(stage, "tcp://127.0.0.1:0");
        snprintf(stage->url, sizeof(stage->url), "%s", pipit_server_url(stage->server, 0));
        snprintf(line, sizeof(line), "%s %s\n", stage->url, public);
        write_file(stage->path[KNOWN_SERVERS], line);
        *state = stage;

        return 0;
}

static int tear_down(void **state)
{
        struct stage *stage = *state;

        (void)pipit_server_free(stage->server);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(names); i++)
                (void)unlink(stage->path[i]);
        (void)rmdir(stage->directory);
        free(stage);

        return 0;
}

static struct pipit_channel *channel_of(const struct stage *stage, int key)
{
        const struct pipit_channel_options options = {
                .key_file = stage->path[key],
                .known_servers_file = stage->path[KNOWN_SERVERS],
                .timeout_ms = WAIT_MS,
        };
        struct pipit_channel *channel = pipit_channel_new(stage->url, &options, NULL);

        assert_non_null(channel);

        return channel;
}

static enum pipit_status echo_with(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   size_t n_data)
{
        const Echo__V1__EchoResponse *response = NULL;
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        uint8_t *data = calloc(1, n_data + 1);
        enum pipit_status status;

        assert_non_null(data);
        memset(data, 'd', n_data);
        request.data.data = data;
        request.data.len = n_data;
        status = echo_v1_echo(channel, call, &request, &response);
        if (status == PIPIT_OK && (response->data.len != n_data ||
                                   (n_data > 0 && memcmp(response->data.data, data, n_data) != 0)))
                status = PIPIT_DATA_LOSS;
        free(data);

        return status;
}

static enum pipit_status echo(struct pipit_channel *channel, size_t n_data)
{
        struct pipit_call call = {.wait_for_ready = true};
        enum pipit_status status = echo_with(channel, &call, n_data);

        if (status != PIPIT_OK)
                fprintf(stderr,
                        "%s (%s): %s\n",
                        pipit_call_error(&call)->reason,
                        pipit_ran_name(pipit_call_error(&call)->ran),
                        pipit_call_error(&call)->message);
        pipit_call_deinit(&call);

        return status;
}

/* --- tests ------------------------------------------------------------------------------- */

static void calls_of_any_size_that_fits_come_back(void **state)
{
        const size_t sizes[] = {0, 1, 100, 4096, 65536, 1000 * 1000, 1024 * 1024 - 300};
        struct stage *stage = *state;
        struct pipit_channel *channel = channel_of(stage, ALICE_KEY);

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(sizes); i++)
                assert_int_equal(echo(channel, sizes[i]), PIPIT_OK);
        assert_int_equal(echo(channel, 1024 * 1024), PIPIT_RESOURCE_EXHAUSTED);
        pipit_channel_free(channel);
}

struct flock {
        struct pipit_call call;
        struct pipit_channel *channel;
        sem_t *done;
        size_t n_left;
        size_t n_failed;
};

static void echo_next(struct flock *flock)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        char text[] = "tweet";

        request.text = text;
        echo_v1_echo_start(flock->channel, &flock->call, &request);
}

static void echo_done(struct pipit_call *call)
{
        struct flock *flock = pipit_container_of(call, struct flock, call);
        sem_t *done = flock->done;

        flock->n_failed += pipit_call_error(call)->status != PIPIT_OK;
        if (--flock->n_left == 0) {
                sem_post(done);
                return;
        }
        pipit_call_reset(call);
        echo_next(flock);
}

static void thousands_of_calls_share_a_session(void **state)
{
        enum { N_FLOCK = 256, N_EACH = 20 };
        static struct flock flocks[N_FLOCK];
        struct stage *stage = *state;
        struct pipit_channel *channel = channel_of(stage, ALICE_KEY);
        sem_t done;

        sem_init(&done, 0, 0);
        for (size_t i = 0; i < N_FLOCK; i++) {
                flocks[i] = (struct flock){.channel = channel, .done = &done, .n_left = N_EACH};
                flocks[i].call.done = echo_done;
                flocks[i].call.wait_for_ready = true;
                echo_next(&flocks[i]);
        }
        for (size_t i = 0; i < N_FLOCK; i++)
                while (sem_wait(&done) < 0)
                        ;
        for (size_t i = 0; i < N_FLOCK; i++) {
                assert_int_equal(flocks[i].n_failed, 0);
                pipit_call_deinit(&flocks[i].call);
        }
        assert_int_equal(atomic_load(&stage->n_ran), N_FLOCK * N_EACH);
        pipit_channel_free(channel);
        sem_destroy(&done);
}

struct caller {
        pthread_t thread;
        struct pipit_channel *channel;
        atomic_bool *stop;
        size_t n_ok, n_failed;
};

static void *call_until_stopped(void *context)
{
        struct caller *caller = context;

        while (!atomic_load(caller->stop)) {
                if (echo(caller->channel, 50) == PIPIT_OK)
                        caller->n_ok++;
                else
                        caller->n_failed++;
        }

        return NULL;
}

static void blocking_callers_share_a_session(void **state)
{
        enum { N_CALLERS = 8 };
        struct stage *stage = *state;
        struct caller callers[N_CALLERS];
        struct pipit_channel *channel = channel_of(stage, BOB_KEY);
        atomic_bool stop = false;

        for (size_t i = 0; i < N_CALLERS; i++) {
                callers[i] = (struct caller){.channel = channel, .stop = &stop};
                assert_int_equal(
                        pthread_create(&callers[i].thread, NULL, call_until_stopped, &callers[i]),
                        0);
        }
        while (atomic_load(&stage->n_ran) < 2000)
                sched_yield();
        atomic_store(&stop, true);
        for (size_t i = 0; i < N_CALLERS; i++) {
                pthread_join(callers[i].thread, NULL);
                assert_int_equal(callers[i].n_failed, 0);
        }
        pipit_channel_free(channel);
}

/* One that goes out before the channel has seen the old server leave is lost with it, and did not run. */
static void echo_at_last(struct pipit_channel *channel)
{
        struct pipit_call call = {.wait_for_ready = true};
        int n_lost = 0;

        while (echo_with(channel, &call, 10) != PIPIT_OK) {
                assert_int_equal(pipit_call_error(&call)->status, PIPIT_UNAVAILABLE);
                assert_int_equal(pipit_call_error(&call)->ran, PIPIT_MAY_HAVE_RUN);
                assert_true(++n_lost < 3);
        }
        pipit_call_deinit(&call);
}

static void channels_find_a_restarted_server_by_themselves(void **state)
{
        enum { N_CHANNELS = 100 };
        struct stage *stage = *state;
        struct pipit_channel *channels[N_CHANNELS];

        for (size_t i = 0; i < N_CHANNELS; i++) {
                channels[i] = channel_of(stage, i % 2 ? ALICE_KEY : BOB_KEY);
                assert_int_equal(echo(channels[i], 10), PIPIT_OK);
        }
        for (int round = 0; round < 3; round++) {
                stage->server = pipit_server_free(stage->server);
                start_server(stage, stage->url);
                for (size_t i = 0; i < N_CHANNELS; i++)
                        echo_at_last(channels[i]);
        }
        assert_int_equal(atomic_load(&stage->n_ran), 4 * N_CHANNELS);
        for (size_t i = 0; i < N_CHANNELS; i++)
                pipit_channel_free(channels[i]);
}

static void a_key_that_is_not_listed_runs_nothing(void **state)
{
        struct pipit_call call = {.wait_for_ready = false};
        struct stage *stage = *state;
        struct pipit_channel *channel;

        authorize(stage, true, false);
        assert_int_equal(pipit_server_reload(stage->server, NULL), PIPIT_OK);
        channel = channel_of(stage, BOB_KEY);
        assert_int_equal(echo_with(channel, &call, 10), PIPIT_UNAUTHENTICATED);
        assert_string_equal(pipit_call_error(&call)->reason, "SESSION_DENIED");
        assert_int_equal(pipit_call_error(&call)->ran, PIPIT_NOT_RUN);
        assert_non_null(strstr(pipit_call_error(&call)->message, stage->public[1]));
        assert_int_equal(atomic_load(&stage->n_ran), 0);
        pipit_channel_free(channel);
        pipit_call_deinit(&call);
}

static void a_key_revoked_while_connected_fails_and_others_go_on(void **state)
{
        struct pipit_call call = {.wait_for_ready = false};
        struct stage *stage = *state;
        struct pipit_channel *alice = channel_of(stage, ALICE_KEY);
        struct pipit_channel *bob = channel_of(stage, BOB_KEY);

        assert_int_equal(echo(alice, 10), PIPIT_OK);
        assert_int_equal(echo(bob, 10), PIPIT_OK);
        authorize(stage, true, false);
        assert_int_equal(pipit_server_reload(stage->server, NULL), PIPIT_OK);
        assert_int_equal(echo_with(bob, &call, 10), PIPIT_UNAUTHENTICATED);
        assert_string_equal(pipit_call_error(&call)->reason, "SESSION_DENIED");
        /* If it was sent before the connection went, that it did not run is for nobody to say. */
        assert_int_not_equal(pipit_call_error(&call)->ran, PIPIT_RAN);
        assert_int_equal(echo_with(bob, &call, 10), PIPIT_UNAUTHENTICATED);
        assert_int_equal(pipit_call_error(&call)->ran, PIPIT_NOT_RUN);
        assert_int_equal(echo(alice, 10), PIPIT_OK);
        assert_int_equal(atomic_load(&stage->n_ran), 3);

        /* Listed again, it is served again, by the same channel. */
        authorize(stage, true, true);
        assert_int_equal(pipit_server_reload(stage->server, NULL), PIPIT_OK);
        assert_int_equal(echo(bob, 10), PIPIT_OK);
        assert_int_equal(atomic_load(&stage->n_ran), 4);
        pipit_channel_free(alice);
        pipit_channel_free(bob);
        pipit_call_deinit(&call);
}

static void a_channel_without_keys_runs_nothing(void **state)
{
        const struct pipit_channel_options plain = {.insecure_plaintext = true};
        struct pipit_call call = {.wait_for_ready = true};
        struct stage *stage = *state;
        struct pipit_channel *channel = pipit_channel_new(stage->url, &plain, NULL);

        assert_non_null(channel);
        assert_int_equal(echo_with(channel, &call, 10), PIPIT_PERMISSION_DENIED);
        assert_string_equal(pipit_call_error(&call)->reason, "ACCESS_DENIED");
        assert_int_equal(atomic_load(&stage->n_ran), 0);
        pipit_channel_free(channel);
        pipit_call_deinit(&call);
}

#define staged(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                staged(calls_of_any_size_that_fits_come_back),
                staged(thousands_of_calls_share_a_session),
                staged(blocking_callers_share_a_session),
                staged(channels_find_a_restarted_server_by_themselves),
                staged(a_key_that_is_not_listed_runs_nothing),
                staged(a_key_revoked_while_connected_fails_and_others_go_on),
                staged(a_channel_without_keys_runs_nothing),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
