#include <pipit/server.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/access/key_file.h"
#include "core/access/user_groups.h"
#include "core/base/thread.h"
#include "core/base/uuid.h"
#include "core/rpc/wire_limits.h"
#include "server/runtime/access_files.h"
#include "server/runtime/address.h"
#include "server/runtime/admin.h"
#include "server/runtime/health.h"
#include "server/runtime/runtime.h"
#include "server/runtime/watchdog.h"

#define WORKERS_MIN          4
#define WORKER_QUEUE_DEFAULT 10000
#define WATCHDOG_MS_DEFAULT  5000

/* A frame may unpack to so many times its own size, if frames were made larger. */
#define DECODED_PER_FRAME 4

/* --- options ------------------------------------------------------------- */

static uint32_t or_default(uint32_t value, uint32_t default_value)
{
        return value ? value : default_value;
}

static uint32_t n_workers_default(void)
{
        size_t n = pipit_n_processors() * 2;

        return n > WORKERS_MIN ? (uint32_t)n : WORKERS_MIN;
}

static void options_resolve(struct pipit_server_options *o)
{
        o->n_workers = or_default(o->n_workers, n_workers_default());
        o->worker_queue_max = or_default(o->worker_queue_max, WORKER_QUEUE_DEFAULT);
        o->drain_ms = or_default(o->drain_ms, PIPIT_DRAIN_MS_DEFAULT);
        o->watchdog_ms = or_default(o->watchdog_ms, WATCHDOG_MS_DEFAULT);
        o->timeout_ms_default = or_default(o->timeout_ms_default, PIPIT_TIMEOUT_MS_DEFAULT);
        o->timeout_ms_max = or_default(o->timeout_ms_max, PIPIT_TIMEOUT_MS_MAX);
        if (o->timeout_ms_default > o->timeout_ms_max)
                o->timeout_ms_default = o->timeout_ms_max;
        o->frame_bytes_max = or_default(o->frame_bytes_max, PIPIT_FRAME_BYTES_DEFAULT);
        o->hold_ms_max = or_default(o->hold_ms_max, PIPIT_HOLD_MS_MAX);
        o->calls_per_mailbox_max =
                or_default(o->calls_per_mailbox_max, PIPIT_CALLS_PER_MAILBOX_MAX);
        o->calls_max = or_default(o->calls_max, PIPIT_CALLS_MAX);
        o->decoded_bytes_peer_max =
                or_default(o->decoded_bytes_peer_max, PIPIT_DECODED_BYTES_PEER_MAX);
        o->decoded_bytes_all_max =
                or_default(o->decoded_bytes_all_max, PIPIT_DECODED_BYTES_ALL_MAX);
        o->held_frames_per_pipe_max =
                or_default(o->held_frames_per_pipe_max, PIPIT_HELD_FRAMES_PER_PIPE_MAX);
        o->mailboxes_per_principal_max =
                or_default(o->mailboxes_per_principal_max, PIPIT_MAILBOXES_PER_PRINCIPAL);
        o->pipes_max = or_default(o->pipes_max, PIPIT_PIPES_MAX);
        o->contexts_max = or_default(o->contexts_max, PIPIT_CONTEXTS_MAX);
        o->send_timeout_ms = or_default(o->send_timeout_ms, PIPIT_SEND_TIMEOUT_MS);
        o->receive_timeout_ms = or_default(o->receive_timeout_ms, PIPIT_RECEIVE_TIMEOUT_MS);
        o->mailbox_linger_ms = or_default(o->mailbox_linger_ms, PIPIT_MAILBOX_LINGER_MS);
}

/* --- errors -------------------------------------------------------------- */

static enum pipit_status give_error(struct pipit_error *ret_error,
                                    enum pipit_status status,
                                    const char *reason,
                                    const char *message)
{
        if (ret_error)
                *ret_error = pipit_error_make(status, PIPIT_NOT_RUN, reason, message);

        return status;
}

static enum pipit_status give_out_of_memory(struct pipit_error *ret_error)
{
        return give_error(
                ret_error, PIPIT_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "out of memory or threads");
}

