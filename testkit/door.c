#include "testkit/door.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/macros.h"
#include "core/rpc/inprocess.h"

#define WORDS_BYTES 4
#define LAST_WORD   UINT32_C(0x80000000)

/* A frame of the client's, from submit until nobody thinks of it any more. */
struct flight {
        uint32_t id;
        struct door_pipe *pipe;
        struct pipit_inprocess_exchange inner;
        struct pipit_inprocess_exchange *outer;  /* the client's; NULL: it waits no more */
        struct pipit_inprocess_message *message; /* for the server, until it is handed over */
        bool is_with_server;                     /* from the hand-over until it is answered */
        bool is_recalled;                        /* somebody asks the server for it */
        struct flight *next;
};

/* The relay's mutex guards it all. */
struct door_pipe {
        struct door *door;
        struct pair *pair; /* NULL: lost, or hung up */
        struct pipit_inprocess_client *client;
        struct pipit_inprocess_client inner_client;
        struct pipit_inprocess_pipe *inner;
        struct flight *flights;
        uint32_t n_ids;
        unsigned n_inside; /* threads that submit */
        bool is_released;
        bool is_hanging_up; /* by the relay's thread, or it will be */
        struct door_pipe *next_lost;
};

/* What goes to a client as soon as the mutex is free. */
struct parcel {
        struct pipit_inprocess_exchange *exchange;
        struct pipit_inprocess_message *message;
        struct parcel *next;
};

struct door {
        struct pipit_inprocess base;
        struct pipit_inprocess_operations
                operations; /* whose functions of messages are the server's */
        struct pipit_test_faults *faults;
        struct pipit_inprocess *server;
        struct parcel *parcels;
        struct door_pipe *lost;
};

static const struct pipit_inprocess_operations *server_of(const struct door *door)
{
        return door->server->operations;
}

static void lock(struct door *door)
{
        pthread_mutex_lock(&door->faults->mutex);
}

static void unlock(struct door *door)
{
        pthread_mutex_unlock(&door->faults->mutex);
}

/* --- flights ------------------------------------------------------------- */

static struct flight *flight_new(struct door_pipe *pipe, struct pipit_inprocess_exchange *exchange)
{
        struct flight *flight = calloc(1, sizeof(*flight));

        if (!flight)
                return NULL;

        flight->id = pipe->n_ids++ & ~LAST_WORD;
        flight->pipe = pipe;
        flight->inner.client = &pipe->inner_client;
        flight->inner.pipe = pipe->inner;
        flight->outer = exchange;
        exchange->context = flight;
        flight->next = pipe->flights;
        pipe->flights = flight;

        return flight;
}

/* If neither side has to do with it any more. */
static void flight_settle(struct flight *flight)
{
        struct flight **link = &flight->pipe->flights;

        if (flight->outer || flight->message || flight->is_with_server || flight->is_recalled)
                return;

        while (*link != flight)
                link = &(*link)->next;
        *link = flight->next;
        free(flight);
}

static void put_words(uint32_t id, uint8_t ret_words[WORDS_BYTES])
{
        for (unsigned i = 0; i < WORDS_BYTES; i++)
                ret_words[i] = (uint8_t)((id | LAST_WORD) >> (24 - 8 * i));
}

static struct flight *find_flight(const struct door_pipe *pipe, const uint8_t words[WORDS_BYTES])
{
        uint8_t own[WORDS_BYTES];

        for (struct flight *flight = pipe->flights; flight; flight = flight->next) {
                put_words(flight->id, own);
                if (memcmp(own, words, sizeof(own)) == 0)
                        return flight;
        }

        return NULL;
}

/* @message, which is freed, as the relay has it: with words in front. */
static void read_message(struct flight *flight,
                         struct pipit_inprocess_message *message,
                         struct bytes *ret_bytes)
{
        const struct pipit_inprocess_operations *server = server_of(flight->pipe->door);
        uint8_t words[WORDS_BYTES];
        size_t n_bytes;
        const uint8_t *bytes = server->message_bytes(message, &n_bytes);

        put_words(flight->id, words);
        bytes_add(ret_bytes, words, sizeof(words));
        bytes_add(ret_bytes, bytes, n_bytes);
        server->message_free(message);
}

