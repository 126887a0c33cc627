/* Channels and a server with keys: how sessions begin, are followed by others, and end. */

#include <pipit/test_clock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/client/fixture.h"
#include "tests/integration/client/keyed.h"

#include "core/access/key.h"
#include "core/base/macros.h"

#define S INT64_C(1000000)

static const struct pipit_channel_options impatient = {
        .timeout_ms = 60000,
        .redial_min_ms = 1,
        .redial_max_ms = 2,
};

static enum pipit_status call(struct pipit_channel *channel, const char *text)
{
        struct pipit_call call = {.wait_for_ready = true};
        enum pipit_status status = blocking_echo(channel, &call, text);

        pipit_call_deinit(&call);

        return status;
}

/* --- files -------------------------------------------------------------------------------- */

/* Without a server: what is missing is told before anything is dialled. */
static void fails_with(struct keyed *keyed, const char *reason, const char *const *says)
{
        const struct pipit_channel_options options = {
                .key_file = keyed->key_file,
                .known_servers_file = keyed->known_servers,
        };
        struct pipit_error error;

        assert_null(pipit_channel_new(keyed->url, &options, &error));
        assert_int_equal(error.status, PIPIT_FAILED_PRECONDITION);
        assert_int_equal(error.ran, PIPIT_NOT_RUN);
        assert_string_equal(error.reason, reason);
        for (; *says; says++)
                assert_non_null(strstr(error.message, *says));
}

static void a_server_that_is_not_known_is_told_with_the_command_that_trusts_it(void **state)
{
        struct keyed keyed;
        char command[256];
        const char *says[] = {command, "pipit pubkey", keyed.known_servers, NULL};

        (void)state;
        keyed_init(&keyed);
        snprintf(command,
                 sizeof(command),
                 "`pipit trust --file %s %s KEY`",
                 keyed.known_servers,
                 keyed.url);
        keyed_trust(&keyed, "tcp://127.0.0.1:1", keyed.server.public);
        fails_with(&keyed, "SERVER_UNKNOWN", says);
        assert_int_equal(unlink(keyed.known_servers), 0);
        fails_with(&keyed, "SERVER_UNKNOWN", says);
        keyed_deinit(&keyed);
}

static void a_key_that_is_not_there_or_that_others_may_read_is_told(void **state)
{
        struct keyed keyed;
        const char *open[] = {keyed.key_file, "chmod 600", NULL};
        const char *missing[] = {keyed.key_file, "pipit keygen", NULL};

        (void)state;
        keyed_init(&keyed);
        assert_int_equal(chmod(keyed.key_file, 0640), 0);
        fails_with(&keyed, "KEY_UNUSABLE", open);
        assert_int_equal(unlink(keyed.key_file), 0);
        fails_with(&keyed, "KEY_UNUSABLE", missing);
        keyed_deinit(&keyed);
}

static void the_files_lie_in_the_configuration_folder_if_nobody_says_otherwise(void **state)
{
        struct pipit_channel *channel;
        struct keyed keyed;

        (void)state;
        keyed_init(&keyed);
        keyed_start(&keyed);
        assert_int_equal(setenv("PIPIT_CONFIG_DIR", keyed.folder, 1), 0);
        channel = pipit_channel_new(keyed.url, NULL, NULL);
        assert_int_equal(unsetenv("PIPIT_CONFIG_DIR"), 0);
        assert_non_null(channel);
        assert_int_equal(call(channel, "x"), PIPIT_OK);
        pipit_channel_free(channel);
        keyed_deinit(&keyed);
}

/* --- handshake -------------------------------------------------------------------------------- */