/* Prefixes *ret_error's message with the URL that it is about. */
static enum pipit_status name_url(struct pipit_server *server,
                                  const char *url,
                                  enum pipit_status status,
                                  struct pipit_error *ret_error)
{
        const char *text;

        if (!ret_error)
                return status;

        text = pipit_arena_printf(&server->texts, "%s: %s", url, ret_error->message);
        if (text)
                ret_error->message = text;

        return status;
}

/* --- what endpoints tell --------------------------------------------------- */

static bool pipe_added(void *self,
                       struct rep_endpoint *endpoint,
                       uint32_t pipe,
                       const struct rep_pipe_identity *identity)
{
        (void)endpoint;

        return peer_add(self, pipe, identity);
}

static void pipe_removed(void *self, uint32_t pipe)
{
        peer_remove(self, pipe);
}

static void sent(void *self, struct peer *peer, size_t n_bytes, bool stuck)
{
        (void)self;
        peer_sent(peer, n_bytes);
        if (stuck)
                peer_close_stuck(peer);
        peer_unref(peer);
}

static const struct rep_handlers rep_handlers = {
        .pipe_added = pipe_added,
        .pipe_removed = pipe_removed,
        .received = intake_received,
        .sent = sent,
};

/* --- new and free ---------------------------------------------------------- */

void server_unref(struct pipit_server *server)
{
        if (atomic_fetch_sub(&server->refs, 1) != 1)
                return;

        sealed_free(server->sealed);
        frame_pool_deinit(&server->frames);
        box_table_deinit(&server->boxes);
        peer_table_deinit(&server->peers);
        principal_table_deinit(&server->principals);
        pipit_rules_holder_deinit(&server->rules);
        server->keys = pipit_key_pair_free(server->keys);
        housekeeping_free(server->housekeeping);
        registry_deinit(&server->registry);
        pipit_arena_deinit(&server->texts);
        inproc_free(server->inproc);
        reflection_free(server->reflection);
        free(server);
}

static uint64_t instance_new(void)
{
        uint64_t instance = 0;

        while (instance == 0)
                pipit_random_bytes(&instance, sizeof(instance));

        return instance;
}

static void limits_init(struct pipit_server *server)
{
        size_t for_frame = (size_t)server->options.frame_bytes_max * DECODED_PER_FRAME;

        server->wire_limits = pipit_wire_limits_default;
        if (server->wire_limits.decoded_bytes_max < for_frame)
                server->wire_limits.decoded_bytes_max = for_frame;
}

static enum pipit_status options_check(const struct pipit_server_options *options,
                                       struct pipit_error *ret_error)
{
        if (options->frame_bytes_max < PIPIT_FRAME_BYTES_DEFAULT ||
            options->frame_bytes_max > PIPIT_FRAME_BYTES_MAX)
                return give_error(ret_error,
                                  PIPIT_INVALID_ARGUMENT,
                                  "OPTION_INVALID",
                                  "frame_bytes_max must be between 1 MiB and 64 MiB");
        return PIPIT_OK;
}

bool server_is_draining(const struct pipit_server *server)
{
        return atomic_load(&server->draining);
}

bool server_has_service(const struct pipit_server *server, const char *name)
{
        return registry_has_service(&server->registry, name, strlen(name));
}

/* The first service, and the one that still answers while the others drain. */
static enum pipit_status health_add(struct pipit_server *server)
{
        enum pipit_status status = health_register(server);

        if (status == PIPIT_OK)
                server->registry.services[0].while_draining = true;

        return status;
}

static enum pipit_status reflection_add(struct pipit_server *server)
{
        if (server->options.no_reflection)
                return PIPIT_OK;

        server->reflection = reflection_new();
        if (!server->reflection)
                return PIPIT_RESOURCE_EXHAUSTED;

        return reflection_register(server->reflection, server);
}

/* What every server has. */
static enum pipit_status services_add(struct pipit_server *server)
{
        enum pipit_status status = health_add(server);

