#include "tools/cli/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/json/base64.h"
#include "core/json/json.h"
#include "core/json/status_json.h"
#include "tools/cli/command.h"
#include "tools/cli/metadata.h"
#include "tools/cli/terminal.h"

#define RED    "\x1b[1;31m"
#define FAINT  "\x1b[2m"
#define NORMAL "\x1b[0m"

static const char *colour(const char *code)
{
        return cli_has_colours(stderr) ? code : "";
}

/* --- errors ------------------------------------------------------------------ */

static bool errors_are_json(const struct cli_arguments *arguments)
{
        if (arguments->options.errors)
                return strcmp(arguments->options.errors, "json") == 0;

        return !isatty(STDERR_FILENO);
}

/* Indented for people; a line each for programs, and for logs. */
static bool errors_are_pretty(const struct cli_arguments *arguments)
{
        if (arguments->options.compact)
                return false;

        return arguments->options.output == CLI_OUTPUT_JSON || isatty(STDERR_FILENO);
}

/* "[server ipc:///run/usersd.sock, ran]". */
static void print_origin(const struct pipit_error *error, const char *peer)
{
        static const char *const ran[] = {
                [PIPIT_NOT_RUN] = "not run",
                [PIPIT_MAY_HAVE_RUN] = "may have run",
                [PIPIT_RAN] = "ran",
        };
        bool has_peer = peer && error->origin != PIPIT_ORIGIN_LOCAL;

        (void)fprintf(stderr,
                      " %s[%s%s%s, %s]%s",
                      colour(FAINT),
                      pipit_origin_name(error->origin),
                      has_peer ? " " : "",
                      has_peer ? peer : "",
                      ran[error->ran],
                      colour(NORMAL));
}

static void print_text(const struct pipit_error *error, const char *peer)
{
        (void)fprintf(stderr,
                      "pipit: %s%s%s",
                      colour(RED),
                      pipit_status_name(error->status),
                      colour(NORMAL));
        if (error->reason) {
                (void)fputs(" (", stderr);
                cli_print_safe(stderr, error->reason);
                (void)fputc(')', stderr);
        }
        if (error->message && error->message[0]) {
                (void)fputs(": ", stderr);
                cli_print_safe(stderr, error->message);
        }
        print_origin(error, peer);
        (void)fputc('\n', stderr);

        for (size_t i = 0; i < error->n_violations; i++) {
                (void)fputs("  ", stderr);
                cli_print_safe(stderr, error->violations[i].field);
                (void)fputs(": ", stderr);
                cli_print_safe(stderr, error->violations[i].description);
                (void)fputc('\n', stderr);
        }
        if (error->retry_after_ms > 0)
                (void)fprintf(stderr,
                              "  try again in %" PRIu32 ".%03" PRIu32 " s\n",
                              error->retry_after_ms / 1000,
                              error->retry_after_ms % 1000);
}

int cli_print_error(struct cli_arguments *arguments,
                    const struct pipit_error *error,
                    const char *peer)
{
        const struct pipit_json_style style = {.pretty = errors_are_pretty(arguments)};
        struct pipit_error problem = {0};
        char *text;

        if (errors_are_json(arguments) &&
            pipit_json_write_status(error, &style, &arguments->arena, &text, &problem) == PIPIT_OK)
                (void)fprintf(stderr, "%s\n", text);
        else
                print_text(error, peer);

        return CLI_RPC_BASE + (int)error->status;
}

/* --- verbose ----------------------------------------------------------------- */

static void print_metadata(const struct pipit_metadata *entry)
{
        char buffer[256];

        (void)fputs("* ", stderr);
        cli_print_safe(stderr, entry->key);
        (void)fputs(": ", stderr);
        if (cli_metadata_is_text(entry)) {
                (void)fwrite(entry->value, 1, entry->n_value_bytes, stderr);
        } else {
                /* In pieces of whole groups, so that they read as one. */
                for (size_t at = 0; at < entry->n_value_bytes; at += 189) {
                        size_t n =
                                entry->n_value_bytes - at < 189 ? entry->n_value_bytes - at : 189;

                        pipit_base64_encode(entry->value + at, n, buffer);
                        (void)fwrite(buffer, 1, PIPIT_BASE64_TEXT_BYTES(n), stderr);
                }
                (void)fputs(" (base64)", stderr);
        }
        (void)fputc('\n', stderr);
}

void cli_print_call(const struct cli_arguments *arguments, const struct cli_dynamic_call *call)
{
        const char *peer = cli_dynamic_call_peer(call);

        if (!arguments->options.verbose)
                return;

        (void)fprintf(stderr,
                      "* %s %s at %s after %" PRId64 ".%03" PRId64 " ms\n",
                      call->method->name,
                      pipit_status_name(call->error.status),
                      peer ? peer : "no server",
                      call->duration_us / PIPIT_US_PER_MS,
                      call->duration_us % PIPIT_US_PER_MS);
        for (size_t i = 0; i < cli_dynamic_call_n_response_metadata(call); i++)
                print_metadata(cli_dynamic_call_response_metadata(call, i));
}