static void calls_of_every_kind_go_through_a_session(void **state)
{
        enum { N_CALLS = 300 };
        struct waited_call calls[N_CALLS];
        struct pipit_channel *channel;
        struct keyed keyed;

        (void)state;
        keyed_init(&keyed);
        keyed_start(&keyed);
        channel = keyed_channel(&keyed, NULL);
        for (size_t i = 0; i < N_CALLS; i++) {
                waited_init(&calls[i]);
                waited_start(&calls[i], channel, "*");
        }
        assert_int_equal(call(channel, "blocking"), PIPIT_OK);
        for (size_t i = 0; i < N_CALLS; i++) {
                assert_true(waited_wait(&calls[i]));
                assert_true(waited_is(&calls[i], "*"));
                waited_deinit(&calls[i]);
        }
        assert_int_equal(atomic_load(&keyed.n_accepts), 1);
        assert_int_equal(atomic_load(&keyed.n_hellos), 1);
        assert_int_equal(atomic_load(&keyed.n_runs), N_CALLS + 1);
        pipit_channel_free(channel);
        keyed_deinit(&keyed);
}

/* What the first call ends with, that does not wait for a server. */
static void first_call_fails(struct keyed *keyed,
                             enum pipit_status status,
                             const char *reason,
                             const char *says)
{
        struct pipit_call call = {.timeout_ms = 0};
        struct pipit_channel *channel;

        keyed_start(keyed);
        channel = keyed_channel(keyed, NULL);
        assert_int_equal(blocking_echo(channel, &call, "x"), status);
        assert_string_equal(pipit_call_error(&call)->reason, reason);
        assert_int_equal(pipit_call_error(&call)->ran, PIPIT_NOT_RUN);
        assert_non_null(strstr(pipit_call_error(&call)->message, says));
        assert_non_null(strstr(pipit_call_error(&call)->message, keyed->url));
        assert_int_equal(atomic_load(&keyed->n_runs), 0);
        pipit_call_deinit(&call);
        pipit_channel_free(channel);
        keyed_deinit(keyed);
}

static void a_client_that_is_not_listed_is_told_how_it_would_be(void **state)
{
        struct keyed keyed;
        char command[192] = "`pipit authorize NAME ";

        (void)state;
        keyed_init(&keyed);
        pipit_key_format(
                PIPIT_KEY_PUBLIC, keyed.client.public, command + strlen("`pipit authorize NAME "));
        strcat(command, "` is run and it then reads its keys again (usersd: at SIGHUP)");
        keyed.client.public[3] ^= 1;
        first_call_fails(&keyed, PIPIT_UNAUTHENTICATED, "SESSION_DENIED", command);
}

static void a_server_with_another_key_is_told_by_the_file_that_names_it(void **state)
{
        struct keyed keyed;

        (void)state;
        keyed_init(&keyed);
        keyed_trust(&keyed, keyed.url, keyed.client.public);
        first_call_fails(&keyed, PIPIT_UNAUTHENTICATED, "SESSION_DENIED", keyed.known_servers);
}

/* It has a second address, which nobody listens at. */
static void who_denies_a_session_at_localhost_is_the_one_that_is_told_of(void **state)
{
        struct keyed keyed;
        unsigned int port;

        (void)state;
        keyed_init(&keyed);
        assert_int_equal(sscanf(keyed.url, "tcp://127.0.0.1:%u", &port), 1);
        snprintf(keyed.url, sizeof(keyed.url), "tcp://localhost:%u", port);
        keyed_trust(&keyed, keyed.url, keyed.client.public);
        first_call_fails(&keyed, PIPIT_UNAUTHENTICATED, "SESSION_DENIED", "refuses a session");
}

static bool reject_hellos(struct keyed *keyed, struct raw_frame *frame)
{
        if (keyed_kind(frame) != PIPIT_FRAME_HELLO)
                return true;

        return keyed_reject(keyed, frame, *(const unsigned int *)keyed->context);
}

static void a_server_of_another_version_is_told_with_both(void **state)
{
        unsigned int code = PIPIT_REJECT_VERSION;
        struct keyed keyed;

        (void)state;
        keyed_init(&keyed);
        keyed.on_frame = reject_hellos;
        keyed.context = &code;
        first_call_fails(&keyed,
                         PIPIT_UNIMPLEMENTED,
                         "VERSION_MISMATCH",
                         "the server speaks version 9 at most, this client 1");
}

