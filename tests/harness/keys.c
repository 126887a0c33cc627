#include "tests/harness/keys.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/access/key.h"
#include "core/access/key_file.h"
#include "tests/harness/harness.h"

void free_tcp_url(char ret_url[64])
{
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        socklen_t n_bytes = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || bind(fd, (struct sockaddr *)&address, n_bytes) < 0 ||
            getsockname(fd, (struct sockaddr *)&address, &n_bytes) < 0)
                die("there is no free port");
        (void)close(fd);
        (void)snprintf(ret_url, 64, "tcp://127.0.0.1:%u", ntohs(address.sin_port));
}

static void make_key(const char *folder, const char *name, char ret_public[PIPIT_KEY_TEXT_SIZE])
{
        struct pipit_noise_keys *keys = pipit_key_pair_new();
        struct pipit_access_problem problem;
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        if (!keys)
                die("out of memory");
        if (!pipit_key_pair_save(keys, path, &problem))
                die("%s", problem.text);
        pipit_key_format(PIPIT_KEY_PUBLIC, keys->public, ret_public);
        (void)pipit_key_pair_free(keys);
}

static void write_line(const char *folder, const char *name, const char *one, const char *other)
{
        char path[256];
        FILE *file;

        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        file = fopen(path, "w");
        if (!file || fprintf(file, "%s %s\n", one, other) < 0 || fclose(file) != 0)
                die("%s cannot be written", path);
}

void key_folder_fill(const char *folder, const char *url)
{
        char public[PIPIT_KEY_TEXT_SIZE];

        make_key(folder, "server.key", public);
        write_line(folder, "known_servers", url, public);
        make_key(folder, "id.key", public);
        write_line(folder, "authorized_keys", public, "tester roles=admin");
}
