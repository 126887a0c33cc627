#include "tests/bench/bench.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "core/base/macros.h"
#include "tests/bench/load.h"
#include "tests/harness/harness.h"
#include "tests/harness/tally.h"

#define NS_PER_S     INT64_C(1000000000)
#define N_OPEN_MAX   20000 /* in flight: that many waiting is far past any bound on latency */
#define N_MAX        100000
#define WINDOW_S_MIN 0.001
#define WARM_SHARE   0.25 /* of the span goes before it, uncounted */
#define ECHO_NUMBER  UINT64_C(20261127123456)
#define ECHO_TEXT    "small calls between services, often such" /* 40 */
#define ECHO_N_OTHER 52 /* text, number and the tags and lengths of all three */

struct flags {
        struct bench_options options;
        struct load load;
        double seconds;
        double window_s;    /* 0: none */
        double at_s;        /* CLOCK_MONOTONIC; 0: after a warm-up */
        pid_t server;       /* 0: not told */
        const char *serves; /* NULL: the server runs already */
        bool memory;
};

struct usage {
        int64_t client_ns;
        int64_t server_ns;
};

static const char usage_text[] =
        "usage: %s closed|blocking|open [FLAGS]\n"
        "  --url URL            of a server that runs already\n"
        "  --server-pid PID     its process: CPU time and memory\n"
        "  --serve PROGRAM      or: starts `PROGRAM URL` with a socket in a temporary folder\n"
        "  --n N                calls in flight, or threads (1; open: at most 20000)\n"
        "  --rate R             open: calls a second\n"
        "  --seconds S          how long is counted (1); a quarter more goes before\n"
        "  --at T               when counting begins, of CLOCK_MONOTONIC\n"
        "  --seed N             of the arrivals and of what is asked for (1)\n"
        "  --connections N      (1)\n"
        "  --bytes N            of an echo (80)\n"
        "  --work NAME          which calls, where there are several\n"
        "  --variant NAME       how they are made, where there are several ways\n"
        "  --users N            rows that are there\n"
        "  --window S           p99 of each such piece of the time, too: the median of them (0.001 "
        "to S)\n"
        "  --memory             looks at both processes' memory, halfway\n";

/* --- echo ------------------------------------------------------------------------ */

struct bench_echo bench_echo_make(size_t n_bytes)
{
        static uint8_t bytes[BENCH_BYTES_MAX];
        struct bench_echo echo = {.text = ECHO_TEXT, .number = ECHO_NUMBER, .data = bytes};

        if (n_bytes > ECHO_N_OTHER)
                echo.n_data = n_bytes - ECHO_N_OTHER;
        for (size_t i = 0; i < echo.n_data; i++)
                bytes[i] = (uint8_t)(i * 31 + 7);

        return echo;
}

bool bench_echo_is(const struct bench_echo *echo,
                   const char *text,
                   uint64_t number,
                   const uint8_t *data,
                   size_t n_data)
{
        return text && strcmp(text, echo->text) == 0 && number == echo->number &&
               n_data == echo->n_data && (n_data == 0 || memcmp(data, echo->data, n_data) == 0);
}

/* --- flags ------------------------------------------------------------------------- */

static size_t number(const char *name, const char *text, size_t min, size_t max)
{
        char *end;
        unsigned long long value = strtoull(text, &end, 10);

        if (*text < '0' || *text > '9' || *end || value < min || value > max)
                die("--%s: '%s' is not a number from %zu to %zu", name, text, min, max);

        return (size_t)value;
}

static double positive(const char *name, const char *text)
{
        char *end;
        double value = strtod(text, &end);

        if (end == text || *end || !(value > 0))
                die("--%s: '%s' is not a number over 0", name, text);

        return value;
}

