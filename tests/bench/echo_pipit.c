/*
 * Pipit: generated client and server, two processes
 */

#include <pipit/client.h>
#include <stdlib.h>

#include "core/base/macros.h"
#include "echo/v1/echo.pipit.h"
#include "tests/bench/bench.h"
#include "tests/harness/harness.h"

struct echo {
        struct pipit_call call;
        struct bench_slot *slot;
};

static struct pipit_channel *channel;

static pid_t server_start(const char *server, const char *url)
{
        struct process process;

        process_start(&process, (const char *[]){server, url, NULL}, NULL);

        return process.pid;
}

static void echo_open(const char *url)
{
        channel = pipit_channel_new(url, NULL, NULL);
        if (!channel)
                die("%s: no channel", url);
}

static void echo_done(struct pipit_call *call)
{
        struct echo *echo = pipit_container_of(call, struct echo, call);
        const Echo__V1__EchoResponse *response = echo_v1_echo_response(call);

        bench_done(echo->slot, response && response->text[0] == BENCH_TEXT[0]);
}

static void *slot_new(struct bench_slot *slot)
{
        struct echo *echo = calloc(1, sizeof(*echo));

        if (!echo)
                die("out of memory");
        echo->slot = slot;
        echo->call.done = echo_done;

        return echo;
}

static void slot_free(struct bench_slot *slot)
{
        struct echo *echo = slot->contestant;

        pipit_call_deinit(&echo->call);
        free(echo);
}

static void echo_start(struct bench_slot *slot)
{
        struct echo *echo = slot->contestant;
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;

        request.text = (char *)BENCH_TEXT;
        pipit_call_reset(&echo->call);
        echo_v1_echo_start(channel, &echo->call, &request);
}

static bool echo_call(struct bench_slot *slot)
{
        struct echo *echo = slot->contestant;
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        const Echo__V1__EchoResponse *response;

        request.text = (char *)BENCH_TEXT;
        pipit_call_reset(&echo->call);

        return echo_v1_echo(channel, &echo->call, &request, &response) == PIPIT_OK &&
               response->text[0] == BENCH_TEXT[0];
}

static void echo_close(void)
{
        channel = pipit_channel_free(channel);
}

int main(int argc, char **argv)
{
        static const struct bench_contestant contestant = {
                .name = "pipit",
                .server_start = server_start,
                .open = echo_open,
                .slot_new = slot_new,
                .start = echo_start,
                .call = echo_call,
                .slot_free = slot_free,
                .close = echo_close,
        };

        return bench_main(&contestant, argc, argv);
}
