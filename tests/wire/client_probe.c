/*
 * The client library, led by lines on standard input
 *
 *      client_probe URL
 *
 *      start NAME TIMEOUT_MS [TEXT]    Echo of TEXT, fail-fast
 *      wait NAME TIMEOUT_MS [TEXT]     the same, waiting for a server
 *      cancel NAME
 *
 * Prints for each call, when it ends, `NAME STATUS RAN ORIGIN REASON TEXT MS`,
 * `-` for what is absent; MS is how long it took. At the end of input it frees
 * the channel, prints `freed N` (calls that ended so far) and exits.
 */

#include <pipit/client.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/macros.h"
#include "echo/v1/echo.pipit.h"

#define NAME_BYTES 64

struct probe {
        struct probe *next;
        struct pipit_call call;
        char name[NAME_BYTES];
        int64_t start_us;
};

static atomic_uint n_ended;

static const char *or_dash(const char *text)
{
        return text && text[0] != '\0' ? text : "-";
}

static void print_end(struct pipit_call *call)
{
        struct probe *probe = pipit_container_of(call, struct probe, call);
        const struct pipit_error *error = pipit_call_error(call);
        const Echo__V1__EchoResponse *response = echo_v1_echo_response(call);
        bool failed = error->status != PIPIT_OK;

        atomic_fetch_add(&n_ended, 1);
        printf("%s %s %s %s %s %s %lld\n",
               probe->name,
               pipit_status_name(error->status),
               failed ? pipit_ran_name(error->ran) : "-",
               failed ? pipit_origin_name(error->origin) : "-",
               or_dash(error->reason),
               or_dash(response ? response->text : NULL),
               (long long)((pipit_clock_now_us() - probe->start_us) / PIPIT_US_PER_MS));
        fflush(stdout);
}

static struct probe *find(struct probe *probes, const char *name)
{
        while (probes && strcmp(probes->name, name) != 0)
                probes = probes->next;

        return probes;
}

static struct probe *start(struct pipit_channel *channel,
                           const char *name,
                           unsigned timeout_ms,
                           char *text,
                           bool waits)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        struct probe *probe = calloc(1, sizeof(*probe));

        if (!probe)
                exit(EXIT_FAILURE);

        snprintf(probe->name, sizeof(probe->name), "%s", name);
        probe->call.timeout_ms = timeout_ms;
        probe->call.wait_for_ready = waits;
        probe->call.done = print_end;
        probe->start_us = pipit_clock_now_us();
        request.text = text;
        echo_v1_echo_start(channel, &probe->call, &request);

        return probe;
}

static struct probe *obey(struct pipit_channel *channel, struct probe *probes, char *line)
{
        char verb[16], name[NAME_BYTES], text[NAME_BYTES] = "";
        unsigned timeout_ms = 0;
        int n = sscanf(line, "%15s %63s %u %63s", verb, name, &timeout_ms, text);
        struct probe *probe;

        if (n >= 2 && strcmp(verb, "cancel") == 0) {
                probe = find(probes, name);
                if (probe)
                        pipit_call_cancel(&probe->call);
                return probes;
        }
        if (n < 3)
                return probes;

        probe = start(channel, name, timeout_ms, text, strcmp(verb, "wait") == 0);
        probe->next = probes;

        return probe;
}

int main(int argc, char **argv)
{
        const struct pipit_channel_options options = {
                .insecure_plaintext = true,
                .n_lanes = 4,
                .redial_max_ms = 50,
        };
        struct pipit_error error = {0};
        struct pipit_channel *channel;
        struct probe *probes = NULL;
        char line[256];

        if (argc != 2)
                return EXIT_FAILURE;
        channel = pipit_channel_new(argv[1], &options, &error);
        if (!channel) {
                fprintf(stderr, "client_probe: %s\n", or_dash(error.message));
                return EXIT_FAILURE;
        }

        while (fgets(line, sizeof(line), stdin))
                probes = obey(channel, probes, line);

        pipit_channel_free(channel);
        printf("freed %u\n", atomic_load(&n_ended));
        while (probes) {
                struct probe *next = probes->next;

                pipit_call_deinit(&probes->call);
                free(probes);
                probes = next;
        }

        return EXIT_SUCCESS;
}
