#include "server/runtime/peer.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/rpc/wire_limits.h"
#include "server/runtime/box.h"
#include "server/runtime/rep_stream.h"
#include "server/runtime/runtime.h"

/* When a timer that found no memory is tried again. */
#define RETRY_US (10 * PIPIT_US_PER_MS)

/* --- table --------------------------------------------------------------- */

static struct peer_shard *shard_of(struct peer_table *table, uint32_t pipe)
{
        return &table->shards[pipe % PEER_SHARDS];
}

static struct peer **bucket_of(struct peer_shard *shard, uint32_t pipe)
{
        return &shard->buckets[pipe / PEER_SHARDS % PEER_BUCKETS];
}

void peer_table_init(struct peer_table *table)
{
        for (size_t i = 0; i < PEER_SHARDS; ++i)
                pthread_mutex_init(&table->shards[i].mutex, NULL);
}

void peer_table_deinit(struct peer_table *table)
{
        for (size_t i = 0; i < PEER_SHARDS; ++i)
                pthread_mutex_destroy(&table->shards[i].mutex);
}

unsigned peer_table_n_pipes(const struct peer_table *table)
{
        return atomic_load(&table->n_pipes);
}

/* --- peers --------------------------------------------------------------- */

struct peer *peer_ref(struct peer *peer)
{
        atomic_fetch_add(&peer->refs, 1);

        return peer;
}

void peer_unref(struct peer *peer)
{
        struct pipit_server *server = peer->server;

        if (atomic_fetch_sub(&peer->refs, 1) != 1)
                return;

        housekeeping_remove(server->housekeeping, &peer->timer);
        principal_unref(server, peer->principal);
        if (peer->stream)
                rep_stream_unref(peer->stream);
        pthread_mutex_destroy(&peer->mutex);
        free(peer);
}

/* References to all its simple frames' boxes. False: out of memory. */
static bool simple_boxes(struct peer *peer, struct box ***ret_boxes, size_t *ret_n)
{
        struct box **boxes = NULL;
        size_t n = 0;

        pthread_mutex_lock(&peer->mutex);
        for (struct box *box = peer->simple; box; box = box->next)
                ++n;
        boxes = calloc(n + 1, sizeof(struct box *));
        n = 0;
        for (struct box *box = peer->simple; boxes && box; box = box->next)
                boxes[n++] = box_ref(box);
        pthread_mutex_unlock(&peer->mutex);
        *ret_boxes = boxes;
        *ret_n = n;

        return boxes != NULL;
}

static void peer_fire(struct timer *timer, int64_t now_us)
{
        struct peer *peer = pipit_container_of(timer, struct peer, timer);
        int64_t next_us = PIPIT_NEVER_US;
        struct box **boxes;
        size_t n_boxes;

        if (!simple_boxes(peer, &boxes, &n_boxes))
                next_us = now_us + RETRY_US;

        for (size_t i = 0; i < n_boxes; ++i) {
                int64_t due_us = box_tick(boxes[i], now_us);

                if (due_us < next_us)
                        next_us = due_us;
                box_unref(boxes[i]);
        }
        free(boxes);

        housekeeping_arm(peer->server->housekeeping, timer, next_us);
        peer_unref(peer);
}

static void kill_simple(struct peer *peer)
{
        for (;;) {
                struct box *box;

                pthread_mutex_lock(&peer->mutex);
                box = peer->simple;
                if (box) {
                        peer->simple = box->next;
                        if (box->next)
                                box->next->prev = NULL;
                        box->listed = false;
                }
                pthread_mutex_unlock(&peer->mutex);
                if (!box)
                        return;

                box_kill(box);
                box_unref(box);
        }
}

static void run_removal(struct job *job)
{
        struct peer *peer = pipit_container_of(job, struct peer, removal);
        struct attachment *attachment;

        if (peer->is_keyed)
                sealed_remove_pipe(peer->server->sealed, peer->pipe);
        kill_simple(peer);

        pthread_mutex_lock(&peer->mutex);
        attachment = peer->attachments;
        peer->attachments = NULL;
        pthread_mutex_unlock(&peer->mutex);
        while (attachment) {
                struct attachment *next = attachment->next;

                box_detach(attachment->box, peer);
                free(attachment);
                attachment = next;
        }

        peer_unref(peer);
}

