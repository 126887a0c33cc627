/*
 * protoc-gen-pipit: typed C clients and servers from .proto files
 *
 * A plugin of protoc: request on stdin, response on stdout.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/macros.h"
#include "gen/generator.h"
#include "gen/text.h"

#define READ_BYTES 65536

static const char help[] =
        "protoc-gen-pipit " PIPIT_VERSION ", a plugin of protoc. It writes, for FOO.proto,\n"
        "\n"
        "  FOO.pb-c.h, .pb-c.c  its messages, by way of protoc-c's own generator\n"
        "  FOO.pipit.h, .pipit.c  its services: tables, and the file's descriptor\n"
        "  FOO.client.pipit.c     typed calls\n"
        "  FOO.server.pipit.c     typed handlers\n"
        "\n"
        "Use\n"
        "  protoc -I proto --pipit_out=OUT users/v1/users.proto\n"
        "  protoc --plugin=protoc-gen-pipit=build/gen/protoc-gen-pipit ...  if it is not in PATH\n"
        "\n"
        "Options (--pipit_opt=NAME, more than one with commas)\n"
        "  long_names         users_v1_users_service_get_user() rather than users_v1_get_user()\n"
        "  descriptors_only   only the descriptor of the file, in FOO.pipit.h and .pipit.c\n"
        "  protoc_gen_c=PATH  protoc-c's generator; without it: protoc-gen-c, from PATH\n";

static bool read_all(struct text *text)
{
        for (;;) {
                ssize_t n = read(STDIN_FILENO, text_reserve(text, READ_BYTES), READ_BYTES);

                if (n == 0)
                        return true;
                if (n > 0)
                        text_advance(text, (size_t)n);
                else if (errno != EINTR)
                        return false;
        }
}

static bool write_all(const struct text *text)
{
        size_t n_written = 0;

        while (n_written < text->n_bytes) {
                ssize_t n =
                        write(STDOUT_FILENO, text->bytes + n_written, text->n_bytes - n_written);

                if (n >= 0)
                        n_written += (size_t)n;
                else if (errno != EINTR)
                        return false;
        }

        return true;
}

static int fail(const char *what, const char *why)
{
        (void)fprintf(stderr, "protoc-gen-pipit: %s: %s\n", what, why);

        return EXIT_FAILURE;
}

static int run(struct pipit_arena *arena)
{
        struct text request = {.arena = arena};
        struct text response = {.arena = arena};

        if (!read_all(&request))
                return fail("reading the request", strerror(errno));
        if (!generator_run(arena, request.bytes, request.n_bytes, &response))
                return fail("stdin", "not a CodeGeneratorRequest; see --help");
        if (!write_all(&response))
                return fail("writing the response", strerror(errno));

        return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
        PIPIT_CLEANUP(pipit_arena_deinit) struct pipit_arena arena = {.cap_bytes = 0};

        if (argc == 2 && strcmp(argv[1], "--version") == 0)
                return printf("protoc-gen-pipit %s\n", PIPIT_VERSION) < 0;
        if (argc == 2 && strcmp(argv[1], "--help") == 0)
                return fputs(help, stdout) < 0;
        if (argc > 1 || isatty(STDIN_FILENO)) {
                (void)fputs(help, stderr);
                return 2;
        }

        return run(&arena);
}