/* It is there, and so it is waited for. */
static void a_server_without_room_for_a_session_is_waited_for(void **state)
{
        unsigned int code = PIPIT_REJECT_BUSY;
        struct pipit_call call = {.timeout_ms = 2000};
        struct pipit_channel *channel;
        struct keyed keyed;

        (void)state;
        keyed_init(&keyed);
        keyed.on_frame = reject_hellos;
        keyed.context = &code;
        keyed_start(&keyed);
        channel = keyed_channel(&keyed, NULL);
        assert_int_equal(blocking_echo(channel, &call, "x"), PIPIT_DEADLINE_EXCEEDED);
        assert_int_equal(pipit_call_error(&call)->ran, PIPIT_NOT_RUN);
        assert_non_null(strstr(pipit_call_error(&call)->message, "too busy"));
        /* Pauses of 10, 20, 40, ... 1280 ms and more. */
        assert_in_range(atomic_load(&keyed.n_accepts), 1, 9);
        pipit_call_deinit(&call);
        pipit_channel_free(channel);
        keyed_deinit(&keyed);
}

static bool be_busy_once(struct keyed *keyed, struct raw_frame *frame)
{
        const struct pipit_reject busy = {.code = PIPIT_REJECT_BUSY, .retry_ms = 60};
        uint8_t bytes[PIPIT_REJECT_FRAME_BYTES];
        int *n_left = keyed->context;

        if (keyed_kind(frame) != PIPIT_FRAME_HELLO || (*n_left)-- <= 0)
                return true;
        pipit_reject_write(&busy, bytes);

        return keyed_reply_bytes(keyed, frame, bytes, sizeof(bytes));
}

static void a_busy_server_is_left_alone_for_as_long_as_it_says(void **state)
{
        struct pipit_channel *channel;
        struct pipit_call once = {.timeout_ms = 0};
        struct keyed keyed;
        int n_busy = 1;
        int64_t before_ms = now_ms();

        (void)state;
        keyed_init(&keyed);
        keyed.on_frame = be_busy_once;
        keyed.context = &n_busy;
        keyed_start(&keyed);
        channel = keyed_channel(&keyed, NULL);
        assert_int_equal(blocking_echo(channel, &once, "x"), PIPIT_OK);
        assert_true(now_ms() - before_ms >= 60);
        pipit_call_deinit(&once);
        pipit_channel_free(channel);
        keyed_deinit(&keyed);
}

static bool ignore_hellos(struct keyed *keyed, struct raw_frame *frame)
{
        int *n_left = keyed->context;

        return keyed_kind(frame) != PIPIT_FRAME_HELLO || (*n_left)-- <= 0;
}

static void silence_in_the_handshake_ends_the_attempt_and_not_the_channel(void **state)
{
        struct waited_call waiting, failing;
        struct pipit_channel *channel;
        struct keyed keyed;
        int n_ignored = 1;

        (void)state;
        keyed_init(&keyed);
        keyed.on_frame = ignore_hellos;
        keyed.context = &n_ignored;
        keyed_start(&keyed);
        channel = keyed_channel(&keyed, &impatient);
        waited_init(&waiting);
        waited_init(&failing);
        waiting.call.wait_for_ready = true;
        waited_start(&waiting, channel, "waiting");
        waited_start(&failing, channel, "failing");
        assert_true(waited_wait(&failing));
        assert_int_equal(pipit_call_error(&failing.call)->status, PIPIT_UNAVAILABLE);
        assert_non_null(strstr(pipit_call_error(&failing.call)->message, "handshake"));
        assert_true(waited_wait(&waiting));
        assert_true(waited_is(&waiting, "waiting"));
        assert_int_equal(atomic_load(&keyed.n_runs), 1);
        waited_deinit(&waiting);
        waited_deinit(&failing);
        pipit_channel_free(channel);
        keyed_deinit(&keyed);
}

static bool slam(struct keyed *keyed, struct raw_frame *frame)
{
        int *n_left = keyed->context;

        if (keyed_kind(frame) != PIPIT_FRAME_HELLO || (*n_left)-- <= 0)
                return true;

        return keyed_hang_up(keyed);
}

