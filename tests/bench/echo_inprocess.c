/*
 * A blocking echo in-process beside the same over ipc, in one run
 *
 *      bench-echo-inprocess SERVER [ROUNDS]
 *
 * One thread, one call at a time, in rounds that alternate between the two ways,
 * so that whatever else the machine does falls on both. ipc goes to SERVER, a
 * process of its own; in-process to a server object in this one, whose handler
 * does the same. What is timed is the typed call, from packing the request to the
 * unpacked response. Prints the median of the rounds' medians, for each way, and
 * the median of the rounds' ratios. Fails when in-process takes over a tenth of
 * ipc. Most of what ipc takes is the waking of processors that sleep, which it does
 * not have to where others keep them awake: while they do it is measured again, and
 * if they never stop it is skipped, unless in-process takes over a fifth. Sanitizers
 * and builds without optimisation only have to finish.
 */

#include <pipit/inprocess.h>
#include <pipit/server.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/base/macros.h"
#include "echo/v1/echo.pipit.h"
#include "tests/harness/harness.h"

#define TEXT                "an echo of eighty bytes or so, as small calls between services tend to be long"
#define ROUNDS_DEFAULT      15
#define ROUNDS_MAX          1000
#define CALLS_IPC           200
#define CALLS_INPROCESS     2000
#define RATIO_MIN_PER_MILLE 10000
#define BUSY_MIN_PER_MILLE  5000
#define BUSY_SHARE          4 /* others had more than this part of a processor */
#define TRIES               20
#define SKIPPED             77 /* to Meson */

#if PIPIT_ADDRESS_SANITIZER || PIPIT_THREAD_SANITIZER || !defined(__OPTIMIZE__)
#define IS_SLOWED true
#else
#define IS_SLOWED false
#endif

static void handle_echo(void *self,
                        struct pipit_server_call *call,
                        const Echo__V1__EchoRequest *request)
{
        Echo__V1__EchoResponse response = ECHO__V1__ECHO_RESPONSE__INIT;

        (void)self;
        response.text = request->text;
        response.number = request->number;
        response.data = request->data;
        echo_v1_echo_reply(call, &response);
}

static struct pipit_server *serve(void)
{
        static const struct echo_v1_echo_service handlers = {.echo = handle_echo};
        struct pipit_server *server = pipit_server_new(NULL, NULL);

        if (!server || echo_v1_echo_service_register(server, &handlers, NULL) != PIPIT_OK ||
            pipit_server_start(server, NULL) != PIPIT_OK)
                die("no server");

        return server;
}

/* --- who else is at work ------------------------------------------------------------ */

/* CPU time of all processes of the machine, in nanoseconds. */
static int64_t machine_ns(void)
{
        unsigned long long user, nice, system, idle, waits, interrupts, soft, stolen;
        FILE *file = fopen("/proc/stat", "re");
        int n_read = 0;

        if (file) {
                n_read = fscanf(file,
                                "cpu %llu %llu %llu %llu %llu %llu %llu %llu",
                                &user,
                                &nice,
                                &system,
                                &idle,
                                &waits,
                                &interrupts,
                                &soft,
                                &stolen);
                (void)fclose(file);
        }
        if (n_read != 8)
                die("/proc/stat cannot be read");

        return (int64_t)(user + nice + system + interrupts + soft + stolen) *
               (INT64_C(1000000000) / sysconf(_SC_CLK_TCK));
}

static int64_t clock_ns(clockid_t clock)
{
        struct timespec time;

        if (clock_gettime(clock, &time) < 0)
                die("a clock cannot be read");

        return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* CPU time of all but this process and @server. */
static int64_t others_ns(pid_t server)
{
        clockid_t clock;

        if (clock_getcpuclockid(server, &clock) != 0)
                die("the server has no clock");

        return machine_ns() - clock_ns(CLOCK_PROCESS_CPUTIME_ID) - clock_ns(clock);
}

/* --- calls --------------------------------------------------------------------------- */

/* Nanoseconds. */
static int64_t call_once(struct pipit_channel *channel, struct pipit_call *call)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        const Echo__V1__EchoResponse *response;
        int64_t start_ns = clock_ns(CLOCK_MONOTONIC);

        request.text = (char *)(uintptr_t)TEXT;
        pipit_call_reset(call);
        if (echo_v1_echo(channel, call, &request, &response) != PIPIT_OK ||
            response->text[0] != TEXT[0])
                die("a call failed: %s", pipit_call_error(call)->message);

        return clock_ns(CLOCK_MONOTONIC) - start_ns;
}

