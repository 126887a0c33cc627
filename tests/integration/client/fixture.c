#include "tests/integration/client/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/macros.h"
#include "google/protobuf/wrappers.pb-c.h"

#define WAIT_S 10

const struct pipit_method test_echo = {
        .name = "test.v1.EchoService/Echo",
        .full_name = "test_v1_echo",
        .request = &google__protobuf__bytes_value__descriptor,
        .response = &google__protobuf__bytes_value__descriptor,
};

const struct pipit_method test_other = {
        .name = "test.v1.EchoService/Other",
        .full_name = "test_v1_other",
        .request = &google__protobuf__string_value__descriptor,
        .response = &google__protobuf__string_value__descriptor,
};

void place_init(struct place *place)
{
        const char *tmp = getenv("TMPDIR");

        snprintf(place->directory,
                 sizeof(place->directory),
                 "%s/pipit-XXXXXX",
                 tmp && strlen(tmp) < 40 ? tmp : "/tmp");
        if (!mkdtemp(place->directory))
                abort();
        snprintf(place->url, sizeof(place->url), "ipc://%s/s", place->directory);
}

void place_deinit(struct place *place)
{
        unlink(place->url + strlen("ipc://"));
        rmdir(place->directory);
}

static void waited_done(struct pipit_call *call)
{
        struct waited_call *waited = pipit_container_of(call, struct waited_call, call);

        atomic_fetch_add(&waited->n_done, 1);
        sem_post(&waited->done);
}

void waited_init(struct waited_call *waited)
{
        memset(waited, 0, sizeof(*waited));
        sem_init(&waited->done, 0, 0);
        waited->call.done = waited_done;
}

void waited_deinit(struct waited_call *waited)
{
        pipit_call_deinit(&waited->call);
        sem_destroy(&waited->done);
}

static void fill(Google__Protobuf__BytesValue *value, const char *text)
{
        google__protobuf__bytes_value__init(value);
        value->value.data = (uint8_t *)(uintptr_t)text;
        value->value.len = strlen(text);
}

void waited_start(struct waited_call *waited, struct pipit_channel *channel, const char *text)
{
        Google__Protobuf__BytesValue value;

        fill(&value, text);
        pipit_channel_start(channel, &waited->call, &test_echo, &value.base);
}

bool waited_wait(struct waited_call *waited)
{
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += WAIT_S;

        return sem_timedwait(&waited->done, &until) == 0;
}

static bool value_is(const ProtobufCMessage *response, const char *text)
{
        const Google__Protobuf__BytesValue *value = (const void *)response;

        return value && value->value.len == strlen(text) &&
               memcmp(value->value.data, text, strlen(text)) == 0;
}

bool waited_is(const struct waited_call *waited, const char *text)
{
        return pipit_call_error(&waited->call)->status == PIPIT_OK &&
               value_is(pipit_call_response(&waited->call, &test_echo), text);
}

enum pipit_status blocking_echo(struct pipit_channel *channel,
                                struct pipit_call *call,
                                const char *text)
{
        const ProtobufCMessage *response = NULL;
        Google__Protobuf__BytesValue value;
        enum pipit_status status;

        fill(&value, text);
        status = pipit_channel_call(channel, call, &test_echo, &value.base, &response);
        if (status == PIPIT_OK && !value_is(response, text))
                return PIPIT_DATA_LOSS;

        return status;
}

struct pipit_channel *channel_to(const char *target)
{
        struct pipit_channel *channel = pipit_channel_new(target, NULL, NULL);

        if (!channel)
                abort();

        return channel;
}

/* A call that a dying connection took with it fails, and rightly so. */
void warm_up(struct pipit_channel *channel)
{
        int64_t until_ms = now_ms() + WAIT_S * 1000;
        struct pipit_call call = {.wait_for_ready = true};

        while (blocking_echo(channel, &call, "warm") != PIPIT_OK) {
                const struct pipit_error *error = pipit_call_error(&call);

                if (error->status == PIPIT_UNAVAILABLE && now_ms() < until_ms)
                        continue;
                fprintf(stderr,
                        "%s %s: %s\n",
                        pipit_status_name(error->status),
                        error->reason,
                        error->message);
                abort();
        }
        pipit_call_deinit(&call);
}

int64_t now_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);

        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int set_up(void **state, enum peer_mode mode)
{
        struct setting *setting = calloc(1, sizeof(*setting));

        if (!setting)
                return -1;
        place_init(&setting->place);
        setting->peer = peer_new(setting->place.url, 7, PEER_ECHO);
        setting->channel = channel_to(setting->place.url);
        if (mode == PEER_MANUAL)
                warm_up(setting->channel);
        peer_set_mode(setting->peer, mode);
        *state = setting;

        return 0;
}

int set_up_echo(void **state)
{
        return set_up(state, PEER_ECHO);
}

int set_up_manual(void **state)
{
        return set_up(state, PEER_MANUAL);
}

int tear_down(void **state)
{
        struct setting *setting = *state;

        setting->queue = pipit_queue_free(setting->queue);
        setting->channel = pipit_channel_free(setting->channel);
        setting->peer = peer_free(setting->peer);
        place_deinit(&setting->place);
        free(setting);

        return 0;
}