/* --- what the relay says ------------------------------------------------- */

static bool to_client(struct door *door,
                      struct flight *flight,
                      struct pipit_inprocess_message *message)
{
        struct parcel **link = &door->parcels;
        struct parcel *parcel = calloc(1, sizeof(*parcel));

        if (!parcel)
                return false;

        parcel->exchange = flight->outer;
        parcel->message = message;
        while (*link)
                link = &(*link)->next;
        *link = parcel;
        flight->outer->context = NULL;
        flight->outer = NULL;
        flight_settle(flight);

        return true;
}

/* NULL: out of memory. */
static struct pipit_inprocess_message *make_message(const struct door *door,
                                                    const struct bytes *frame)
{
        size_t n_message;
        struct pipit_inprocess_message *message =
                frame->has_failed ? NULL : server_of(door)->message_new(frame->n);

        if (message)
                memcpy(server_of(door)->message_bytes(message, &n_message), frame->data, frame->n);

        return message;
}

void door_send(struct side *to, const struct bytes *words_and_frame)
{
        struct door_pipe *pipe = to->pipe;
        bool is_for_client = to == &pipe->pair->client;
        struct pipit_inprocess_message *message;
        struct bytes frame = *words_and_frame;
        struct flight *flight;

        flight = frame.has_failed ? NULL : find_flight(pipe, frame.data);
        pipe->pair->is_broken |= frame.has_failed;
        if (!flight || (is_for_client && !flight->outer))
                return;

        frame.data += WORDS_BYTES;
        frame.n -= WORDS_BYTES;
        message = make_message(pipe->door, &frame);
        if (message && !is_for_client) {
                flight->message = message;
        } else if (!message || !to_client(pipe->door, flight, message)) {
                if (message)
                        server_of(pipe->door)->message_free(message);
                pipe->pair->is_broken = true;
        }
}

/* Mutex not held. */
static void give_parcels(struct door *door)
{
        lock(door);
        while (door->parcels) {
                struct parcel *parcel = door->parcels;

                door->parcels = parcel->next;
                unlock(door);
                parcel->exchange->client->answered(parcel->exchange, parcel->message);
                free(parcel);
                lock(door);
        }
        unlock(door);
}

void door_lost(struct door_pipe *pipe)
{
        pipe->pair = NULL;
        if (pipe->client)
                pipe->client->hung_up(pipe->client);
        pipe->client = NULL;
        pipe->is_hanging_up = true;
        pipe->next_lost = pipe->door->lost;
        pipe->door->lost = pipe;
}

void door_settle(struct door *door)
{
        give_parcels(door);
        lock(door);
        while (door->lost) {
                struct door_pipe *pipe = door->lost;

                door->lost = pipe->next_lost;
                unlock(door);
                server_of(door)->hang_up(pipe->inner);
                lock(door);
                pipe->is_hanging_up = false;
                pthread_cond_broadcast(&door->faults->changed);
        }
        unlock(door);
}

/* --- what the server says ------------------------------------------------ */

/* Mutex held. The relay takes in what @flight brought; @exchange is one of exchange.c's. */
static void take_in(struct flight *flight,
                    const struct bytes *bytes,
                    void (*exchange)(struct pair *pair, const uint8_t *message, size_t n))
{
        struct door_pipe *pipe = flight->pipe;

        if (!pipe->pair)
                return;
        if (bytes->has_failed)
                pipe->pair->is_broken = true;
        else
                exchange(pipe->pair, bytes->data, bytes->n);
        if (pipe->pair->is_broken)
                faults_wake(pipe->door->faults);
}

/* Who is answered in here may let go of all that there is: so this thread holds on to it. */
static void inner_answered(struct pipit_inprocess_exchange *exchange,
                           struct pipit_inprocess_message *message)
{
        struct flight *flight = pipit_container_of(exchange, struct flight, inner);
        struct door *door = flight->pipe->door;
        struct pipit_test_faults *faults = door->faults;
        struct bytes bytes = {0};

        faults_ref(faults);
        read_message(flight, message, &bytes);
        lock(door);
        take_in(flight, &bytes, exchange_response);
        flight->is_with_server = false;
        flight_settle(flight);
        pthread_cond_broadcast(&faults->changed);
        unlock(door);
        bytes_deinit(&bytes);
        give_parcels(door);
        faults_unref(faults);
}

