#include "core/json/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/macros.h"

#define FIRST_BYTES 4096

static enum pipit_status fail(struct pipit_arena *arena,
                              const char *name,
                              const char *problem,
                              struct pipit_error *ret_error)
{
        char *message = pipit_arena_printf(arena, "cannot read %s: %s", name, problem);

        *ret_error = pipit_error_make(
                PIPIT_INVALID_ARGUMENT, PIPIT_NOT_RUN, NULL, message ? message : problem);
        return PIPIT_INVALID_ARGUMENT;
}

static void free_bytes(char **bytes)
{
        free(*bytes);
}

static bool grow(char **bytes, size_t *n_allocated)
{
        size_t n = *n_allocated ? *n_allocated * 2 : FIRST_BYTES;
        char *grown = realloc(*bytes, n);

        if (!grown)
                return false;

        *bytes = grown;
        *n_allocated = n;
        return true;
}

enum pipit_status pipit_json_input(int fd,
                                   const char *name,
                                   size_t n_bytes_max,
                                   struct pipit_arena *arena,
                                   char **ret_text,
                                   size_t *ret_n_bytes,
                                   struct pipit_error *ret_error)
{
        PIPIT_CLEANUP(free_bytes) char *bytes = NULL;
        size_t n_bytes = 0, n_allocated = 0;

        for (;;) {
                if (n_bytes == n_allocated && !grow(&bytes, &n_allocated))
                        return fail(arena, name, strerror(ENOMEM), ret_error);

                ssize_t n = read(fd, bytes + n_bytes, n_allocated - n_bytes);

                if (n == 0)
                        break;
                if (n < 0 && errno != EINTR)
                        return fail(arena, name, strerror(errno), ret_error);
                n_bytes += n > 0 ? (size_t)n : 0;
                if (n_bytes > n_bytes_max)
                        return fail(arena, name, "it is too large", ret_error);
        }

        char *text = pipit_arena_strndup(arena, bytes, n_bytes);

        if (!text)
                return fail(arena, name, strerror(ENOMEM), ret_error);

        *ret_text = text;
        *ret_n_bytes = n_bytes;
        return PIPIT_OK;
}
