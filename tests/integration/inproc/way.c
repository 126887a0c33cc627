#include "tests/integration/inproc/way.h"

#include <pipit/inprocess.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/macros.h"

#define WAIT_S 60

enum way way;

bool way_choose(const char *name)
{
        static const char *const names[] = {
                [WAY_IPC] = "ipc",
                [WAY_INPROC] = "inproc",
                [WAY_INPROCESS] = "in-process",
        };

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(names); i++) {
                if (strcmp(name, names[i]) == 0) {
                        way = (enum way)i;
                        return true;
                }
        }

        return false;
}

struct pipit_channel *way_open(struct pipit_server *server,
                               const char *url,
                               const struct pipit_channel_options *options)
{
        struct pipit_channel *channel;

        if (way != WAY_INPROCESS)
                channel = pipit_channel_new(url, options, NULL);
        else
                channel =
                        pipit_channel_new_inprocess(pipit_server_inprocess(server), options, NULL);
        assert_non_null(channel);

        return channel;
}

struct setting *setting_make(const struct pipit_server_options *server,
                             const struct pipit_channel_options *channel)
{
        struct setting *setting = calloc(1, sizeof(*setting));

        assert_non_null(setting);
        fixture_start(&setting->fixture, way == WAY_INPROC ? FIXTURE_INPROC : FIXTURE_IPC, server);
        setting->channel = way_open(setting->fixture.server, setting->fixture.url, channel);

        return setting;
}

int setting_new(void **state)
{
        *state = setting_make(NULL, NULL);

        return 0;
}

int setting_free(void **state)
{
        struct setting *setting = *state;

        if (!setting)
                return 0;
        setting->channel = pipit_channel_free(setting->channel);
        fixture_stop(&setting->fixture);
        free(setting);
        *state = NULL;

        return 0;
}

/* --- calls ----------------------------------------------------------------- */

static void waited_done(struct pipit_call *call)
{
        struct waited *waited = pipit_container_of(call, struct waited, call);

        waited->thread = pthread_self();
        atomic_fetch_add(&waited->n_done, 1);
        sem_post(&waited->done);
}

void waited_init(struct waited *waited)
{
        memset(waited, 0, sizeof(*waited));
        sem_init(&waited->done, 0, 0);
        waited->call.done = waited_done;
}

void waited_wait(struct waited *waited)
{
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += WAIT_S;
        assert_int_equal(sem_timedwait(&waited->done, &until), 0);
        assert_int_equal(atomic_load(&waited->n_done), 1);
}

void waited_deinit(struct waited *waited)
{
        assert_int_equal(atomic_load(&waited->n_done), 1);
        pipit_call_deinit(&waited->call);
        sem_destroy(&waited->done);
}

void start_echo(struct pipit_channel *channel, struct waited *waited, const char *text)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;

        request.text = (char *)(uintptr_t)text;
        echo_v1_echo_start(channel, &waited->call, &request);
}

void start_sleep(struct pipit_channel *channel, struct waited *waited)
{
        Echo__V1__SleepRequest request = ECHO__V1__SLEEP_REQUEST__INIT;

        echo_v1_sleep_start(channel, &waited->call, &request);
}

enum pipit_status call_echo(struct pipit_channel *channel,
                            struct pipit_call *call,
                            const char *text)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        const Echo__V1__EchoResponse *response;
        enum pipit_status status;

        request.text = (char *)(uintptr_t)text;
        status = echo_v1_echo(channel, call, &request, &response);
        if (status == PIPIT_OK)
                assert_string_equal(response->text, text);

        return status;
}

enum pipit_status call_sleep(struct pipit_channel *channel, struct pipit_call *call)
{
        Echo__V1__SleepRequest request = ECHO__V1__SLEEP_REQUEST__INIT;

        return echo_v1_sleep(channel, call, &request, NULL);
}

void assert_error(const struct pipit_call *call,
                  enum pipit_status status,
                  enum pipit_ran ran,
                  enum pipit_origin origin,
                  const char *reason)
{
        const struct pipit_error *error = pipit_call_error(call);

        assert_string_equal(pipit_status_name(error->status), pipit_status_name(status));
        assert_non_null(error->reason);
        assert_string_equal(error->reason, reason);
        assert_int_equal(error->ran, ran);
        assert_int_equal(error->origin, origin);
}

pthread_t thread_run(void *(*run)(void *), void *context)
{
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, run, context), 0);

        return thread;
}

void *thread_join(pthread_t thread)
{
        void *result;

        assert_int_equal(pthread_join(thread, &result), 0);

        return result;
}