static void inner_hung_up(struct pipit_inprocess_client *client)
{
        struct door_pipe *pipe = pipit_container_of(client, struct door_pipe, inner_client);
        struct door *door = pipe->door;

        lock(door);
        if (pipe->pair) {
                pipe->pair->is_broken = true;
                faults_wake(door->faults);
        }
        unlock(door);
}

/* --- what the client says ------------------------------------------------ */

static struct door *door_of(struct pipit_inprocess *base)
{
        return pipit_container_of(base, struct door, base);
}

/* Pipes are the server's type by name only. */
static struct door_pipe *pipe_of(struct pipit_inprocess_pipe *pipe)
{
        return (void *)pipe;
}

static void outer_ref(struct pipit_inprocess *base)
{
        faults_ref(door_of(base)->faults);
}

static void outer_unref(struct pipit_inprocess *base)
{
        faults_unref(door_of(base)->faults);
}

static struct door_pipe *pipe_new(struct door *door, struct pipit_inprocess_client *client)
{
        struct door_pipe *pipe = calloc(1, sizeof(*pipe));
        struct pair *pair = calloc(1, sizeof(*pair));

        if (!pipe || !pair) {
                free(pipe);
                free(pair);
                return NULL;
        }
        pipe->door = door;
        pipe->pair = pair;
        pipe->client = client;
        pipe->inner_client.answered = inner_answered;
        pipe->inner_client.hung_up = inner_hung_up;
        pair->faults = door->faults;
        pair->client = (struct side){.fd = -1, .pipe = pipe};
        pair->server = (struct side){.fd = -1, .pipe = pipe};

        return pipe;
}

/* Mutex held. Its pair goes, too. */
static void unlink_pair(struct door_pipe *pipe)
{
        struct pair **link = &pipe->door->faults->pairs;

        pipe->client = NULL;
        if (!pipe->pair)
                return;

        while (*link && *link != pipe->pair)
                link = &(*link)->next;
        if (*link)
                *link = pipe->pair->next;
        pair_free(pipe->pair);
        pipe->pair = NULL;
}

static const char *outer_connect(struct pipit_inprocess *base,
                                 struct pipit_inprocess_client *client,
                                 struct pipit_inprocess_pipe **ret_pipe)
{
        struct door *door = door_of(base);
        struct pipit_test_faults *faults = door->faults;
        struct door_pipe *pipe = pipe_new(door, client);
        const char *problem;

        if (!pipe)
                return "out of memory";

        problem = server_of(door)->connect(door->server, &pipe->inner_client, &pipe->inner);
        lock(door);
        if (!problem && (faults->is_down || faults->is_stopping)) {
                problem = faults->is_down ? "nobody listens: the test has it down"
                                          : "nobody listens: the relay was freed";
        } else if (!problem) {
                pipe->pair->next = faults->pairs;
                faults->pairs = pipe->pair;
                if (pipe->pair->is_broken)
                        faults_wake(faults);
        }
        if (problem)
                unlink_pair(pipe);
        unlock(door);

        if (!problem) {
                *ret_pipe = (void *)pipe;
                return NULL;
        }
        if (pipe->inner) {
                server_of(door)->hang_up(pipe->inner);
                server_of(door)->release(pipe->inner);
        }
        free(pipe);

        return problem;
}

static void outer_hang_up(struct pipit_inprocess_pipe *base)
{
        struct door_pipe *pipe = pipe_of(base);

        lock(pipe->door);
        unlink_pair(pipe);
        unlock(pipe->door);
        server_of(pipe->door)->hang_up(pipe->inner);
}

/* Mutex held, and let go meanwhile. What the server has not answered, it never will. */
static void recall(struct door_pipe *pipe)
{
        struct door *door = pipe->door;

        while (pipe->flights || pipe->is_hanging_up) {
                struct flight *flight = pipe->flights;
                bool was_away = false;

                if (flight) {
                        flight->is_recalled = true;
                        unlock(door);
                        was_away = server_of(door)->abandon(&flight->inner);
                        lock(door);
                        flight->is_recalled = false;
                        if (was_away)
                                flight->is_with_server = false;
                        flight_settle(flight);
                }
                /* Its answer is on its way, or the relay's thread is: both tell. */
                if (!was_away && (pipe->flights || pipe->is_hanging_up))
                        pthread_cond_wait(&door->faults->changed, &door->faults->mutex);
        }
}