static void a_server_that_hangs_up_in_the_handshake_is_tried_again(void **state)
{
        struct pipit_channel *channel;
        struct keyed keyed;
        int n_slams = 5;

        (void)state;
        keyed_init(&keyed);
        keyed.on_frame = slam;
        keyed.context = &n_slams;
        keyed_start(&keyed);
        channel = keyed_channel(&keyed, &impatient);
        assert_int_equal(call(channel, "x"), PIPIT_OK);
        assert_int_equal(atomic_load(&keyed.n_accepts), 6);
        assert_int_equal(atomic_load(&keyed.n_runs), 1);
        pipit_channel_free(channel);
        keyed_deinit(&keyed);
}

/* At any moment: while it dials, shakes hands, or is up. */
static void a_channel_can_be_freed_in_the_middle_of_a_handshake(void **state)
{
        struct keyed keyed;
        int n_ignored = 1000;

        (void)state;
        keyed_init(&keyed);
        keyed.on_frame = ignore_hellos;
        keyed.context = &n_ignored;
        keyed_start(&keyed);
        for (unsigned int i = 0; i < 20; i++) {
                struct pipit_channel *channel = keyed_channel(&keyed, NULL);

                while (i % 2 && atomic_load(&keyed.n_accepts) <= i / 2)
                        sched_yield();
                pipit_channel_free(channel);
        }
        keyed_deinit(&keyed);
}

/* --- one session after the other -------------------------------------------------------------- */

struct aging {
        struct keyed keyed;
        struct pipit_test_clock clock;
        struct pipit_channel *channel;
};

static void begin_aging(struct aging *aging, keyed_meddle_fn on_frame, keyed_meddle_fn on_answer)
{
        struct pipit_channel_options options = impatient;

        pipit_test_clock_init(&aging->clock, INT64_C(1767225600) * S);
        keyed_init(&aging->keyed);
        aging->keyed.clock = &aging->clock.clock;
        aging->keyed.on_frame = on_frame;
        aging->keyed.on_answer = on_answer;
        keyed_start(&aging->keyed);
        options.clock = &aging->clock.clock;
        aging->channel = keyed_channel(&aging->keyed, &options);
        assert_int_equal(call(aging->channel, "*"), PIPIT_OK);
}

static void end_aging(struct aging *aging)
{
        pipit_channel_free(aging->channel);
        keyed_deinit(&aging->keyed);
        assert_int_equal(atomic_load(&aging->keyed.n_sealed_badly), 0);
        pipit_test_clock_deinit(&aging->clock);
}

static void expect(struct aging *aging, unsigned int n_accepts, unsigned int n_hellos)
{
        assert_int_equal(atomic_load(&aging->keyed.n_accepts), n_accepts);
        assert_int_equal(atomic_load(&aging->keyed.n_hellos), n_hellos);
}

/* The frame that notices goes by the old one still, and others may, until the welcome is read. */
static void call_by_the_newest(struct aging *aging)
{
        do
                assert_int_equal(call(aging->channel, "*"), PIPIT_OK);
        while (!atomic_load(&aging->keyed.is_newest));
}

static void an_old_session_is_followed_by_another_on_the_same_pipe(void **state)
{
        struct aging aging;

        (void)state;
        begin_aging(&aging, NULL, NULL);
        pipit_test_clock_advance(&aging.clock, 120 * S - 1);
        assert_int_equal(call(aging.channel, "*"), PIPIT_OK);
        assert_int_equal(call(aging.channel, "*"), PIPIT_OK);
        expect(&aging, 1, 1);
        pipit_test_clock_advance(&aging.clock, 1);
        assert_int_equal(call(aging.channel, "*"), PIPIT_OK);
        call_by_the_newest(&aging);
        expect(&aging, 1, 2);

        /* Old enough that the first would be none, were it used still. */
        pipit_test_clock_advance(&aging.clock, 100 * S);
        assert_int_equal(call(aging.channel, "*"), PIPIT_OK);
        expect(&aging, 1, 2);
        for (int i = 0; i < 5; i++) {
                pipit_test_clock_advance(&aging.clock, i == 0 ? 20 * S : 120 * S);
                assert_int_equal(call(aging.channel, "*"), PIPIT_OK);
                call_by_the_newest(&aging);
        }
        expect(&aging, 1, 7);
        end_aging(&aging);
}