static void run_closing(struct job *job)
{
        struct peer *peer = pipit_container_of(job, struct peer, closing);

        if (inproc_is_pipe(peer->pipe))
                inproc_pipe_close(peer->server->inproc, peer->pipe);
        else if (peer->stream)
                rep_stream_shut_down(peer->stream);
        else
                rep_pipe_close(peer->pipe);
        peer_unref(peer);
}

void peer_close(struct peer *peer)
{
        if (atomic_exchange(&peer->closes, true))
                return;

        peer_ref(peer);
        housekeeping_submit(peer->server->housekeeping, &peer->closing);
}

void peer_denied(struct peer *peer)
{
        if (atomic_fetch_add(&peer->n_denied, 1) + 1 == PIPIT_DENIED_PER_PIPE_MAX)
                peer_close(peer);
}

void peer_close_stuck(struct peer *peer)
{
        char source[SOURCE_TEXT_SIZE];

        source_format(&peer->source, source);
        if (!atomic_load(&peer->closes))
                pipit_log_line(peer->server->log,
                               PIPIT_LOG_WARNING,
                               "a peer does not read; closing its pipe",
                               PIPIT_LOG_STRING("principal",
                                                peer->is_keyed ? NULL : peer->principal->name),
                               PIPIT_LOG_STRING("source", source[0] ? source : NULL),
                               PIPIT_LOG_INT("pid", peer->pid));
        peer_close(peer);
}

bool peer_sends(struct peer *peer, size_t n_bytes)
{
        size_t n_memory = n_bytes + PIPIT_SENDING_OVERHEAD_BYTES;
        size_t n_before = atomic_fetch_add(&peer->n_sending_bytes, n_memory);

        /* One answer always may, whatever its size. */
        if (n_before == 0 || n_before + n_memory <= PIPIT_SENDING_BYTES_PER_PIPE)
                return true;

        peer_sent(peer, n_bytes);

        return false;
}

void peer_sent(struct peer *peer, size_t n_bytes)
{
        atomic_fetch_sub(&peer->n_sending_bytes, n_bytes + PIPIT_SENDING_OVERHEAD_BYTES);
}

static struct peer *peer_new(struct pipit_server *server,
                             uint32_t pipe,
                             const struct rep_pipe_identity *identity)
{
        struct peer *peer = calloc(1, sizeof(*peer));

        if (!peer)
                return NULL;

        peer->principal = principal_of_pipe(server, identity);
        if (!peer->principal) {
                free(peer);
                return NULL;
        }
        if (!housekeeping_add(server->housekeeping, &peer->timer, peer_fire, &peer->refs)) {
                principal_unref(server, peer->principal);
                free(peer);
                return NULL;
        }
        peer->server = server;
        peer->pipe = pipe;
        peer->serial = atomic_fetch_add(&server->peers.n_ever, 1);
        peer->pid = identity->pid;
        peer->is_keyed =
                identity->transport == REP_TRANSPORT_TCP && !server->options.insecure_plaintext;
        peer->source = identity->source;
        peer->stream = identity->stream ? rep_stream_ref(identity->stream) : NULL;
        peer->removal.run = run_removal;
        peer->closing.run = run_closing;
        atomic_init(&peer->refs, 1);
        pthread_mutex_init(&peer->mutex, NULL);

        return peer;
}