/* Mutex held, and let go. The last who has to do with a pipe that was released ends it. */
static void leave(struct door_pipe *pipe)
{
        struct door *door = pipe->door;

        if (!pipe->is_released || pipe->n_inside > 0) {
                unlock(door);
                return;
        }
        recall(pipe);
        unlock(door);
        server_of(door)->release(pipe->inner);
        free(pipe);
}

static void outer_release(struct pipit_inprocess_pipe *base)
{
        struct door_pipe *pipe = pipe_of(base);

        lock(pipe->door);
        pipe->is_released = true;
        leave(pipe);
}

/* Mutex held, and let go meanwhile. What the server does not take, breaks the connection. */
static void hand_over(struct flight *flight)
{
        struct pipit_inprocess_message *message = flight->message;
        struct door_pipe *pipe = flight->pipe;
        const char *problem;

        flight->message = NULL;
        flight->is_with_server = true;
        unlock(pipe->door);
        problem = server_of(pipe->door)->submit(&flight->inner, message);
        lock(pipe->door);
        if (!problem)
                return;

        flight->is_with_server = false;
        flight_settle(flight);
        if (pipe->pair) {
                pipe->pair->is_broken = true;
                faults_wake(pipe->door->faults);
        }
}

static const char *outer_submit(struct pipit_inprocess_exchange *exchange,
                                struct pipit_inprocess_message *message)
{
        struct door_pipe *pipe = pipe_of(exchange->pipe);
        struct door *door = pipe->door;
        struct bytes bytes = {0};
        struct flight *flight;

        lock(door);
        flight = pipe->pair ? flight_new(pipe, exchange) : NULL;
        if (!flight) {
                unlock(door);
                server_of(door)->message_free(message);
                return "the connection was closed";
        }
        pipe->n_inside++;
        flight->is_with_server = true; /* nobody else ends it */
        read_message(flight, message, &bytes);
        take_in(flight, &bytes, exchange_request);
        flight->is_with_server = false;
        pthread_cond_broadcast(&door->faults->changed);
        if (flight->message)
                hand_over(flight);
        else
                flight_settle(flight);
        pipe->n_inside--;
        leave(pipe);
        bytes_deinit(&bytes);
        give_parcels(door);

        return NULL;
}

static bool outer_abandon(struct pipit_inprocess_exchange *exchange)
{
        struct door_pipe *pipe = pipe_of(exchange->pipe);
        struct flight *flight;
        uint8_t words[WORDS_BYTES];

        lock(pipe->door);
        flight = exchange->context;
        if (flight) {
                put_words(flight->id, words);
                if (pipe->pair)
                        exchange_forget(pipe->pair, words, sizeof(words));
                exchange->context = NULL;
                flight->outer = NULL;
                flight_settle(flight);
                pthread_cond_broadcast(&pipe->door->faults->changed);
        }
        unlock(pipe->door);

        return flight;
}

/* --- life ---------------------------------------------------------------- */

struct door *door_new(struct pipit_test_faults *faults, struct pipit_inprocess *server)
{
        struct door *door = calloc(1, sizeof(*door));

        if (!door)
                return NULL;

        door->faults = faults;
        door->server = server;
        server->operations->ref(server);
        door->base.operations = &door->operations;
        door->operations = (struct pipit_inprocess_operations){
                .ref = outer_ref,
                .unref = outer_unref,
                .connect = outer_connect,
                .hang_up = outer_hang_up,
                .release = outer_release,
                .message_new = server->operations->message_new,
                .message_bytes = server->operations->message_bytes,
                .message_free = server->operations->message_free,
                .submit = outer_submit,
                .abandon = outer_abandon,
        };

        return door;
}

struct door *door_free(struct door *door)
{
        if (!door)
                return NULL;

        door->server->operations->unref(door->server);
        free(door);

        return NULL;
}

struct pipit_inprocess *door_base(struct door *door)
{
        return &door->base;
}