static void flag_set(struct flags *flags, const char *name, const char *value)
{
        struct bench_options *options = &flags->options;

        if (strcmp(name, "url") == 0)
                options->url = value;
        else if (strcmp(name, "serve") == 0)
                flags->serves = value;
        else if (strcmp(name, "work") == 0)
                options->work = value;
        else if (strcmp(name, "variant") == 0)
                options->variant = value;
        else if (strcmp(name, "memory") == 0)
                flags->memory = true;
        else if (strcmp(name, "server-pid") == 0)
                flags->server = (pid_t)number(name, value, 1, INT32_MAX);
        else if (strcmp(name, "n") == 0)
                options->n = number(name, value, 1, N_MAX);
        else if (strcmp(name, "connections") == 0)
                options->n_connections = number(name, value, 1, N_MAX);
        else if (strcmp(name, "bytes") == 0)
                options->n_bytes = number(name, value, ECHO_N_OTHER, BENCH_BYTES_MAX);
        else if (strcmp(name, "users") == 0)
                options->n_users = number(name, value, 1, SIZE_MAX);
        else if (strcmp(name, "seed") == 0)
                flags->load.seed = number(name, value, 0, UINT32_MAX);
        else if (strcmp(name, "rate") == 0)
                flags->load.rate = positive(name, value);
        else if (strcmp(name, "seconds") == 0)
                flags->seconds = positive(name, value);
        else if (strcmp(name, "window") == 0)
                flags->window_s = positive(name, value);
        else
                flags->at_s = positive(name, value);
}

static enum load_kind kind_of(const char *program, const char *name)
{
        static const char *const names[] = {
                [LOAD_CLOSED] = "closed", [LOAD_BLOCKING] = "blocking", [LOAD_OPEN] = "open"};

        for (size_t i = 0; name && i < PIPIT_N_ELEMENTS(names); i++) {
                if (strcmp(names[i], name) == 0)
                        return (enum load_kind)i;
        }
        die(usage_text, program);
}

static void flags_read(struct flags *flags, int argc, char **argv)
{
        static const struct option known[] = {{"url", required_argument, NULL, 1},
                                              {"server-pid", required_argument, NULL, 1},
                                              {"serve", required_argument, NULL, 1},
                                              {"n", required_argument, NULL, 1},
                                              {"rate", required_argument, NULL, 1},
                                              {"seconds", required_argument, NULL, 1},
                                              {"at", required_argument, NULL, 1},
                                              {"seed", required_argument, NULL, 1},
                                              {"connections", required_argument, NULL, 1},
                                              {"bytes", required_argument, NULL, 1},
                                              {"work", required_argument, NULL, 1},
                                              {"variant", required_argument, NULL, 1},
                                              {"users", required_argument, NULL, 1},
                                              {"window", required_argument, NULL, 1},
                                              {"memory", no_argument, NULL, 1},
                                              {0}};
        int index;
        int found;

        flags->load.kind = kind_of(argv[0], argv[1]);
        while ((found = getopt_long(argc - 1, argv + 1, "", known, &index)) != -1) {
                if (found != 1)
                        die(usage_text, argv[0]);
                flag_set(flags, known[index].name, optarg);
        }
        if (!flags->options.url == !flags->serves)
                die("either --url or --serve");
        if (flags->load.kind == LOAD_OPEN && !(flags->load.rate > 0))
                die("an open load needs --rate");
        if (flags->window_s > 0 &&
            (flags->window_s < WINDOW_S_MIN || flags->window_s > flags->seconds))
                die("--window: from %g s to what --seconds says", WINDOW_S_MIN);
        if (flags->options.n == 0)
                flags->options.n = flags->load.kind == LOAD_OPEN ? N_OPEN_MAX : 1;
        flags->load.n = flags->options.n;
        flags->load.n_connections = flags->options.n_connections;
}

/* --- measuring ------------------------------------------------------------------------ */

static int64_t clock_ns(clockid_t clock)
{
        struct timespec time = {0};

        (void)clock_gettime(clock, &time);

        return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static struct usage usage_now(pid_t server)
{
        struct usage usage = {.client_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID)};
        clockid_t clock;

        if (server && clock_getcpuclockid(server, &clock) == 0)
                usage.server_ns = clock_ns(clock);

        return usage;
}