        if (status == PIPIT_OK)
                status = admin_register(server);
        if (status == PIPIT_OK)
                status = reflection_add(server);

        return status;
}

static bool rules_init(struct pipit_rules_holder *holder,
                       const struct pipit_server_options *options)
{
        struct pipit_rules *rules = access_rules_default(options);

        if (rules && pipit_rules_holder_init(holder, rules))
                return true;
        pipit_rules_unref(rules);

        return false;
}

/* The log is the outermost: it sees what all others made of a call. */
static void built_in_init(struct pipit_server *server)
{
        call_log_init(&server->call_log, server->log);
        if (server->options.log_calls && server->log)
                interceptors_add_built_in(&server->interceptors, &server->call_log.interceptor);
        access_init(&server->access);
        interceptors_add_built_in(&server->interceptors, &server->access);
}

struct pipit_server *pipit_server_new(const struct pipit_server_options *options,
                                      struct pipit_error *ret_error)
{
        struct pipit_server_options resolved = options ? *options : (struct pipit_server_options){};
        struct pipit_server *server;

        options_resolve(&resolved);
        if (options_check(&resolved, ret_error) != PIPIT_OK)
                return NULL;

        server = calloc(1, sizeof(*server));
        if (!server || !rules_init(&server->rules, &resolved)) {
                (void)give_out_of_memory(ret_error);
                free(server);
                return NULL;
        }
        server->options = resolved;
        server->log = resolved.log;
        server->instance = instance_new();
        limits_init(server);
        principal_table_init(&server->principals);
        peer_table_init(&server->peers);
        box_table_init(&server->boxes);
        frame_pool_init(&server->frames);
        atomic_init(&server->refs, 1);
        built_in_init(server);

        server->inproc = inproc_new(server);
        if (!server->inproc || !access_files_keep_paths(server) ||
            services_add(server) != PIPIT_OK) {
                server_unref(server);
                (void)give_out_of_memory(ret_error);
                return NULL;
        }

        return server;
}

struct pipit_server *pipit_server_free(struct pipit_server *server)
{
        if (!server)
                return NULL;

        (void)pipit_server_stop(server);
        server->workers = workers_free(server->workers);
        for (size_t i = 0; i < server->n_endpoints; ++i)
                rep_endpoint_free(server->endpoints[i]);
        free(server->endpoints);
        server->endpoints = NULL;
        server->n_endpoints = 0;
        server_unref(server);

        return NULL;
}

/* --- set-up -------------------------------------------------------------- */

static enum pipit_status url_check(const struct pipit_server *server,
                                   const char *url,
                                   struct pipit_error *ret_error)
{
        struct address address;

        if (!address_transport(url, &address.transport))
                return give_error(ret_error,
                                  PIPIT_INVALID_ARGUMENT,
                                  "SCHEME_UNSUPPORTED",
                                  "a server listens on ipc:///path, tcp://address:port or "
                                  "inproc://name only");
        if (!address_parse(url, &address))
                return give_error(ret_error,
                                  PIPIT_INVALID_ARGUMENT,
                                  "ADDRESS_INVALID",
                                  "want ipc:///absolute/path (at most 107 bytes), "
                                  "tcp://address:port or inproc://name");
        if (address.transport != REP_TRANSPORT_TCP)
                return PIPIT_OK;
        if (!server->options.insecure_plaintext && !server->options.key_path)
                return give_error(ret_error,
                                  PIPIT_INVALID_ARGUMENT,
                                  "PLAINTEXT_REFUSED",
                                  "tcp needs a key of the server's own, which `pipit keygen "
                                  "server.key` makes, or the option insecure_plaintext and a "
                                  "loopback address");
        if (server->options.insecure_plaintext && !address_is_loopback(&address))
                return give_error(ret_error,
                                  PIPIT_INVALID_ARGUMENT,
                                  "PLAINTEXT_REFUSED",
                                  "tcp without keys is for loopback addresses only, as 127.0.0.1 "
                                  "or [::1]");

        return PIPIT_OK;
}

