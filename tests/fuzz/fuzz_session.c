/*
 * The state machine of a session, with a man in the middle
 *
 * The input is what happens: frames are sealed, kept, changed, delivered in any order
 * and to either end, time goes on, ends are ended. Beside it runs a model: a frame is
 * taken if and only if it was not changed, comes to the right end, answers the right
 * request, was not taken before, is within the window, and the session is alive.
 */

#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/rpc/session.h"
#include "tests/fuzz/fuzz.h"

#define N_FRAMES   64
#define BODY_BYTES 8
#define LEAP       4000 /* of a counter, so that the window's edge is met */

struct kept {
        uint8_t bytes[PIPIT_SEALED_OVERHEAD_BYTES + BODY_BYTES];
        size_t n_bytes;
        bool by_client, is_changed, is_taken;
        uint64_t counter, in_reply_to;
};

struct end {
        struct pipit_session *session;
        uint64_t highest; /* that it has taken */
        bool any, is_ended;
};

struct world {
        struct pipit_secret_pool *secrets;
        struct end client, server;
        struct kept frames[N_FRAMES];
        size_t n_frames;
        int64_t now_us;
};

static struct pipit_session *make(struct world *world,
                                  bool is_server,
                                  const struct pipit_noise_transport *transport)
{
        static const uint8_t id[PIPIT_SESSION_ID_BYTES] = {1}, key[PIPIT_NOISE_KEY_BYTES] = {2};
        struct pipit_session *session = calloc(1, sizeof(*session));

        FUZZ_CHECK(session);
        FUZZ_CHECK(pipit_session_init(session,
                                      &(struct pipit_session_options){.is_server = is_server,
                                                                      .transport = transport,
                                                                      .id = id,
                                                                      .peer_key = key,
                                                                      .secrets = world->secrets}));
        return session;
}

static bool is_alive(const struct world *world, const struct end *end)
{
        return !end->is_ended && world->now_us < PIPIT_SESSION_REJECT_S * PIPIT_US_PER_S;
}

static void seal(struct world *world, struct fuzz_input *input, bool by_client)
{
        struct kept frame = {.by_client = by_client};
        struct end *end = by_client ? &world->client : &world->server;
        const size_t n_body = fuzz_byte(input) % (BODY_BYTES + 1);
        enum pipit_session_result result;

        frame.n_bytes = n_body + PIPIT_SEALED_OVERHEAD_BYTES;
        frame.counter = atomic_load(&end->session->next_counter);
        if (by_client) {
                result = pipit_session_seal_request(
                        end->session, world->now_us, frame.bytes, n_body, &frame.counter);
        } else {
                frame.in_reply_to = fuzz_byte(input);
                result = pipit_session_seal_response(
                        end->session, world->now_us, frame.in_reply_to, frame.bytes, n_body);
        }
        FUZZ_CHECK((result == PIPIT_SESSION_OK) ==
                   (is_alive(world, end) && frame.counter < PIPIT_SESSION_COUNTERS));
        if (result == PIPIT_SESSION_OK)
                world->frames[world->n_frames++ % N_FRAMES] = frame;
}

static struct kept *choose(struct world *world, struct fuzz_input *input)
{
        const size_t n = world->n_frames < N_FRAMES ? world->n_frames : N_FRAMES;

        return n > 0 ? &world->frames[fuzz_byte(input) % n] : NULL;
}

/* For good: a second change may be the first one taken back, which the model does not see. */
static void change(struct world *world, struct fuzz_input *input)
{
        struct kept *frame = choose(world, input);
        uint8_t bits = fuzz_byte(input);

        if (!frame || frame->is_changed)
                return;
        if (bits == 0)
                frame->n_bytes = fuzz_byte(input) % frame->n_bytes;
        else
                frame->bytes[fuzz_byte(input) % frame->n_bytes] ^= bits;
        frame->is_changed = true;
}

static bool is_in_window(const struct end *end, uint64_t counter)
{
        return !end->any || counter > end->highest || end->highest - counter < PIPIT_REPLAY_WINDOW;
}

