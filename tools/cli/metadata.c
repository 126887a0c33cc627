#include "tools/cli/metadata.h"

#include <pipit/client.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/json/base64.h"
#include "core/rpc/wire_limits.h"
#include "tools/cli/command.h"

#define BINARY_SUFFIX "-bin"

static bool is_binary(const char *key)
{
        size_t n_key = strlen(key), n_suffix = sizeof(BINARY_SUFFIX) - 1;

        return n_key > n_suffix && strcmp(key + n_key - n_suffix, BINARY_SUFFIX) == 0;
}

static bool decode_value(struct pipit_arena *arena, const char *text, struct pipit_metadata *entry)
{
        size_t n_text = strlen(text);

        entry->value = (const uint8_t *)text;
        entry->n_value_bytes = n_text;
        if (!is_binary(entry->key))
                return true;

        uint8_t *bytes = pipit_arena_alloc(arena, PIPIT_BASE64_BYTES_MAX(n_text));

        entry->value = bytes;
        return bytes && pipit_base64_decode(text, n_text, bytes, &entry->n_value_bytes);
}

/* Which of the library's rules it was: with a call of its own an entry can only break that of keys. */
static int fail_entry(const struct cli_arguments *arguments, const struct pipit_metadata *entry)
{
        struct pipit_call alone = {.timeout_ms = 0};
        enum pipit_status status = pipit_call_add_metadata(&alone, entry->key, "", 0);

        pipit_call_deinit(&alone);
        if (status != PIPIT_OK)
                return cli_usage_error(arguments,
                                       "metadata: '%s' is no key: one is 1 to %d of a-z 0-9 . _ -",
                                       entry->key,
                                       PIPIT_METADATA_KEY_BYTES_MAX);
        if (arguments->options.metadata.n_values > PIPIT_METADATA_ENTRIES_MAX)
                return cli_usage_error(arguments,
                                       "metadata: there are %zu entries, and at most %d go",
                                       arguments->options.metadata.n_values,
                                       PIPIT_METADATA_ENTRIES_MAX);

        return cli_usage_error(arguments,
                               "metadata: with '%s' there are more than the %d bytes that go, of "
                               "keys and values in all",
                               entry->key,
                               PIPIT_METADATA_BYTES_MAX);
}

/* @probe takes what was read so far: the library has the last word on what is allowed. */
static int read_entry(struct cli_arguments *arguments,
                      const char *text,
                      struct pipit_call *probe,
                      struct pipit_metadata *entry)
{
        const char *equals = strchr(text, '=');

        if (!equals || equals == text)
                return cli_usage_error(arguments, "metadata: '%s' is not KEY=VALUE", text);

        entry->key = pipit_arena_strndup(&arguments->arena, text, (size_t)(equals - text));
        if (!entry->key)
                return cli_value_error("out of memory");
        if (!decode_value(&arguments->arena, equals + 1, entry))
                return cli_usage_error(arguments,
                                       "metadata: '%s' is not base64, which %s wants",
                                       equals + 1,
                                       entry->key);
        if (pipit_call_add_metadata(probe, entry->key, entry->value, entry->n_value_bytes) !=
            PIPIT_OK)
                return fail_entry(arguments, entry);

        return CLI_OK;
}

int cli_metadata_read(struct cli_arguments *arguments,
                      const struct pipit_metadata **ret_metadata,
                      size_t *ret_n_metadata)
{
        const struct cli_list *list = &arguments->options.metadata;
        struct pipit_metadata *metadata =
                pipit_arena_alloc(&arguments->arena, list->n_values * sizeof(*metadata));
        struct pipit_call probe = {.timeout_ms = 0};
        int status = CLI_OK;

        if (!metadata)
                return cli_value_error("out of memory");

        for (size_t i = 0; i < list->n_values && status == CLI_OK; i++)
                status = read_entry(arguments, list->values[i], &probe, &metadata[i]);

        pipit_call_deinit(&probe);
        *ret_metadata = metadata;
        *ret_n_metadata = list->n_values;
        return status;
}

bool cli_metadata_is_text(const struct pipit_metadata *entry)
{
        size_t at = 0;

        if (is_binary(entry->key))
                return false;

        while (at < entry->n_value_bytes) {
                uint32_t code_point;
                size_t n = pipit_utf8_decode(
                        entry->value + at, entry->n_value_bytes - at, &code_point);

                if (n == 0 || pipit_utf8_is_control(code_point))
                        return false;
                at += n;
        }

        return true;
}