enum pipit_status pipit_server_listen(struct pipit_server *server,
                                      const char *url,
                                      struct pipit_error *ret_error)
{
        enum pipit_status status = url_check(server, url, ret_error);
        enum rep_transport transport = REP_TRANSPORT_INPROC;
        struct rep_endpoint **endpoints;
        const struct rep_options options = {
                .receive_bytes_max =
                        (size_t)server->options.frame_bytes_max + PIPIT_RECV_HEADROOM_BYTES,
                .send_timeout_ms = server->options.send_timeout_ms,
                .receive_timeout_ms = server->options.receive_timeout_ms,
                .contexts_max = server->options.contexts_max,
                .n_contexts = &server->n_contexts,
        };

        if (status != PIPIT_OK)
                return name_url(server, url, status, ret_error);
        if (server->phase != SERVER_NEW)
                return give_error(ret_error,
                                  PIPIT_FAILED_PRECONDITION,
                                  "SERVER_STARTED",
                                  "addresses are added before start");

        endpoints = realloc(server->endpoints, (server->n_endpoints + 1) * sizeof(*endpoints));
        if (!endpoints)
                return give_out_of_memory(ret_error);
        server->endpoints = endpoints;
        (void)address_transport(url, &transport);
        endpoints[server->n_endpoints] =
                rep_endpoint_new(url, transport, &options, &rep_handlers, server);
        if (!endpoints[server->n_endpoints])
                return give_out_of_memory(ret_error);
        ++server->n_endpoints;

        return PIPIT_OK;
}

enum pipit_status pipit_server_register(struct pipit_server *server,
                                        const struct pipit_service *service,
                                        const pipit_server_dispatch_fn *dispatch,
                                        const bool *blocks,
                                        const void *handlers,
                                        void *self)
{
        const struct registry_service entry = {
                .service = service,
                .dispatch = dispatch,
                .blocks = blocks,
                .handlers = handlers,
                .self = self,
        };

        if (server->phase != SERVER_NEW)
                return PIPIT_FAILED_PRECONDITION;

        return registry_add(&server->registry, &entry);
}

enum pipit_status pipit_server_add_interceptor(struct pipit_server *server,
                                               struct pipit_server_interceptor *interceptor)
{
        if (server->phase != SERVER_NEW)
                return PIPIT_FAILED_PRECONDITION;

        return interceptors_add(&server->interceptors, interceptor);
}

/* --- start and stop -------------------------------------------------------- */

static enum pipit_status endpoint_start(struct pipit_server *server,
                                        struct rep_endpoint *endpoint,
                                        struct pipit_error *ret_error)
{
        const struct address_surroundings around = {.texts = &server->texts, .log = server->log};
        const char *url = rep_endpoint_url(endpoint);
        struct address address;
        enum pipit_status status = PIPIT_OK;

        if (!address_parse(url, &address))
                return give_error(ret_error, PIPIT_INTERNAL, "ADDRESS_INVALID", url);
        if (address.transport == REP_TRANSPORT_IPC)
                status = address_prepare(&address, &around, ret_error);
        if (status == PIPIT_OK)
                status = rep_endpoint_listen(endpoint, server->loop, ret_error);
        if (status != PIPIT_OK)
                return name_url(server, url, status, ret_error);

        if (address.transport == REP_TRANSPORT_TCP && server->options.insecure_plaintext)
                pipit_log_line(server->log,
                               PIPIT_LOG_WARNING,
                               "tcp without keys: anyone on this machine may call",
                               PIPIT_LOG_STRING("url", rep_endpoint_url(endpoint)));

        return PIPIT_OK;
}

static void threads_stop(struct pipit_server *server)
{
        server->watchdog = watchdog_free(server->watchdog);
        server->handshakes = handshakes_free(server->handshakes);
        if (server->housekeeping)
                housekeeping_stop(server->housekeeping);
        server->groups = groups_free(server->groups);
        server->loop = rep_loop_free(server->loop);
}

