/*
 * A server of one service whose files do not fit a response together
 *
 *      large_server --listen URL
 *
 * The service, large.v1.LargeService, lies in the last of four files; each is 400 kB long
 * and imports those before it. There are no handlers.
 */

#include <pipit/server.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_FILES    4
#define FILE_BYTES ((size_t)400 * 1024)

struct large_file {
        struct pipit_file file;
        const struct pipit_file *imports[N_FILES];
        char name[32];
        uint8_t bytes[FILE_BYTES];
};

static uint8_t *put(uint8_t *to, uint8_t tag, const char *text)
{
        *to++ = tag;
        *to++ = (uint8_t)strlen(text);
        memcpy(to, text, strlen(text));

        return to + strlen(text);
}

/* Lengths in four bytes each: options { java_package: "xxx..." } up to @end. */
static void fill(uint8_t *to, const uint8_t *end)
{
        static const uint8_t tags[] = {0x42, 0x0a};

        for (size_t i = 0; i < sizeof(tags); i++) {
                size_t n_bytes = (size_t)(end - to) - 5;

                *to++ = tags[i];
                for (unsigned k = 0; k < 4; k++)
                        *to++ = (uint8_t)((n_bytes >> (7 * k) & 0x7f) | (k < 3 ? 0x80 : 0));
        }
        memset(to, 'x', (size_t)(end - to));
}

static void make_file(struct large_file *files, size_t index)
{
        struct large_file *one = &files[index];
        uint8_t *to = one->bytes;
        char message[16];

        (void)snprintf(one->name, sizeof(one->name), "large/v1/%zu.proto", index);
        to = put(to, 0x0a, one->name);
        to = put(to, 0x12, "large.v1");
        for (size_t i = 0; i < index; i++) {
                to = put(to, 0x1a, files[i].name);
                one->imports[i] = &files[i].file;
        }
        (void)snprintf(message, sizeof(message), "\x0a\x06Large%zu", index);
        to = put(to, 0x22, message);
        if (index + 1 == N_FILES)
                to = put(to, 0x32, "\x0a\x0cLargeService");
        to = put(to, 0x62, "proto3");
        fill(to, one->bytes + FILE_BYTES);

        one->file = (struct pipit_file){
                .name = one->name,
                .bytes = one->bytes,
                .n_bytes = FILE_BYTES,
                .dependencies = one->imports,
                .n_dependencies = index,
        };
}

int main(int argc, char **argv)
{
        static struct large_file files[N_FILES];
        const struct pipit_service service = {.name = "large.v1.LargeService",
                                              .file = &files[N_FILES - 1].file};
        const struct pipit_server_options options = {.insecure_plaintext = true};
        struct pipit_server *server = pipit_server_new(&options, NULL);
        struct pipit_error error = {.status = PIPIT_OK};
        sigset_t signals;
        int number;

        if (argc != 3 || !server)
                return EXIT_FAILURE;
        for (size_t i = 0; i < N_FILES; i++)
                make_file(files, i);

        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGTERM);
        (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
        if (pipit_server_register(server, &service, NULL, NULL, NULL, NULL) != PIPIT_OK ||
            pipit_server_listen(server, argv[2], &error) != PIPIT_OK ||
            pipit_server_start(server, &error) != PIPIT_OK) {
                (void)fprintf(stderr, "%s\n", error.message ? error.message : "failed");
                return EXIT_FAILURE;
        }
        (void)printf("listening on %s\n", argv[2]);
        (void)fflush(stdout);
        (void)sigwait(&signals, &number);
        pipit_server_free(server);

        return EXIT_SUCCESS;
}
