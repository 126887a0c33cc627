/*
 * What protoc sends to protoc-gen-pipit: a CodeGeneratorRequest
 *
 * What is none is refused; else the answer is a CodeGeneratorResponse that has either
 * files or an error. The generator of messages, which would be another program, is
 * played here: it answers with the last bytes of the input (how many, its first two
 * say), and what it answers is passed on.
 */

#include <string.h>

#include "core/base/arena.h"
#include "gen/child.h"
#include "gen/generator.h"
#include "google/protobuf/compiler/plugin.pb-c.h"
#include "tests/fuzz/fuzz.h"

static struct fuzz_input answer;

/* In the place of gen/child.c: no program is started by what a fuzzer makes up. */
bool child_run(const char *program,
               const void *bytes,
               size_t n_bytes,
               struct text *output,
               const char **ret_error)
{
        (void)program;
        (void)bytes;
        (void)n_bytes;
        if (answer.n_left == 0) {
                *ret_error = "nothing";
                return false;
        }
        memcpy(text_reserve(output, answer.n_left), answer.at, answer.n_left);
        text_advance(output, answer.n_left);

        return true;
}

static void check_response(const struct text *text)
{
        Google__Protobuf__Compiler__CodeGeneratorResponse *response =
                google__protobuf__compiler__code_generator_response__unpack(
                        NULL, text->n_bytes, (const uint8_t *)text->bytes);

        FUZZ_CHECK(response);
        FUZZ_CHECK(!(response->error && response->error[0] && response->n_file > 0));
        google__protobuf__compiler__code_generator_response__free_unpacked(response, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
        struct fuzz_input input = {.at = bytes, .n_left = n_bytes};
        struct pipit_arena arena = {0};
        struct text response = {.arena = &arena};
        size_t n_answer = (size_t)fuzz_byte(&input) << 8;

        n_answer |= fuzz_byte(&input);
        if (n_answer > input.n_left)
                n_answer = input.n_left;
        answer = (struct fuzz_input){
                .at = input.at + input.n_left - n_answer,
                .n_left = n_answer,
        };
        if (generator_run(&arena, input.at, input.n_left - n_answer, &response))
                check_response(&response);
        pipit_arena_deinit(&arena);

        return 0;
}