static enum pipit_status threads_start(struct pipit_server *server)
{
        server->housekeeping = housekeeping_new();
        server->groups = groups_new(pipit_user_groups, server->log);
        server->workers = workers_new(server->options.n_workers, server->options.worker_queue_max);
        server->loop = rep_loop_new();
        if (!server->housekeeping || !server->workers || !server->groups || !server->loop)
                return PIPIT_RESOURCE_EXHAUSTED;

        return PIPIT_OK;
}

static enum pipit_status sessions_start(struct pipit_server *server, struct pipit_error *ret_error)
{
        if (!server->keys)
                return PIPIT_OK;

        server->sealed = sealed_new(server);
        if (server->sealed)
                server->handshakes = handshakes_new(server->sealed, server->keys);

        return server->handshakes ? PIPIT_OK : give_out_of_memory(ret_error);
}

static enum pipit_status services_seal(struct pipit_server *server, struct pipit_error *ret_error)
{
        enum pipit_status status = registry_seal(&server->registry);

        if (status == PIPIT_OK && server->reflection)
                status = reflection_seal(server->reflection, &server->registry);
        if (status == PIPIT_RESOURCE_EXHAUSTED)
                return give_out_of_memory(ret_error);
        if (status != PIPIT_OK)
                return give_error(ret_error,
                                  status,
                                  "DESCRIPTOR_INVALID",
                                  "a registered service has a .proto file that cannot be read");

        return PIPIT_OK;
}

/* Whether it listens where callers are known by their keys. */
static bool listens_by_key(const struct pipit_server *server)
{
        for (size_t i = 0; i < server->n_endpoints; ++i) {
                if (rep_endpoint_transport(server->endpoints[i]) == REP_TRANSPORT_TCP)
                        return !server->options.insecure_plaintext;
        }

        return false;
}

/* Unlike a drain: nobody has been served yet. */
static void start_undo(struct pipit_server *server)
{
        atomic_store(&server->draining, true);
        if (server->housekeeping && server->workers)
                close_all(server);
        threads_stop(server);
        box_table_empty(&server->boxes);
        server->phase = SERVER_STOPPED;
}

enum pipit_status pipit_server_start(struct pipit_server *server, struct pipit_error *ret_error)
{
        enum pipit_status status = PIPIT_OK;

        if (server->phase != SERVER_NEW)
                return give_error(ret_error,
                                  PIPIT_FAILED_PRECONDITION,
                                  "START_IMPOSSIBLE",
                                  "a server starts once");

        if (threads_start(server) != PIPIT_OK)
                status = give_out_of_memory(ret_error);
        else
                status = access_files_load(server, listens_by_key(server), ret_error);
        if (status == PIPIT_OK)
                status = sessions_start(server, ret_error);
        if (status == PIPIT_OK)
                status = services_seal(server, ret_error);
        for (size_t i = 0; status == PIPIT_OK && i < server->n_endpoints; ++i)
                status = endpoint_start(server, server->endpoints[i], ret_error);
        if (status == PIPIT_OK && server->n_endpoints > 0) {
                server->watchdog = watchdog_new(server->endpoints,
                                                server->n_endpoints,
                                                server->options.watchdog_ms,
                                                server->log);
                if (!server->watchdog)
                        status = give_out_of_memory(ret_error);
        }
        if (status != PIPIT_OK) {
                start_undo(server);
                return status;
        }
        server->phase = SERVER_STARTED;
        inproc_open(server->inproc);

        return PIPIT_OK;
}

struct pipit_inprocess *pipit_server_inprocess(struct pipit_server *server)
{
        return inproc_door(server->inproc);
}

const char *pipit_server_url(const struct pipit_server *server, size_t index)
{
        return index < server->n_endpoints ? rep_endpoint_url(server->endpoints[index]) : NULL;
}

size_t pipit_server_stop(struct pipit_server *server)
{
        size_t n_left;

        if (server->phase != SERVER_STARTED)
                return 0;

        server->watchdog = watchdog_free(server->watchdog);
        n_left = drain(server);
        threads_stop(server);
        box_table_empty(&server->boxes);
        server->phase = SERVER_STOPPED;

        return n_left;
}
