/* Answers on their way: of many threads, to peers that read well, badly or never. */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <pipit/macros.h>

#include "tests/unit/runtime/rep_fixture.h"

#define N_THREADS 8
#define N_PARKED  4000

/* More than any socket takes at once. */
#define LARGE_BYTES 3000000

/* How often any thread has sent something. */
static atomic_uint n_sends;

ssize_t __real_send(int fd, const void *bytes, size_t n_bytes, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t n_bytes, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);

ssize_t __wrap_send(int fd, const void *bytes, size_t n_bytes, int flags)
{
        atomic_fetch_add(&n_sends, 1);

        return __real_send(fd, bytes, n_bytes, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
        atomic_fetch_add(&n_sends, 1);

        return __real_sendmsg(fd, message, flags);
}

/* Frames that wait for the test to have them answered. */
struct parking {
        struct rep_fixture fixture;
        unsigned int n_parked;
        struct {
                struct rep_context *context;
                uint32_t number; /* its frame */
        } parked[N_PARKED];
        atomic_uint n_answered;
};

static void take_and_park(struct rep_fixture *fixture,
                          struct rep_context *context,
                          struct rep_message *message)
{
        struct parking *parking = pipit_container_of(fixture, struct parking, fixture);
        uint32_t number;

        if (rep_message_n_bytes(message) != sizeof(number))
                abort();
        memcpy(&number, rep_message_bytes(message), sizeof(number));
        rep_message_free(message);

        pthread_mutex_lock(&fixture->mutex);
        parking->parked[parking->n_parked].context = context;
        parking->parked[parking->n_parked].number = number;
        pthread_mutex_unlock(&fixture->mutex);
        rep_fixture_count(fixture, &parking->n_parked);
}

static struct parking *parking_new(enum rep_transport transport)
{
        struct parking *parking = calloc(1, sizeof(*parking));

        assert_non_null(parking);
        parking->fixture.take = take_and_park;
        rep_fixture_start(&parking->fixture, transport);

        return parking;
}

static void parking_free(struct parking *parking)
{
        rep_fixture_stop(&parking->fixture);
        free(parking);
}

/* Has frames @from to @to parked, whose ids are their numbers. */
static void park(struct parking *parking, int fd, uint32_t from, uint32_t to)
{
        for (uint32_t i = from; i < to; ++i) {
                uint8_t bytes[64];

                peer_write(fd, bytes, message_write(&parking->fixture, bytes, i, 1, &i, sizeof(i)));
        }
        rep_fixture_wait(&parking->fixture, &parking->n_parked, to);
}

static size_t n_answer_bytes(uint32_t number)
{
        static const size_t sizes[] = {0, 1, 13, 100, 1000, 70000};

        return sizes[number % PIPIT_N_ELEMENTS(sizes)];
}

static uint8_t answer_byte(uint32_t number, size_t at)
{
        return (uint8_t)(number * 31 + at);
}

static void answer(struct parking *parking, uint32_t index, size_t n_bytes)
{
        struct rep_message *message = rep_message_new(n_bytes);
        uint32_t number = parking->parked[index].number;

        if (!message)
                abort();
        for (size_t i = 0; i < n_bytes; ++i)
                rep_message_bytes(message)[i] = answer_byte(number, i);
        rep_fixture_answer(&parking->fixture, parking->parked[index].context, message);
}

static void *answer_main(void *argument)
{
        struct parking *parking = argument;

        for (;;) {
                uint32_t index = atomic_fetch_add(&parking->n_answered, 1);

                if (index >= N_PARKED)
                        return NULL;
                answer(parking, index, n_answer_bytes(parking->parked[index].number));
        }
}

/* The next answer, whichever it is: its number. */
static uint32_t read_answer(const struct parking *parking, int fd, size_t *ret_n_bytes)
{
        static uint8_t frame[LARGE_BYTES];
        size_t n_head = pipit_sp_head_bytes(parking->fixture.framing);
        uint8_t head[SP_HEAD_BYTES_MAX + SP_ID_BYTES];
        uint64_t n_bytes;
        uint32_t number = 0;

        assert_int_equal(peer_read(fd, head, n_head + SP_ID_BYTES), n_head + SP_ID_BYTES);
        assert_true(pipit_sp_head_read(head, parking->fixture.framing, &n_bytes));
        for (size_t i = 0; i < SP_ID_BYTES; ++i)
                number = number << 8 | head[n_head + i];
        assert_true(number & SP_ID_TOP);
        number &= ~SP_ID_TOP;

        *ret_n_bytes = (size_t)n_bytes - SP_ID_BYTES;
        assert_true(*ret_n_bytes <= sizeof(frame));
        assert_int_equal(peer_read(fd, frame, *ret_n_bytes), *ret_n_bytes);
        for (size_t i = 0; i < *ret_n_bytes; ++i) {
                if (frame[i] != answer_byte(number, i))
                        fail_msg("answer %u is not whole", number);
        }

        return number;
}

static void answers_of_many_threads_arrive_whole_and_once(void **state)
{
        (void)state;
        for (int i = 0; i < 2; ++i) {
                struct parking *parking = parking_new(i ? REP_TRANSPORT_TCP : REP_TRANSPORT_IPC);
                bool *is_answered = calloc(N_PARKED, sizeof(*is_answered));
                int fd = peer_connect_greeted(&parking->fixture);
                pthread_t threads[N_THREADS];

                park(parking, fd, 0, N_PARKED);
                for (int t = 0; t < N_THREADS; ++t)
                        assert_int_equal(pthread_create(&threads[t], NULL, answer_main, parking),
                                         0);
                for (uint32_t n = 0; n < N_PARKED; ++n) {
                        size_t n_bytes;
                        uint32_t number = read_answer(parking, fd, &n_bytes);

                        assert_true(number < N_PARKED);
                        assert_false(is_answered[number]);
                        assert_int_equal(n_bytes, n_answer_bytes(number));
                        is_answered[number] = true;
                }
                for (int t = 0; t < N_THREADS; ++t)
                        pthread_join(threads[t], NULL);
                rep_fixture_wait(&parking->fixture, &parking->fixture.n_sent, N_PARKED);
                assert_int_equal(rep_fixture_read(&parking->fixture, &parking->fixture.n_stuck), 0);
                close(fd);
                free(is_answered);
                parking_free(parking);
        }
}

/* One whose kernel takes no more than a little for it. */
static int connect_narrow(const struct rep_fixture *fixture)
{
        static const int n_bytes = 4096;
        int fd = peer_socket(fixture);

        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &n_bytes, sizeof(n_bytes)), 0);
        peer_connect_at(fixture, fd);
        peer_greet(fd);

        return fd;
}