static bool reject_later_hellos(struct keyed *keyed, struct raw_frame *frame)
{
        if (keyed_kind(frame) != PIPIT_FRAME_HELLO || atomic_load(&keyed->n_hellos) == 0)
                return true;
        atomic_fetch_add(&keyed->n_hellos, 1);

        return keyed_reject(keyed, frame, *(const unsigned int *)keyed->context);
}

/* A reject of it, which anybody can make, changes nothing of the session that is there. */
static void a_handshake_that_is_refused_leaves_the_old_session_as_it_is(void **state)
{
        unsigned int codes[] = {
                PIPIT_REJECT_BAD_FRAME,
                PIPIT_REJECT_NO_SESSION,
                PIPIT_REJECT_DENIED,
                PIPIT_REJECT_BUSY,
                PIPIT_REJECT_VERSION,
        };

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(codes); i++) {
                struct aging aging;

                begin_aging(&aging, reject_later_hellos, NULL);
                aging.keyed.context = &codes[i];
                pipit_test_clock_advance(&aging.clock, 120 * S);
                for (int n_calls = 0; n_calls < 50; n_calls++)
                        assert_int_equal(call(aging.channel, "*"), PIPIT_OK);
                expect(&aging, 1, 2); /* within a second there is no other attempt */
                pipit_test_clock_advance(&aging.clock, 1 * S);
                for (int n_calls = 0; n_calls < 50; n_calls++)
                        assert_int_equal(call(aging.channel, "*"), PIPIT_OK);
                expect(&aging, 1, 3);
                pipit_test_clock_advance(&aging.clock, 59 * S - 1);
                assert_int_equal(call(aging.channel, "*"), PIPIT_OK);
                assert_int_equal(call(aging.channel, "*"), PIPIT_OK);
                expect(&aging, 1, 4);
                end_aging(&aging);
        }
}

static bool ignore_the_second_hello(struct keyed *keyed, struct raw_frame *frame)
{
        return keyed_kind(frame) != PIPIT_FRAME_HELLO || atomic_load(&keyed->n_accepts) > 1 ||
               atomic_load(&keyed->n_hellos) == 0;
}

/* Then it is on the next connection that there is another session. */
static void a_later_handshake_without_an_answer_is_seen_by_nobody(void **state)
{
        struct aging aging;

        (void)state;
        begin_aging(&aging, ignore_the_second_hello, NULL);
        pipit_test_clock_advance(&aging.clock, 120 * S);
        assert_int_equal(call(aging.channel, "*"), PIPIT_OK);
        pipit_test_clock_advance(&aging.clock, 60 * S - 1);
        assert_int_equal(call(aging.channel, "*"), PIPIT_OK);
        expect(&aging, 1, 1);
        pipit_test_clock_advance(&aging.clock, 1);
        assert_int_equal(call(aging.channel, "*"), PIPIT_OK);
        expect(&aging, 2, 2);
        pipit_test_clock_advance(&aging.clock, 120 * S);
        assert_int_equal(call(aging.channel, "*"), PIPIT_OK);
        call_by_the_newest(&aging);
        expect(&aging, 2, 3);
        end_aging(&aging);
}

/* It was idle: the next call makes a new connection, unseen. */
static void a_session_that_is_too_old_is_used_no_more(void **state)
{
        struct aging aging;
        struct pipit_call idle = {.timeout_ms = 0};

        (void)state;
        begin_aging(&aging, NULL, NULL);
        pipit_test_clock_advance(&aging.clock, 180 * S);
        assert_int_equal(blocking_echo(aging.channel, &idle, "after a pause"), PIPIT_OK);
        expect(&aging, 2, 2);
        assert_false(atomic_load(&aging.keyed.ran_twice));
        assert_int_equal(atomic_load(&aging.keyed.n_runs), 2);
        pipit_call_deinit(&idle);
        end_aging(&aging);
}

/* Keeps the answer to the call "held", the second one; the test sends it. */
static bool hold_back(struct keyed *keyed, struct raw_frame *frame)
{
        struct raw_frame *held = keyed->context;

        if (keyed_kind(frame) != PIPIT_FRAME_SEALED_RESPONSE)
                return true;
        if (atomic_load(&keyed->n_runs) == 2 && !held->bytes && keyed->calls[1].text[0] == 'h') {
                *held = *frame;
                held->bytes = malloc(frame->n_bytes);
                assert_non_null(held->bytes);
                memcpy(held->bytes, frame->bytes, frame->n_bytes);
                return false;
        }

        return true;
}

