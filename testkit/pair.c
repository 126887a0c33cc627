#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "testkit/door.h"

#define GREETING_BYTES 8
#define IPC_MARK       1

/* Over this no server takes a message: 64 MiB and what surrounds them. */
#define MESSAGE_BYTES_MAX ((uint64_t)(64 << 20) + (1 << 17))

/* What may wait to be written before no more is read. */
#define OUT_BYTES_MAX ((size_t)16 << 20)

static int connect_to(const struct target *target)
{
        int fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int one = 1;

        if (fd < 0)
                return -1;
        if (!target->is_ipc)
                (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        if (connect(fd, (const struct sockaddr *)&target->address, target->n_address) < 0 &&
            errno != EINPROGRESS) {
                close(fd);
                return -1;
        }

        return fd;
}

struct pair *pair_new(struct pipit_test_faults *faults, int fd)
{
        struct pair *pair = calloc(1, sizeof(*pair));
        int server_fd = connect_to(&faults->target);

        if (!pair || server_fd < 0) {
                if (server_fd >= 0)
                        close(server_fd);
                close(fd);
                free(pair);
                return NULL;
        }
        pair->faults = faults;
        pair->client = (struct side){.fd = fd, .is_ipc = true};
        pair->server = (struct side){.fd = server_fd, .is_ipc = faults->target.is_ipc};

        return pair;
}

static void side_deinit(struct side *side)
{
        if (side->fd >= 0)
                close(side->fd);
        bytes_deinit(&side->in);
        bytes_deinit(&side->out);
}

struct pair *pair_free(struct pair *pair)
{
        while (pair->asked) {
                struct asked *asked = pair->asked;

                pair->asked = asked->next;
                free(asked);
        }
        side_deinit(&pair->client);
        side_deinit(&pair->server);
        free(pair);

        return NULL;
}

static struct side *other(struct pair *pair, const struct side *side)
{
        return side == &pair->client ? &pair->server : &pair->client;
}

short pair_events(const struct pair *pair, const struct side *side)
{
        const struct side *to = side == &pair->client ? &pair->server : &pair->client;
        short events = 0;

        if (!side->has_ended && to->out.n < OUT_BYTES_MAX)
                events |= POLLIN;
        if (side->out.n > 0)
                events |= POLLOUT;

        return events;
}

void pair_send(struct side *to, const void *head, size_t n_head, const void *rest, size_t n_rest)
{
        uint64_t n_message = htobe64(n_head + n_rest);
        uint8_t mark = IPC_MARK;

        if (to->pipe) {
                struct bytes message = {0};

                bytes_add(&message, head, n_head);
                bytes_add(&message, rest, n_rest);
                door_send(to, &message);
                bytes_deinit(&message);
                return;
        }
        if (to->is_ipc)
                bytes_add(&to->out, &mark, sizeof(mark));
        bytes_add(&to->out, &n_message, sizeof(n_message));
        bytes_add(&to->out, head, n_head);
        bytes_add(&to->out, rest, n_rest);
}

/* How many bytes of @from's input were a message, or the greeting; 0: not complete. */
static size_t take_one(struct pair *pair, struct side *from, const uint8_t *in, size_t n_in)
{
        size_t n_head = from->is_ipc ? 1 + sizeof(uint64_t) : sizeof(uint64_t);
        uint64_t n_message;

        if (!from->is_greeted) {
                if (n_in < GREETING_BYTES)
                        return 0;
                from->is_greeted = true;
                bytes_add(&other(pair, from)->out, in, GREETING_BYTES);
                return GREETING_BYTES;
        }

        if (n_in < n_head)
                return 0;
        memcpy(&n_message, in + n_head - sizeof(n_message), sizeof(n_message));
        n_message = be64toh(n_message);
        if (n_message > MESSAGE_BYTES_MAX) {
                pair->is_broken = true;
                return 0;
        }
        if (n_in - n_head < n_message)
                return 0;
        if (from == &pair->client)
                exchange_request(pair, in + n_head, (size_t)n_message);
        else
                exchange_response(pair, in + n_head, (size_t)n_message);

        return n_head + (size_t)n_message;
}

void pair_read(struct pair *pair, struct side *from)
{
        uint8_t buffer[65536];
        ssize_t n = recv(from->fd, buffer, sizeof(buffer), 0);
        size_t n_taken = 0, n_one;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0) {
                from->has_ended = true;
                return;
        }
        bytes_add(&from->in, buffer, (size_t)n);
        while (!pair->is_broken &&
               (n_one = take_one(pair, from, from->in.data + n_taken, from->in.n - n_taken)) > 0)
                n_taken += n_one;
        bytes_take(&from->in, n_taken);
        if (from->in.has_failed || pair->client.out.has_failed || pair->server.out.has_failed)
                pair->is_broken = true;
}

void pair_write(struct pair *pair, struct side *to)
{
        ssize_t n = send(to->fd, to->out.data, to->out.n, MSG_NOSIGNAL);

        if (n >= 0)
                bytes_take(&to->out, (size_t)n);
        else if (errno != EAGAIN && errno != EINTR)
                pair->is_broken = true;
}

/* What the side that ended has sent is passed on first. */
bool pair_is_over(const struct pair *pair)
{
        if (pair->is_broken)
                return true;
        if (pair->client.has_ended && pair->server.has_ended)
                return true;

        return (pair->client.has_ended && pair->server.out.n == 0) ||
               (pair->server.has_ended && pair->client.out.n == 0);
}