/* Time passes until the server has hung up on a peer; @honest is served all the while. */
static void pass_time(struct parking *parking, int honest)
{
        uint32_t n_parked = rep_fixture_read(&parking->fixture, &parking->n_parked);
        size_t n_bytes;

        do {
                assert_true(n_parked < N_PARKED);
                park(parking, honest, n_parked, n_parked + 1);
                answer(parking, n_parked, 1000);
                assert_int_equal(read_answer(parking, honest, &n_bytes), n_parked++);
                rep_fixture_move_clock(TIMEOUT_MS / 4);
        } while (!rep_fixture_wait_ms(&parking->fixture, &parking->fixture.n_removed, 1, 50));
}

static void a_peer_that_reads_nothing_is_hung_up_on_and_others_are_served(void **state)
{
        (void)state;
        for (int i = 0; i < 2; ++i) {
                struct parking *parking = parking_new(i ? REP_TRANSPORT_TCP : REP_TRANSPORT_IPC);
                struct rep_fixture *fixture = &parking->fixture;
                int deaf = connect_narrow(fixture);
                int honest = peer_connect_greeted(fixture);

                park(parking, deaf, 0, 3);
                answer(parking, 0, LARGE_BYTES);
                answer(parking, 1, 1);
                answer(parking, 2, LARGE_BYTES);
                pass_time(parking, honest);
                rep_fixture_wait(fixture, &fixture->n_removed, 1);
                rep_fixture_wait(fixture, &fixture->n_sent, parking->n_parked);
                assert_int_equal(rep_fixture_read(fixture, &fixture->n_stuck), 1);
                assert_int_equal(rep_fixture_read(fixture, &fixture->n_removed), 1);
                close(deaf);
                close(honest);
                parking_free(parking);
        }
}

/* However long it takes: what counts is that something has left since. */
static void a_peer_that_reads_on_is_not_hung_up_on(void **state)
{
        struct parking *parking = parking_new(REP_TRANSPORT_IPC);
        int fd = peer_connect_greeted(&parking->fixture);
        size_t n_all = SP_HEAD_BYTES_IPC + SP_ID_BYTES + LARGE_BYTES;
        uint8_t *bytes = malloc(n_all);
        size_t n_step = n_all / 20;

        (void)state;
        park(parking, fd, 0, 1);
        answer(parking, 0, LARGE_BYTES);
        for (size_t n_read = 0; n_read < n_all; n_read += n_step) {
                if (n_step > n_all - n_read)
                        n_step = n_all - n_read;
                assert_int_equal(peer_read(fd, bytes, n_step), n_step);
                rep_fixture_move_clock(TIMEOUT_MS / 2);
        }
        rep_fixture_wait(&parking->fixture, &parking->fixture.n_sent, 1);
        assert_int_equal(rep_fixture_read(&parking->fixture, &parking->fixture.n_stuck), 0);
        close(fd);
        free(bytes);
        parking_free(parking);
}