/* The server's thread is through with the frame: it has the meddler's word for it. */
static void wait_until_held(struct aging *aging)
{
        while (atomic_load(&aging->keyed.n_kept) == 0)
                sched_yield();
}

/* A call whose answer is held back. */
struct held {
        struct raw_frame frame;
        struct waited_call waited;
        struct aging aging;
};

static void begin_held(struct held *held)
{
        held->frame = (struct raw_frame){.bytes = NULL};
        begin_aging(&held->aging, NULL, hold_back);
        held->aging.keyed.context = &held->frame;
        waited_init(&held->waited);
        waited_start(&held->waited, held->aging.channel, "held");
        wait_until_held(&held->aging);
}

/* The answer goes out, late, and the call ends with what it said. */
static void let_go(struct held *held)
{
        assert_true(raw_write_frame(&held->aging.keyed.raw, &held->frame));
        assert_true(waited_wait(&held->waited));
        assert_true(waited_is(&held->waited, "held"));
}

static void end_held(struct held *held)
{
        waited_deinit(&held->waited);
        end_aging(&held->aging);
        free(held->frame.bytes);
}

static void answers_of_the_old_session_are_opened_with_its_keys(void **state)
{
        struct held held;

        (void)state;
        begin_held(&held);
        pipit_test_clock_advance(&held.aging.clock, 120 * S);
        assert_int_equal(call(held.aging.channel, "*"), PIPIT_OK);
        call_by_the_newest(&held.aging);
        expect(&held.aging, 1, 2);
        assert_int_equal(atomic_load(&held.waited.n_done), 0);
        let_go(&held);
        expect(&held.aging, 1, 2);
        end_held(&held);
}

/* It ran; its answer is no answer any more, and is fetched by the next session. */
static void an_answer_that_comes_when_its_session_is_too_old_is_fetched_by_the_next(void **state)
{
        struct held held;

        (void)state;
        begin_held(&held);
        pipit_test_clock_advance(&held.aging.clock, 180 * S);
        let_go(&held);
        expect(&held.aging, 2, 2);
        assert_false(atomic_load(&held.aging.keyed.ran_twice));
        end_held(&held);
}

/* --- sizes ----------------------------------------------------------------------------------- */

/* The server gives back as much as it keeps of a text: that it ran is what counts. */
static bool runs(struct pipit_channel *channel, size_t n_bytes)
{
        struct pipit_call large = {.timeout_ms = 60000};
        char *text = calloc(1, n_bytes + 1);
        enum pipit_status status;

        assert_non_null(text);
        memset(text, '*', n_bytes);
        status = blocking_echo(channel, &large, text);
        if (status != PIPIT_DATA_LOSS) {
                assert_int_equal(status, PIPIT_RESOURCE_EXHAUSTED);
                assert_string_equal(pipit_call_error(&large)->reason, "REQUEST_TOO_LARGE");
        }
        pipit_call_deinit(&large);
        free(text);

        return status == PIPIT_DATA_LOSS;
}

/* The server's limit is of the sealed frame, and what does not fit is told here. */
static void what_the_server_does_not_take_is_not_sent(void **state)
{
        const struct pipit_channel_options options = {.frame_bytes_max = 2 * 1024 * 1024};
        struct pipit_channel *channel;
        struct keyed keyed;
        size_t n_ran = 0;

        (void)state;
        keyed_init(&keyed);
        keyed_start(&keyed);
        channel = keyed_channel(&keyed, &options);
        for (size_t n_less = 300; n_less > 0; n_less -= 10) {
                if (!runs(channel, keyed.max_frame - n_less))
                        break;
                n_ran++;
        }
        assert_in_range(n_ran, 1, 29);
        assert_true(atomic_load(&keyed.n_bytes_longest) <= keyed.max_frame);
        assert_false(runs(channel, keyed.max_frame));
        assert_int_equal(atomic_load(&keyed.n_runs), n_ran);
        assert_int_equal(atomic_load(&keyed.n_accepts), 1);
        pipit_channel_free(channel);
        keyed_deinit(&keyed);
}