/* The median of @n_calls, in nanoseconds; some before them are not counted. */
static int64_t round_once(struct pipit_channel *channel, size_t n_calls)
{
        static int64_t times[CALLS_INPROCESS];
        struct pipit_call call = {.timeout_ms = 60000, .wait_for_ready = true};

        for (size_t i = 0; i < n_calls / 10; i++)
                (void)call_once(channel, &call);
        for (size_t i = 0; i < n_calls; i++)
                times[i] = call_once(channel, &call);
        pipit_call_deinit(&call);

        return median(times, n_calls);
}

enum outcome {
        FAST,
        SLOW,
        UNKNOWN, /* others were at work */
};

static enum outcome compare(struct pipit_channel *inprocess,
                            struct pipit_channel *ipc,
                            pid_t server,
                            size_t n_rounds)
{
        static int64_t inprocess_ns[ROUNDS_MAX], ipc_ns[ROUNDS_MAX], ratios[ROUNDS_MAX];
        int64_t begin_ns = clock_ns(CLOCK_MONOTONIC);
        int64_t others_begin_ns = others_ns(server);
        int64_t ratio;
        bool is_busy;

        for (size_t i = 0; i < n_rounds; i++) {
                ipc_ns[i] = round_once(ipc, CALLS_IPC);
                inprocess_ns[i] = round_once(inprocess, CALLS_INPROCESS);
                ratios[i] = ipc_ns[i] * 1000 / (inprocess_ns[i] + 1);
        }
        ratio = median(ratios, n_rounds);
        is_busy = (others_ns(server) - others_begin_ns) * BUSY_SHARE >
                  clock_ns(CLOCK_MONOTONIC) - begin_ns;
        (void)printf("{\"mode\":\"blocking\",\"n\":1,\"rounds\":%zu,\"inprocess_p50_us\":%.2f,"
                     "\"ipc_p50_us\":%.2f,\"ratio\":%.1f,\"busy\":%s}\n",
                     n_rounds,
                     (double)median(inprocess_ns, n_rounds) / 1000,
                     (double)median(ipc_ns, n_rounds) / 1000,
                     (double)ratio / 1000,
                     is_busy ? "true" : "false");

        if (IS_SLOWED || ratio >= RATIO_MIN_PER_MILLE)
                return FAST;

        return is_busy && ratio >= BUSY_MIN_PER_MILLE ? UNKNOWN : SLOW;
}

int main(int argc, char **argv)
{
        size_t n_rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : ROUNDS_DEFAULT;
        struct pipit_channel *inprocess, *ipc;
        struct pipit_server *server;
        struct process process;
        char folder[64], url[128];
        enum outcome outcome = UNKNOWN;

        if (argc < 2 || n_rounds < 1 || n_rounds > ROUNDS_MAX)
                die("usage: %s SERVER [ROUNDS]", argv[0]);

        temporary_folder_make(folder);
        (void)snprintf(url, sizeof(url), "ipc://%s/s", folder);
        process_start(&process, (const char *[]){argv[1], url, NULL}, NULL);
        server = serve();
        ipc = pipit_channel_new(url, NULL, NULL);
        inprocess = pipit_channel_new_inprocess(pipit_server_inprocess(server), NULL, NULL);
        if (!ipc || !inprocess)
                die("no channel");

        for (int i = 0; i < TRIES && outcome == UNKNOWN; i++)
                outcome = compare(inprocess, ipc, process.pid, n_rounds);

        (void)pipit_channel_free(inprocess);
        (void)pipit_channel_free(ipc);
        (void)pipit_server_free(server);
        (void)process_end(&process, SIGTERM);
        temporary_folder_remove(folder);

        if (outcome == UNKNOWN) {
                (void)printf(
                        "skipped: others keep the processors awake, so ipc has not to wake them\n");
                return SKIPPED;
        }

        return outcome == FAST ? EXIT_SUCCESS : EXIT_FAILURE;
}