/* Answers that were given and answers that come after: all are told of, and the context goes. */
static void a_peer_that_leaves_in_the_middle_of_an_answer_costs_nothing(void **state)
{
        (void)state;
        for (size_t n_read = 1; n_read < LARGE_BYTES; n_read = n_read * 7) {
                struct parking *parking = parking_new(REP_TRANSPORT_IPC);
                int fd = peer_connect_greeted(&parking->fixture);
                uint8_t *bytes = malloc(LARGE_BYTES);

                park(parking, fd, 0, 4);
                answer(parking, 0, LARGE_BYTES);
                answer(parking, 1, LARGE_BYTES);
                assert_int_equal(peer_read(fd, bytes, n_read), n_read);
                close(fd);
                answer(parking, 2, LARGE_BYTES);
                rep_fixture_wait(&parking->fixture, &parking->fixture.n_removed, 1);
                answer(parking, 3, LARGE_BYTES);
                rep_fixture_wait(&parking->fixture, &parking->fixture.n_sent, 4);
                free(bytes);
                parking_free(parking);
        }
}

/* A thread answers while the connection is full, and the next when the keeper has just let go of it. */
static void what_is_given_while_a_socket_is_full_follows(void **state)
{
        struct parking *parking = parking_new(REP_TRANSPORT_IPC);
        int fd = peer_connect_greeted(&parking->fixture);

        (void)state;
        park(parking, fd, 0, 300);
        for (uint32_t i = 0; i < 300; i += 3) {
                answer(parking, i, 400000);
                answer(parking, i + 1, 1);
                for (uint32_t k = i; k < i + 3; ++k) {
                        size_t n_bytes;

                        if (k == i + 2)
                                answer(parking, k, 2);
                        assert_int_equal(read_answer(parking, fd, &n_bytes), k);
                }
        }
        rep_fixture_wait(&parking->fixture, &parking->fixture.n_sent, 300);
        close(fd);
        parking_free(parking);
}

static void answer_another(struct rep_fixture *fixture)
{
        struct parking *parking = pipit_container_of(fixture, struct parking, fixture);
        uint32_t index = atomic_fetch_add(&parking->n_answered, 1);

        if (index < 3)
                answer(parking, index, LARGE_BYTES);
}

/* The keeper has written all, and is told more before it has let go: enough to fill the socket again. */
static void what_fills_the_socket_while_the_keeper_lets_go_follows(void **state)
{
        struct parking *parking = parking_new(REP_TRANSPORT_IPC);
        int fd = peer_connect_greeted(&parking->fixture);
        size_t n_bytes;

        (void)state;
        parking->fixture.told = answer_another;
        park(parking, fd, 0, 3);
        answer_another(&parking->fixture);
        for (uint32_t i = 0; i < 3; ++i)
                assert_int_equal(read_answer(parking, fd, &n_bytes), i);
        rep_fixture_wait(&parking->fixture, &parking->fixture.n_sent, 3);
        close(fd);
        parking_free(parking);
}

/* Each 500 us of reading some may leave, too: of a slow machine much of it would be needed. */
static void what_answers_a_burst_leaves_together(void **state)
{
        enum { N_FRAMES = 1000 };
        struct rep_fixture fixture = {0};
        static uint8_t burst[N_FRAMES * 32], answers[N_FRAMES * 32];
        size_t n_bytes = 0;
        int fd;

        (void)state;
        rep_fixture_start(&fixture, REP_TRANSPORT_IPC);
        fd = peer_connect_greeted(&fixture);
        for (uint32_t i = 0; i < N_FRAMES; ++i)
                n_bytes += message_write(&fixture, burst + n_bytes, i, 1, &i, sizeof(i));
        atomic_store(&n_sends, 0);
        peer_write(fd, burst, n_bytes);
        assert_int_equal(peer_read(fd, answers, n_bytes), n_bytes);
        assert_memory_equal(answers, burst, n_bytes);
        assert_in_range(atomic_load(&n_sends), 1, N_FRAMES / 2);
        close(fd);
        rep_fixture_stop(&fixture);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(answers_of_many_threads_arrive_whole_and_once),
                cmocka_unit_test(a_peer_that_reads_nothing_is_hung_up_on_and_others_are_served),
                cmocka_unit_test(a_peer_that_reads_on_is_not_hung_up_on),
                cmocka_unit_test(a_peer_that_leaves_in_the_middle_of_an_answer_costs_nothing),
                cmocka_unit_test(what_is_given_while_a_socket_is_full_follows),
                cmocka_unit_test(what_fills_the_socket_while_the_keeper_lets_go_follows),
                cmocka_unit_test(what_answers_a_burst_leaves_together),
        };

        return cmocka_run_group_tests_name("rep_output", tests, NULL, NULL);
}