/* --- ipc: whose server it is ------------------------------------------------------------------- */

static void a_socket_of_another_user_is_told_by_his_uid(void **state)
{
        const uint32_t uid = geteuid(), others[] = {uid + 1, uid + 2};
        struct pipit_channel_options options = {.server_uids = others, .n_server_uids = 2};
        struct pipit_call refused = {.timeout_ms = 0};
        struct pipit_channel *channel;
        struct place place;
        struct raw raw;
        char says[64], byte;

        (void)state;
        place_init(&place);
        raw_listen(&raw, place.url);
        channel = pipit_channel_new(place.url, &options, NULL);
        assert_int_equal(blocking_echo(channel, &refused, "x"), PIPIT_UNAUTHENTICATED);
        assert_string_equal(pipit_call_error(&refused)->reason, "SERVER_UNTRUSTED");
        snprintf(says, sizeof(says), "uid %u listens there", uid);
        assert_non_null(strstr(pipit_call_error(&refused)->message, says));
        raw_accept_only(&raw);
        assert_false(raw_read(&raw, &byte, 1));
        pipit_channel_free(channel);
        pipit_call_deinit(&refused);
        raw_close(&raw);
        place_deinit(&place);
}

static void a_socket_of_the_expected_user_is_used(void **state)
{
        const uint32_t uid = geteuid(), ours[] = {uid + 1, uid};
        const struct pipit_channel_options options = {.server_uids = ours, .n_server_uids = 2};
        struct pipit_channel *channel;
        struct place place;
        struct peer *peer;

        (void)state;
        place_init(&place);
        peer = peer_new(place.url, 7, PEER_ECHO);
        channel = pipit_channel_new(place.url, &options, NULL);
        assert_int_equal(call(channel, "x"), PIPIT_OK);
        pipit_channel_free(channel);
        peer_free(peer);
        place_deinit(&place);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(
                        a_server_that_is_not_known_is_told_with_the_command_that_trusts_it),
                cmocka_unit_test(a_key_that_is_not_there_or_that_others_may_read_is_told),
                cmocka_unit_test(
                        the_files_lie_in_the_configuration_folder_if_nobody_says_otherwise),
                cmocka_unit_test(calls_of_every_kind_go_through_a_session),
                cmocka_unit_test(a_client_that_is_not_listed_is_told_how_it_would_be),
                cmocka_unit_test(a_server_with_another_key_is_told_by_the_file_that_names_it),
                cmocka_unit_test(who_denies_a_session_at_localhost_is_the_one_that_is_told_of),
                cmocka_unit_test(a_server_of_another_version_is_told_with_both),
                cmocka_unit_test(a_server_without_room_for_a_session_is_waited_for),
                cmocka_unit_test(a_busy_server_is_left_alone_for_as_long_as_it_says),
                cmocka_unit_test(silence_in_the_handshake_ends_the_attempt_and_not_the_channel),
                cmocka_unit_test(a_server_that_hangs_up_in_the_handshake_is_tried_again),
                cmocka_unit_test(a_channel_can_be_freed_in_the_middle_of_a_handshake),
                cmocka_unit_test(an_old_session_is_followed_by_another_on_the_same_pipe),
                cmocka_unit_test(a_handshake_that_is_refused_leaves_the_old_session_as_it_is),
                cmocka_unit_test(a_later_handshake_without_an_answer_is_seen_by_nobody),
                cmocka_unit_test(a_session_that_is_too_old_is_used_no_more),
                cmocka_unit_test(answers_of_the_old_session_are_opened_with_its_keys),
                cmocka_unit_test(
                        an_answer_that_comes_when_its_session_is_too_old_is_fetched_by_the_next),
                cmocka_unit_test(what_the_server_does_not_take_is_not_sent),
                cmocka_unit_test(a_socket_of_another_user_is_told_by_his_uid),
                cmocka_unit_test(a_socket_of_the_expected_user_is_used),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