static void deliver(struct world *world, struct fuzz_input *input, bool to_server)
{
        struct kept *frame = choose(world, input), copy;
        struct end *end = to_server ? &world->server : &world->client;
        const uint64_t request = to_server ? 0 : fuzz_byte(input);
        struct pipit_opened opened;
        enum pipit_session_result result;
        bool may;

        if (!frame)
                return;
        may = is_alive(world, end) && !frame->is_changed && !frame->is_taken &&
              frame->by_client == to_server && frame->in_reply_to == request &&
              is_in_window(end, frame->counter);
        copy = *frame;
        result = to_server ? pipit_session_open_request(
                                     end->session, world->now_us, copy.bytes, copy.n_bytes, &opened)
                           : pipit_session_open_response(end->session,
                                                         world->now_us,
                                                         request,
                                                         copy.bytes,
                                                         copy.n_bytes,
                                                         &opened);
        FUZZ_CHECK((result == PIPIT_SESSION_OK) == may);
        FUZZ_CHECK(pipit_session_result_text(result));
        if (!may)
                return;

        FUZZ_CHECK(opened.counter == frame->counter);
        FUZZ_CHECK(opened.is_first == (to_server && !end->any));
        frame->is_taken = true;
        if (!end->any || frame->counter > end->highest)
                end->highest = frame->counter;
        end->any = true;
}

/* What an attacker makes up himself. */
static void deliver_raw(struct world *world, struct fuzz_input *input)
{
        uint8_t bytes[128];
        const size_t n = fuzz_byte(input) % (sizeof(bytes) + 1);
        struct pipit_opened opened;

        for (size_t i = 0; i < n; i++)
                bytes[i] = fuzz_byte(input);
        FUZZ_CHECK(pipit_session_open_request(
                           world->server.session, world->now_us, bytes, n, &opened) !=
                   PIPIT_SESSION_OK);
}

static void leap(struct world *world, struct fuzz_input *input)
{
        const uint8_t choice = fuzz_byte(input);
        struct end *end = choice % 2 ? &world->client : &world->server;
        uint64_t next = atomic_load(&end->session->next_counter);

        /* Never back: no counter is used twice. */
        if (choice >= 250 && next < PIPIT_SESSION_COUNTERS - 2)
                next = PIPIT_SESSION_COUNTERS - 2;
        else if (next < PIPIT_SESSION_COUNTERS - 3 * LEAP)
                next += (uint64_t)(choice / 2) * (LEAP / 64);
        atomic_store(&end->session->next_counter, next);
}

static void step(struct world *world, struct fuzz_input *input)
{
        const uint8_t what = fuzz_byte(input);

        switch (what % 8) {
        case 0:
        case 1:
                seal(world, input, what % 2 == 0);
                break;
        case 2:
        case 3:
                deliver(world, input, what % 2 == 0);
                break;
        case 4:
                change(world, input);
                break;
        case 5:
                deliver_raw(world, input);
                break;
        case 6:
                leap(world, input);
                break;
        case 7:
                if (what > 250) {
                        struct end *end = what == 255 ? &world->server : &world->client;

                        pipit_session_end(end->session);
                        end->is_ended = true;
                } else {
                        world->now_us += what * PIPIT_US_PER_S / 8;
                }
                break;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
        static const struct pipit_noise_transport client = {{1}, {2}, {0}},
                                                  server = {{2}, {1}, {0}};
        struct fuzz_input input = {.at = bytes, .n_left = n_bytes};
        struct world world = {.secrets = pipit_secret_pool_new()};

        FUZZ_CHECK(world.secrets);
        world.client.session = make(&world, false, &client);
        world.server.session = make(&world, true, &server);
        while (input.n_left > 0)
                step(&world, &input);
        pipit_session_unref(world.client.session);
        pipit_session_unref(world.server.session);
        (void)pipit_secret_pool_free(world.secrets);

        return 0;
}
