#include "tools/cli/invocation.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/json/base64.h"
#include "core/rpc/wire_limits.h"
#include "tools/cli/command.h"
#include "tools/cli/report.h"

#define BINARY_SUFFIX "-bin"

/* As in gRPC: the value of a key that ends in "-bin" is bytes, written as base64. */
static bool decode_value(struct pipit_arena *arena,
                         const char *key,
                         const char *text,
                         const uint8_t **ret_value,
                         size_t *ret_n_bytes)
{
        size_t n_key = strlen(key), n_suffix = sizeof(BINARY_SUFFIX) - 1, n_text = strlen(text);

        *ret_value = (const uint8_t *)text;
        *ret_n_bytes = n_text;
        if (n_key <= n_suffix || strcmp(key + n_key - n_suffix, BINARY_SUFFIX) != 0)
                return true;

        uint8_t *bytes = pipit_arena_alloc(arena, PIPIT_BASE64_BYTES_MAX(n_text));

        *ret_value = bytes;
        return bytes && pipit_base64_decode(text, n_text, bytes, ret_n_bytes);
}

static int add_metadata(struct cli_arguments *arguments, struct pipit_call *call, const char *text)
{
        const char *equals = strchr(text, '=');
        const uint8_t *value;
        size_t n_bytes;

        if (!equals || equals == text)
                return cli_usage_error(arguments, "--metadata: '%s' is not KEY=VALUE", text);

        char *key = pipit_arena_strndup(&arguments->arena, text, (size_t)(equals - text));

        if (!key)
                return cli_value_error("out of memory");
        if (!decode_value(&arguments->arena, key, equals + 1, &value, &n_bytes))
                return cli_usage_error(arguments,
                                       "--metadata: '%s' is not base64, which %s wants",
                                       equals + 1,
                                       key);
        if (pipit_call_add_metadata(call, key, value, n_bytes) != PIPIT_OK)
                return cli_usage_error(arguments,
                                       "--metadata: '%s' is refused; a key is 1 to %d of "
                                       "a-z 0-9 . _ -, and there may be %d entries of %d bytes "
                                       "in all",
                                       key,
                                       PIPIT_METADATA_KEY_BYTES_MAX,
                                       PIPIT_METADATA_ENTRIES_MAX,
                                       PIPIT_METADATA_BYTES_MAX);

        return CLI_OK;
}

static int call_on(struct cli_arguments *arguments,
                   const struct pipit_schema *schema,
                   struct pipit_channel *channel,
                   struct pipit_call *call,
                   const struct pipit_method *method,
                   const ProtobufCMessage *request,
                   cli_response_fn done)
{
        const struct cli_list *metadata = &arguments->options.metadata;
        const ProtobufCMessage *response;

        for (size_t i = 0; i < metadata->n_values; i++) {
                int status = add_metadata(arguments, call, metadata->values[i]);

                if (status != CLI_OK)
                        return status;
        }

        int64_t start_us = pipit_clock_now_us();
        enum pipit_status status = pipit_channel_call(channel, call, method, request, &response);

        cli_print_call(arguments, call, method->name, pipit_clock_now_us() - start_us);
        if (status != PIPIT_OK)
                return cli_print_error(arguments, pipit_call_error(call), pipit_call_peer(call));

        return done(arguments, schema, response);
}

/* The library names a member of its options; who types wants the flag. */
static int fail_target(const char *target, const struct pipit_error *error)
{
        if (error->message && strstr(error->message, "insecure_plaintext"))
                return cli_value_error("%s: tcp:// without keys needs --insecure-plaintext",
                                       target);

        return cli_value_error("%s",
                               error->message ? error->message : "the target is not understood");
}

int cli_invoke(struct cli_arguments *arguments,
               const struct pipit_schema *schema,
               const char *target,
               const struct pipit_method *method,
               const ProtobufCMessage *request,
               cli_response_fn done)
{
        const struct pipit_channel_options options = {
                .insecure_plaintext = arguments->options.insecure_plaintext,
        };
        struct pipit_call call = {
                .timeout_ms = arguments->options.timeout_ms,
                .wait_for_ready = arguments->options.wait_for_ready,
        };
        struct pipit_error error = {0};
        struct pipit_channel *channel = pipit_channel_new(target, &options, &error);

        if (!channel)
                return fail_target(target, &error);

        int status = call_on(arguments, schema, channel, &call, method, request, done);

        pipit_call_deinit(&call);
        pipit_channel_free(channel);
        return status;
}
