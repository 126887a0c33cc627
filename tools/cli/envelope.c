#include "tools/cli/envelope.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/json/base64.h"
#include "core/json/status_json.h"
#include "core/json/value.h"
#include "tools/cli/command.h"
#include "tools/cli/metadata.h"
#include "tools/cli/output.h"

struct envelope {
        struct pipit_json_writer writer;
        const char *method;
        const struct pipit_error *error;
        const struct cli_dynamic_call *call; /* NULL: it did not run */
        int64_t start_us;
        int64_t duration_us;
};

static void write_member(struct envelope *envelope, const char *key, const char *value)
{
        pipit_json_writer_key(&envelope->writer, key);
        pipit_json_writer_string(&envelope->writer, value, strlen(value));
}

/* JSON made elsewhere, laid out as the rest. */
static void write_json(struct envelope *envelope, const char *text)
{
        struct pipit_error error = {.status = PIPIT_OK};
        struct pipit_json_value *value;

        if (pipit_json_parse(text, strlen(text), envelope->writer.arena, &value, &error) ==
            PIPIT_OK)
                cli_rewrite(&envelope->writer, value);
        else
                pipit_json_writer_raw(&envelope->writer, text);
}

/* What google.rpc.Status has, behind what it has not. */
static void write_status_members(struct envelope *envelope)
{
        struct pipit_error problem = {.status = PIPIT_OK};
        struct pipit_json_value *value;
        char *text;

        if (pipit_json_write_status(
                    envelope->error, NULL, envelope->writer.arena, &text, &problem) != PIPIT_OK ||
            pipit_json_parse(text, strlen(text), envelope->writer.arena, &value, &problem) !=
                    PIPIT_OK)
                return;

        for (const struct pipit_json_value *child = value->first; child; child = child->next) {
                if (strcmp(child->key, "code") == 0)
                        continue;
                pipit_json_writer_key(&envelope->writer, child->key);
                cli_rewrite(&envelope->writer, child);
        }
}

static void write_status(struct envelope *envelope)
{
        char code[16];

        (void)snprintf(code, sizeof(code), "%d", (int)envelope->error->status);
        pipit_json_writer_key(&envelope->writer, "status");
        pipit_json_writer_begin(&envelope->writer, '{');
        pipit_json_writer_key(&envelope->writer, "code");
        pipit_json_writer_raw(&envelope->writer, code);
        write_member(envelope, "name", pipit_status_name(envelope->error->status));
        if (envelope->error->reason)
                write_member(envelope, "reason", envelope->error->reason);
        if (envelope->error->status != PIPIT_OK) {
                write_member(envelope, "origin", pipit_origin_name(envelope->error->origin));
                write_member(envelope, "ran", pipit_ran_name(envelope->error->ran));
                write_status_members(envelope);
        }
        pipit_json_writer_end(&envelope->writer, '}');
}

static void write_value(struct envelope *envelope, const struct pipit_metadata *entry)
{
        if (cli_metadata_is_text(entry)) {
                pipit_json_writer_string(
                        &envelope->writer, (const char *)entry->value, entry->n_value_bytes);
                return;
        }

        char *space = pipit_json_writer_string_space(&envelope->writer,
                                                     PIPIT_BASE64_TEXT_BYTES(entry->n_value_bytes));

        if (space)
                pipit_base64_encode(entry->value, entry->n_value_bytes, space);
}

/* Every value of a key where the key stands first. */
static void write_metadata(struct envelope *envelope)
{
        const struct cli_dynamic_call *call = envelope->call;
        size_t n = call ? cli_dynamic_call_n_response_metadata(call) : 0;

        pipit_json_writer_key(&envelope->writer, "metadata");
        pipit_json_writer_begin(&envelope->writer, '{');
        for (size_t i = 0; i < n; i++) {
                const char *key = cli_dynamic_call_response_metadata(call, i)->key;
                bool is_first = true;

                for (size_t j = 0; j < i && is_first; j++)
                        is_first = strcmp(cli_dynamic_call_response_metadata(call, j)->key, key);
                if (!is_first)
                        continue;

                pipit_json_writer_key(&envelope->writer, key);
                pipit_json_writer_begin(&envelope->writer, '[');
                for (size_t j = i; j < n; j++) {
                        const struct pipit_metadata *entry =
                                cli_dynamic_call_response_metadata(call, j);

                        if (strcmp(entry->key, key) == 0)
                                write_value(envelope, entry);
                }
                pipit_json_writer_end(&envelope->writer, ']');
        }
        pipit_json_writer_end(&envelope->writer, '}');
}

static void write_timing(struct envelope *envelope)
{
        const time_t seconds = (time_t)(envelope->start_us / PIPIT_US_PER_S);
        char date[32] = "", start[64], duration[32];
        struct tm tm;

        if (gmtime_r(&seconds, &tm))
                (void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
        (void)snprintf(start,
                       sizeof(start),
                       "%s.%06" PRId64 "Z",
                       date,
                       envelope->start_us % PIPIT_US_PER_S);
        (void)snprintf(duration,
                       sizeof(duration),
                       "%" PRId64 ".%03" PRId64,
                       envelope->duration_us / PIPIT_US_PER_MS,
                       envelope->duration_us % PIPIT_US_PER_MS);

        pipit_json_writer_key(&envelope->writer, "timing");
        pipit_json_writer_begin(&envelope->writer, '{');
        write_member(envelope, "startTime", start);
        pipit_json_writer_key(&envelope->writer, "durationMs");
        pipit_json_writer_raw(&envelope->writer, duration);
        pipit_json_writer_end(&envelope->writer, '}');
}

static void write_envelope(struct envelope *envelope)
{
        const struct cli_dynamic_call *call = envelope->call;
        const char *peer = call ? cli_dynamic_call_peer(call) : NULL;

        pipit_json_writer_begin(&envelope->writer, '{');
        write_member(envelope, "method", envelope->method);
        write_status(envelope);
        if (peer)
                write_member(envelope, "peer", peer);
        write_metadata(envelope);
        pipit_json_writer_key(&envelope->writer, "response");
        if (call && call->response)
                write_json(envelope, call->response);
        else
                pipit_json_writer_raw(&envelope->writer, "null");
        write_timing(envelope);
        pipit_json_writer_end(&envelope->writer, '}');
}

static int print(const struct cli_arguments *arguments, struct envelope *envelope)
{
        PIPIT_CLEANUP(pipit_arena_deinit) struct pipit_arena arena = {.cap_bytes = 0};

        envelope->writer.arena = &arena;
        envelope->writer.pretty = cli_output_style(arguments).pretty;
        write_envelope(envelope);

        const char *text = pipit_json_writer_finish(&envelope->writer);

        if (text)
                return cli_print_data(arguments, text);

        (void)cli_value_error("out of memory");
        return CLI_INTERNAL;
}

int cli_print_envelope(const struct cli_arguments *arguments, const struct cli_dynamic_call *call)
{
        struct envelope envelope = {
                .method = call->method->name,
                .error = &call->error,
                .call = call,
                .start_us = call->start_us,
                .duration_us = call->duration_us,
        };

        return print(arguments, &envelope);
}

int cli_print_envelope_of_error(const struct cli_arguments *arguments,
                                const char *method,
                                const struct pipit_error *error,
                                int64_t start_us,
                                int64_t duration_us)
{
        struct envelope envelope = {
                .method = method,
                .error = error,
                .start_us = start_us,
                .duration_us = duration_us,
        };

        return print(arguments, &envelope);
}