static void memory_print(pid_t server)
{
        (void)printf("\"client_pss_kib\":%zu,\"server_pss_kib\":%zu,",
                     process_memory(getpid(), "Pss:") / 1024,
                     server ? process_memory(server, "Pss:") / 1024 : 0);
}

static void latencies_print(const struct tally *tally)
{
        static const struct {
                const char *name;
                double share;
        } shown[] = {{"p50_us", 0.5},
                     {"p90_us", 0.9},
                     {"p99_us", 0.99},
                     {"p999_us", 0.999},
                     {"max_us", 1}};

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(shown); i++)
                (void)printf("\"%s\":%.1f,",
                             shown[i].name,
                             (double)tally_percentile_ns(tally, shown[i].share) / 1000);
}

static void windows_print(const struct windows *windows)
{
        (void)printf("\"window_p99_us\":%.1f,",
                     (double)windows_percentile_ns(windows, 0.99) / 1000);
}

static bool measure(struct flags *flags)
{
        int64_t span_ns = (int64_t)(flags->seconds * 1e9);
        struct load *load = &flags->load;
        struct load_result result;
        struct usage before;
        struct usage after;
        struct tally *tally;

        load->from_ns = flags->at_s > 0 ? (int64_t)(flags->at_s * 1e9)
                                        : load_now_ns() + (int64_t)((double)span_ns * WARM_SHARE);
        load->to_ns = load->from_ns + span_ns;
        if (flags->window_s > 0)
                load->windows =
                        windows_new(load->from_ns, load->to_ns, (int64_t)(flags->window_s * 1e9));
        load_start(load);

        load_sleep_until(load->from_ns);
        before = usage_now(flags->server);
        (void)printf("{");
        if (flags->memory) {
                load_sleep_until(load->from_ns + span_ns / 2);
                memory_print(flags->server);
        }
        load_sleep_until(load->to_ns);
        after = usage_now(flags->server);
        result = load_finish();

        tally = tally_take();
        latencies_print(tally);
        if (load->windows) {
                windows_print(load->windows);
                windows_free(load->windows);
        }
        (void)printf("\"calls\":%llu,\"seconds\":%.6f,\"client_cpu_s\":%.6f,\"server_cpu_s\":%.6f,"
                     "\"failed\":%llu,\"dropped\":%llu}\n",
                     (unsigned long long)tally_n(tally),
                     flags->seconds,
                     (double)(after.client_ns - before.client_ns) / 1e9,
                     (double)(after.server_ns - before.server_ns) / 1e9,
                     (unsigned long long)result.n_failed,
                     (unsigned long long)result.n_dropped);
        tally_free(tally);

        return result.n_failed == 0;
}

/* A thousand connections are some thousand descriptors. */
static void descriptors_raise(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                (void)setrlimit(RLIMIT_NOFILE, &limit);
        }
}

int bench_main(const struct bench_contestant *contestant, int argc, char **argv)
{
        struct flags flags = {
                .options = {.work = "",
                            .variant = "",
                            .n_connections = 1,
                            .n_bytes = BENCH_BYTES_DEFAULT},
                .load = {.contestant = contestant, .seed = 1},
                .seconds = 1,
        };
        struct process process = {0};
        char folder[64];
        char url[128];
        bool ok;

        flags_read(&flags, argc, argv);
        descriptors_raise();
        if (flags.serves) {
                temporary_folder_make(folder);
                (void)snprintf(url, sizeof(url), "ipc://%s/s", folder);
                process_start(&process, (const char *[]){flags.serves, url, NULL}, NULL);
                flags.options.url = url;
                flags.server = process.pid;
        }
        contestant->open(&flags.options);
        ok = measure(&flags);
        contestant->close();
        if (flags.serves) {
                (void)process_end(&process, SIGTERM);
                temporary_folder_remove(folder);
        }

        return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
