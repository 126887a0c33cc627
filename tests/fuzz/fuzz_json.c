/*
 * JSON as the command line and `usersd invoke` take it
 *
 * What is read into a message can be written, and what was written is read as the same
 * message. The first byte chooses one.
 */

#include <string.h>

#include "core/base/macros.h"
#include "core/json/json.h"
#include "google/rpc/status.pb-c.h"
#include "samples.pb-c.h"
#include "tests/fuzz/fuzz.h"
#include "users/v1/users.pb-c.h"

static const ProtobufCMessageDescriptor *const descriptors[] = {
        &users__v1__create_user_request__descriptor,
        &users__v1__update_user_request__descriptor,
        &google__rpc__status__descriptor,
        &samples__v1__scalars__descriptor,
        &samples__v1__repeats__descriptor,
        &samples__v1__presence__descriptor,
        &samples__v1__maps__descriptor,
        &samples__v1__known__descriptor,
};

static char *write_json(const ProtobufCMessage *message, struct pipit_arena *arena)
{
        static const struct pipit_json_style style = {.pretty = false};
        struct pipit_error error;
        char *text = NULL;

        if (pipit_json_write(message, NULL, &style, arena, &text, &error) != PIPIT_OK)
                return NULL;
        return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
        struct fuzz_input input = {.at = bytes, .n_left = n_bytes};
        const ProtobufCMessageDescriptor *descriptor =
                descriptors[fuzz_byte(&input) % PIPIT_N_ELEMENTS(descriptors)];
        struct pipit_arena arena = {0};
        struct pipit_error error;
        ProtobufCMessage *message, *again;
        enum pipit_status status;
        char *text, *text_again;

        status = pipit_json_read(
                descriptor, (const char *)input.at, input.n_left, NULL, &arena, &message, &error);
        if (status != PIPIT_OK) {
                FUZZ_CHECK(error.status == status && error.message);
        } else {
                text = write_json(message, &arena);
                FUZZ_CHECK(text);
                status = pipit_json_read(
                        descriptor, text, strlen(text), NULL, &arena, &again, &error);
                FUZZ_CHECK(status == PIPIT_OK);
                text_again = write_json(again, &arena);
                FUZZ_CHECK(text_again && strcmp(text, text_again) == 0);
        }
        pipit_arena_deinit(&arena);

        return 0;
}
