/*
 * Echo, Pipit: the generated client; its server is fault-server
 *
 * Variant "sealed": tcp with keys, those of the configuration folder.
 */

#include <pipit/client.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/macros.h"
#include "echo/v1/echo.pipit.h"
#include "tests/bench/bench.h"
#include "tests/harness/harness.h"

struct caller {
        struct pipit_call call;
        struct bench_slot *slot;
        struct pipit_channel *channel;
};

static struct bench_echo echo;
static struct pipit_channel **channels;
static size_t n_channels;

static Echo__V1__EchoRequest request_make(void)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;

        request.text = (char *)(uintptr_t)echo.text;
        request.number = echo.number;
        request.data.data = (uint8_t *)(uintptr_t)echo.data;
        request.data.len = echo.n_data;

        return request;
}

/* Dialled when this returns: the calls that are measured find a connection. */
static struct pipit_channel *connect_channel(const char *url, bool is_plain)
{
        const struct pipit_channel_options options = {.insecure_plaintext = is_plain};
        struct pipit_channel *channel = pipit_channel_new(url, &options, NULL);
        struct pipit_call call = {.wait_for_ready = true};
        Echo__V1__EchoRequest request = request_make();

        if (!channel || echo_v1_echo(channel, &call, &request, NULL) != PIPIT_OK)
                die("%s: %s", url, channel ? pipit_call_error(&call)->message : "no channel");
        pipit_call_deinit(&call);

        return channel;
}

static void open_channels(const struct bench_options *options)
{
        echo = bench_echo_make(options->n_bytes);
        n_channels = options->n_connections;
        channels = calloc(n_channels, sizeof(struct pipit_channel *));
        if (!channels)
                die("out of memory");
        for (size_t i = 0; i < n_channels; i++)
                channels[i] =
                        connect_channel(options->url, strcmp(options->variant, "sealed") != 0);
}

static void close_channels(void)
{
        for (size_t i = 0; i < n_channels; i++)
                (void)pipit_channel_free(channels[i]);
        free(channels);
}

static bool is_echo(const Echo__V1__EchoResponse *response)
{
        return response && bench_echo_is(&echo,
                                         response->text,
                                         response->number,
                                         response->data.data,
                                         response->data.len);
}

static void echo_done(struct pipit_call *call)
{
        struct caller *caller = pipit_container_of(call, struct caller, call);

        bench_done(caller->slot, is_echo(echo_v1_echo_response(call)));
}

static void *caller_new(struct bench_slot *slot)
{
        struct caller *caller = calloc(1, sizeof(*caller));

        if (!caller)
                die("out of memory");
        caller->slot = slot;
        caller->channel = channels[slot->index % n_channels];
        caller->call.done = echo_done;
        caller->call.wait_for_ready =
                true; /* the first calls come before the first dial is through */

        return caller;
}

static void caller_free(struct bench_slot *slot)
{
        struct caller *caller = slot->contestant;

        pipit_call_deinit(&caller->call);
        free(caller);
}

static void echo_start(struct bench_slot *slot)
{
        struct caller *caller = slot->contestant;
        Echo__V1__EchoRequest request = request_make();

        pipit_call_reset(&caller->call);
        echo_v1_echo_start(caller->channel, &caller->call, &request);
}

static bool echo_call(struct bench_slot *slot)
{
        struct caller *caller = slot->contestant;
        Echo__V1__EchoRequest request = request_make();
        const Echo__V1__EchoResponse *response;

        pipit_call_reset(&caller->call);

        return echo_v1_echo(caller->channel, &caller->call, &request, &response) == PIPIT_OK &&
               is_echo(response);
}

int main(int argc, char **argv)
{
        static const struct bench_contestant contestant = {
                .name = "pipit",
                .open = open_channels,
                .slot_new = caller_new,
                .start = echo_start,
                .call = echo_call,
                .slot_free = caller_free,
                .close = close_channels,
        };

        return bench_main(&contestant, argc, argv);
}