bool peer_add(struct pipit_server *server, uint32_t pipe, const struct rep_pipe_identity *identity)
{
        struct peer_table *table = &server->peers;
        struct peer_shard *shard = shard_of(table, pipe);
        struct peer **bucket = bucket_of(shard, pipe);
        struct peer *peer = NULL;

        if (atomic_fetch_add(&table->n_pipes, 1) < server->options.pipes_max)
                peer = peer_new(server, pipe, identity);
        if (!peer) {
                atomic_fetch_sub(&table->n_pipes, 1);
                pipit_log_line(server->log,
                               PIPIT_LOG_WARNING,
                               "pipe refused",
                               PIPIT_LOG_INT("pipes", peer_table_n_pipes(table)),
                               PIPIT_LOG_INT("pid", identity->pid));
                return false;
        }

        pthread_mutex_lock(&shard->mutex);
        peer->next = *bucket;
        *bucket = peer;
        pthread_mutex_unlock(&shard->mutex);

        return true;
}

void peer_remove(struct pipit_server *server, uint32_t pipe)
{
        struct peer_shard *shard = shard_of(&server->peers, pipe);
        struct peer **link = bucket_of(shard, pipe);
        struct peer *peer;

        pthread_mutex_lock(&shard->mutex);
        while (*link && (*link)->pipe != pipe)
                link = &(*link)->next;
        peer = *link;
        if (peer)
                *link = peer->next;
        pthread_mutex_unlock(&shard->mutex);
        if (!peer)
                return;

        atomic_fetch_sub(&server->peers.n_pipes, 1);
        pthread_mutex_lock(&peer->mutex);
        atomic_store(&peer->gone, true);
        pthread_mutex_unlock(&peer->mutex);
        housekeeping_submit(server->housekeeping, &peer->removal);
}

struct peer *peer_find(struct pipit_server *server, uint32_t pipe)
{
        struct peer_shard *shard = shard_of(&server->peers, pipe);
        struct peer *peer;

        pthread_mutex_lock(&shard->mutex);
        for (peer = *bucket_of(shard, pipe); peer && peer->pipe != pipe; peer = peer->next)
                ;
        if (peer)
                peer_ref(peer);
        pthread_mutex_unlock(&shard->mutex);

        return peer;
}

void peer_table_kill(struct pipit_server *server)
{
        for (size_t i = 0; i < PEER_SHARDS; ++i) {
                struct peer_shard *shard = &server->peers.shards[i];

                pthread_mutex_lock(&shard->mutex);
                for (size_t k = 0; k < PEER_BUCKETS; ++k)
                        for (struct peer *peer = shard->buckets[k]; peer; peer = peer->next)
                                kill_simple(peer);
                pthread_mutex_unlock(&shard->mutex);
        }
}

/* --- mailboxes ------------------------------------------------------------- */

/* Those that are named again soon are found soon. Mutex held. */
static void attachment_add(struct peer *peer, struct attachment *attachment)
{
        attachment->next = peer->attachments;
        peer->attachments = attachment;
}

/* Takes out what @link leads to. */
static struct attachment *attachment_take(struct attachment **link)
{
        struct attachment *attachment = *link;

        if (attachment)
                *link = attachment->next;

        return attachment;
}

bool peer_attach(struct peer *peer, struct box *box, bool *ret_new)
{
        struct attachment **link = &peer->attachments;
        struct attachment *found;

        *ret_new = false;

        pthread_mutex_lock(&peer->mutex);
        while (*link && (*link)->box != box)
                link = &(*link)->next;
        found = attachment_take(link);
        if (!found && !atomic_load(&peer->gone) && (found = malloc(sizeof(*found)))) {
                found->box = box_ref(box);
                *ret_new = true;
        }
        if (found)
                attachment_add(peer, found);
        pthread_mutex_unlock(&peer->mutex);

        return found != NULL;
}

struct box *peer_attached(struct peer *peer,
                          const struct principal *principal,
                          const uint8_t *client_id)
{
        struct attachment **link = &peer->attachments;
        struct attachment *found;
        struct box *box = NULL;

        pthread_mutex_lock(&peer->mutex);
        while (*link && !box_is((*link)->box, principal, client_id))
                link = &(*link)->next;
        found = attachment_take(link);
        if (found)
                attachment_add(peer, found);
        if (found && !atomic_load(&found->box->dead))
                box = box_ref(found->box);
        pthread_mutex_unlock(&peer->mutex);

        return box;
}
