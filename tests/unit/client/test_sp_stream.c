/* The table of client/sp_stream.h: who reads, line by line. */

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/sp_stream.h"
#include "client/waiter.h"

#include "core/base/macros.h"

#define WAIT_S  10
#define N_LANES 3

struct lane {
        struct transport_lane *wire;
        sem_t received;      /* on_received() */
        sem_t answered;      /* on_answer() */
        struct waiter *ends; /* by on_answer() */
        pthread_t thread;    /* that ran either */
        bool is_unsent;
};

struct stage {
        char directory[64];
        struct target_address target;
        int listener;
        int peer;
        struct loop *loop;
        struct transport_socket *base;
        struct sp_socket *socket;
        struct lane lanes[N_LANES];
        sem_t pipe_changed;
};

static void wait_for(sem_t *semaphore)
{
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += WAIT_S;
        assert_int_equal(sem_timedwait(semaphore, &until), 0);
}

static void on_pipe(void *context)
{
        struct stage *stage = context;

        sem_post(&stage->pipe_changed);
}

static void on_unsent(void *context, const char *problem)
{
        struct lane *lane = context;

        (void)problem;
        lane->is_unsent = true;
        lane->thread = pthread_self();
        sem_post(&lane->received);
}

static void on_received(void *context, const char *problem, struct transport_message *message)
{
        struct lane *lane = context;

        (void)problem;
        free(message);
        lane->thread = pthread_self();
        sem_post(&lane->received);
}

static void on_answer(void *context, struct transport_message *message)
{
        struct lane *lane = context;

        free(message);
        lane->thread = pthread_self();
        sem_post(&lane->answered);
        if (lane->ends)
                waiter_end(lane->ends);
}

static void listen_here(struct stage *stage)
{
        struct sockaddr_un *address =
                (struct sockaddr_un *)(void *)&stage->target.endpoints[0].address;

        strcpy(stage->directory, "/tmp/pipit-XXXXXX");
        assert_non_null(mkdtemp(stage->directory));
        address->sun_family = AF_UNIX;
        snprintf(address->sun_path, sizeof(address->sun_path), "%s/s", stage->directory);
        stage->target.endpoints[0].n_address_bytes = sizeof(*address);
        stage->listener = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(bind(stage->listener, (struct sockaddr *)address, sizeof(*address)), 0);
        assert_int_equal(listen(stage->listener, 1), 0);
}

static enum transport_pipe pipe_of(struct stage *stage)
{
        const char *problem;

        return sp_transport.pipe(stage->base, &problem);
}

static void await_pipe(struct stage *stage, enum transport_pipe pipe)
{
        while (pipe_of(stage) != pipe)
                wait_for(&stage->pipe_changed);
}

static void connect_there(struct stage *stage)
{
        uint8_t greeting[SP_GREETING_BYTES];

        assert_null(sp_transport.dial(stage->base, &stage->target, 0));
        stage->peer = accept(stage->listener, NULL, NULL);
        assert_int_equal(recv(stage->peer, greeting, sizeof(greeting), MSG_WAITALL), 8);
        assert_memory_equal(greeting, pipit_sp_greeting_of_client, sizeof(greeting));
        assert_int_equal(send(stage->peer, pipit_sp_greeting_of_server, 8, 0), 8);
        await_pipe(stage, TRANSPORT_PIPE_UP);
}

static int set_up(void **state)
{
        struct stage *stage = calloc(1, sizeof(*stage));
        struct transport_options options = {
                .on_pipe = on_pipe, .context = stage, .receive_bytes_max = 4096};
        const char *problem;

        assert_non_null(stage);
        sem_init(&stage->pipe_changed, 0, 0);
        listen_here(stage);
        stage->loop = options.loop = loop_new(&problem);
        stage->base = sp_transport.socket_open(&options, &problem);
        stage->socket = sp_socket_of(stage->base);
        for (size_t i = 0; i < N_LANES; i++) {
                const struct transport_lane_options lane_options = {
                        .on_unsent = on_unsent,
                        .on_received = on_received,
                        .on_answer = on_answer,
                        .context = &stage->lanes[i],
                };

                sem_init(&stage->lanes[i].received, 0, 0);
                sem_init(&stage->lanes[i].answered, 0, 0);
                stage->lanes[i].wire = sp_transport.lane_open(stage->base, &lane_options, &problem);
        }
        connect_there(stage);
        *state = stage;

        return 0;
}

static int tear_down(void **state)
{
        struct stage *stage = *state;

        for (size_t i = 0; i < N_LANES; i++)
                sp_transport.lane_stop(stage->lanes[i].wire);
        for (size_t i = 0; i < N_LANES; i++)
                sp_transport.lane_close(stage->lanes[i].wire);
        sp_transport.socket_close(stage->base);
        loop_free(stage->loop);
        close(stage->peer);
        close(stage->listener);
        unlink(((struct sockaddr_un *)(void *)&stage->target.endpoints[0].address)->sun_path);
        rmdir(stage->directory);
        free(stage);

        return 0;
}

/* A frame of three bytes; what the peer gets is what it sends back to answer it. */
struct wire_frame {
        uint8_t bytes[SP_FRAME_AT + 3];
};

static struct wire_frame send_frame(struct stage *stage, size_t lane)
{
        struct transport_lane *wire = stage->lanes[lane].wire;
        struct wire_frame frame;

        sp_transport.send(wire, sp_transport.message_new(wire, 3), true);
        assert_int_equal(recv(stage->peer, frame.bytes, sizeof(frame.bytes), MSG_WAITALL),
                         sizeof(frame.bytes));

        return frame;
}

static void answer(struct stage *stage, const struct wire_frame *frame)
{
        assert_int_equal(send(stage->peer, frame->bytes, sizeof(frame->bytes), 0),
                         sizeof(frame->bytes));
}

static enum sp_reads reads(struct stage *stage)
{
        enum sp_reads who;

        pthread_mutex_lock(&stage->socket->mutex);
        who = stage->socket->reads;
        pthread_mutex_unlock(&stage->socket->mutex);

        return who;
}

static bool loop_is_told_of_data(struct stage *stage)
{
        bool is_told;

        pthread_mutex_lock(&stage->socket->mutex);
        is_told = stage->socket->watched & EPOLLIN;
        pthread_mutex_unlock(&stage->socket->mutex);

        return is_told;
}

static void await_reads(struct stage *stage, enum sp_reads who)
{
        while (reads(stage) != who)
                sched_yield();
}

static void enter(struct stage *stage, struct waiter *waiter)
{
        waiter_init(waiter);
        sp_transport.enter(stage->base, waiter);
        assert_ptr_equal(waiter->socket, stage->base);
}

/* A caller that comes and goes leaves nobody reading. */
static void leave_nobody(struct stage *stage)
{
        struct waiter waiter;

        await_reads(stage, SP_READS_LOOP);
        enter(stage, &waiter);
        waiter_end(&waiter);
        sp_transport.wait(stage->base, &waiter);
        assert_int_equal(reads(stage), SP_READS_NOBODY);
        assert_false(loop_is_told_of_data(stage));
}

/* A caller, its frame, and the answer that it reads itself. */
static void call_alone(struct stage *stage)
{
        struct lane *lane = &stage->lanes[0];
        struct wire_frame frame;
        struct waiter waiter;

        enter(stage, &waiter);
        assert_int_equal(reads(stage), SP_READS_CALLER);
        assert_false(loop_is_told_of_data(stage));
        lane->ends = &waiter;
        frame = send_frame(stage, 0);
        answer(stage, &frame);
        sp_transport.wait(stage->base, &waiter);
        assert_int_equal(sem_trywait(&lane->answered), 0);
        assert_true(pthread_equal(lane->thread, pthread_self()));
        lane->ends = NULL;
}

static void of_nobody_or_the_loop_a_caller_takes_the_reading_and_nobody_has_it_after(void **state)
{
        struct stage *stage = *state;

        await_reads(stage, SP_READS_LOOP);
        call_alone(stage);
        assert_int_equal(reads(stage), SP_READS_NOBODY);
        call_alone(stage);
        assert_int_equal(reads(stage), SP_READS_NOBODY);
}

static void a_frame_that_nobody_waits_for_is_answered_by_the_loop(void **state)
{
        struct stage *stage = *state;
        struct wire_frame frame;

        leave_nobody(stage);
        frame = send_frame(stage, 1);
        assert_int_equal(reads(stage), SP_READS_LOOP);
        answer(stage, &frame);
        wait_for(&stage->lanes[1].received);
        assert_false(pthread_equal(stage->lanes[1].thread, pthread_self()));
}

static void with_nobody_reading_a_hang_up_is_seen(void **state)
{
        struct stage *stage = *state;

        leave_nobody(stage);
        shutdown(stage->peer, SHUT_RDWR);
        await_pipe(stage, TRANSPORT_PIPE_LOST);
}

/* The loop is told while a caller reads, who leaves without having looked. */
static void a_hang_up_while_a_caller_has_the_reading_is_seen_after(void **state)
{
        struct stage *stage = *state;
        bool is_hung_up = false;
        struct waiter waiter;

        await_reads(stage, SP_READS_LOOP);
        enter(stage, &waiter);
        shutdown(stage->peer, SHUT_RDWR);
        while (!is_hung_up) {
                pthread_mutex_lock(&stage->socket->mutex);
                is_hung_up = stage->socket->is_hung_up;
                pthread_mutex_unlock(&stage->socket->mutex);
        }
        assert_int_equal(pipe_of(stage), TRANSPORT_PIPE_UP);
        waiter_end(&waiter);
        sp_transport.wait(stage->base, &waiter);
        await_pipe(stage, TRANSPORT_PIPE_LOST);
}

/* The answer lies there when the caller leaves: no edge will tell of it. */
static void what_lies_there_when_the_last_caller_leaves_is_read_by_the_loop(void **state)
{
        struct stage *stage = *state;
        struct wire_frame frame;
        struct waiter waiter;

        await_reads(stage, SP_READS_LOOP);
        enter(stage, &waiter);
        frame = send_frame(stage, 1);
        assert_int_equal(reads(stage), SP_READS_CALLER);
        answer(stage, &frame);
        waiter_end(&waiter);
        sp_transport.wait(stage->base, &waiter);
        wait_for(&stage->lanes[1].received);
        assert_int_equal(sem_trywait(&stage->lanes[1].answered), -1);
}

struct follower {
        struct stage *stage;
        struct waiter waiter;
        pthread_t thread;
        sem_t entered;
};

static void *follow(void *context)
{
        struct follower *follower = context;

        enter(follower->stage, &follower->waiter);
        sem_post(&follower->entered);
        sp_transport.wait(follower->stage->base, &follower->waiter);

        return NULL;
}

static void follower_start(struct follower *follower, struct stage *stage)
{
        follower->stage = stage;
        sem_init(&follower->entered, 0, 0);
        assert_int_equal(pthread_create(&follower->thread, NULL, follow, follower), 0);
        wait_for(&follower->entered);
}

static void a_caller_that_leaves_calls_the_first_that_waits_still(void **state)
{
        struct stage *stage = *state;
        struct follower ended = {0}, waiting = {0};
        struct wire_frame frame;
        struct waiter waiter;

        await_reads(stage, SP_READS_LOOP);
        enter(stage, &waiter);
        follower_start(&ended, stage);
        follower_start(&waiting, stage);
        waiter_end(&ended.waiter);
        frame = send_frame(stage, 1);
        waiter_end(&waiter);
        sp_transport.wait(stage->base, &waiter);
        assert_int_equal(reads(stage), SP_READS_CALLER);
        assert_ptr_equal(stage->socket->caller, &waiting.waiter);
        stage->lanes[1].ends = &waiting.waiter;
        answer(stage, &frame);
        pthread_join(ended.thread, NULL);
        pthread_join(waiting.thread, NULL);
        assert_true(pthread_equal(stage->lanes[1].thread, waiting.thread));
        assert_int_equal(reads(stage), SP_READS_NOBODY);
}

/* Before it sleeps, in its sleep, in poll(): the end comes through each time. */
static void a_waiter_that_is_ended_by_another_thread_returns(void **state)
{
        struct stage *stage = *state;

        await_reads(stage, SP_READS_LOOP);
        for (int i = 0; i < 500; i++) {
                struct follower first = {0}, second = {0};

                follower_start(&first, stage);
                follower_start(&second, stage);
                if (i % 3 == 0)
                        sched_yield();
                waiter_end(i % 2 ? &first.waiter : &second.waiter);
                if (i % 5 == 0)
                        sched_yield();
                waiter_end(i % 2 ? &second.waiter : &first.waiter);
                pthread_join(first.thread, NULL);
                pthread_join(second.thread, NULL);
                assert_int_equal(reads(stage), SP_READS_NOBODY);
        }
}

static void the_descriptor_stays_until_its_caller_has_left(void **state)
{
        struct stage *stage = *state;
        struct waiter waiter;

        await_reads(stage, SP_READS_LOOP);
        enter(stage, &waiter);
        sp_transport.hangup(stage->base);
        loop_pass(stage->loop);
        assert_int_equal(pipe_of(stage), TRANSPORT_PIPE_LOST);
        assert_true(stage->socket->fd >= 0);
        waiter_end(&waiter);
        sp_transport.wait(stage->base, &waiter);
        loop_pass(stage->loop);
        assert_int_equal(stage->socket->fd, -1);
}

/* The frame of lane 0 fills the socket, so that of lane 1 is still here as a whole. */
static void a_break_tells_apart_what_has_left_and_what_has_not(void **state)
{
        enum { N_LARGE = 1000000 };
        struct stage *stage = *state;
        struct transport_lane *wire = stage->lanes[0].wire;

        sp_transport.send(wire, sp_transport.message_new(wire, N_LARGE), true);
        wire = stage->lanes[1].wire;
        sp_transport.send(wire, sp_transport.message_new(wire, 3), true);
        close(stage->peer);
        wait_for(&stage->lanes[0].received);
        wait_for(&stage->lanes[1].received);
        assert_false(stage->lanes[0].is_unsent);
        assert_true(stage->lanes[1].is_unsent);
        wire = stage->lanes[2].wire;
        sp_transport.send(wire, sp_transport.message_new(wire, 3), true);
        wait_for(&stage->lanes[2].received);
        assert_true(stage->lanes[2].is_unsent);
        connect_there(stage);
        call_alone(stage);
}

static void an_aborted_lane_is_back_and_its_late_answer_is_dropped(void **state)
{
        struct stage *stage = *state;
        struct wire_frame frame, next;

        frame = send_frame(stage, 1);
        sp_transport.abort(stage->lanes[1].wire);
        wait_for(&stage->lanes[1].received);
        sp_transport.abort(stage->lanes[1].wire);
        next = send_frame(stage, 1);
        assert_memory_not_equal(&frame, &next, sizeof(frame));
        answer(stage, &frame);
        answer(stage, &next);
        wait_for(&stage->lanes[1].received);
        assert_int_equal(sem_trywait(&stage->lanes[1].received), -1);
}

/* A source of its own, which holds up the loop, or looks whether lane 0 has its answer. */
struct other {
        struct loop_source source;
        struct stage *stage;
        sem_t begun;
        sem_t may_end;
        bool was_answered;
};

static void hold_up(struct loop_source *source)
{
        struct other *other = pipit_container_of(source, struct other, source);

        sem_post(&other->begun);
        wait_for(&other->may_end);
}

static void look(struct loop_source *source)
{
        struct other *other = pipit_container_of(source, struct other, source);
        int n_received;

        sem_getvalue(&other->stage->lanes[0].received, &n_received);
        other->was_answered = n_received > 0;
}

/* As many answers to nothing as one read takes, and one more. */
static void say_much(struct stage *stage, const struct wire_frame *late)
{
        size_t n_frames = SP_READER_BUFFER_BYTES / sizeof(*late) + 1;
        struct wire_frame *frames = calloc(n_frames, sizeof(*frames));

        assert_non_null(frames);
        for (size_t i = 0; i < n_frames; i++)
                frames[i] = *late;
        assert_int_equal(send(stage->peer, frames, n_frames * sizeof(*frames), 0),
                         n_frames * sizeof(*frames));
        free(frames);
}

static void a_connection_that_has_much_to_say_lets_others_have_their_turn(void **state)
{
        struct stage *stage = *state;
        struct other holder = {.source.on_asked = hold_up};
        struct other looker = {.source.on_asked = look, .stage = stage};
        struct wire_frame frame = send_frame(stage, 0);
        struct wire_frame late = frame;

        late.bytes[SP_FRAME_AT - 1] ^= 1;
        sem_init(&holder.begun, 0, 0);
        sem_init(&holder.may_end, 0, 0);
        loop_ask(stage->loop, &holder.source);
        wait_for(&holder.begun);
        say_much(stage, &late);
        answer(stage, &frame);
        loop_ask(stage->loop, &looker.source);
        sem_post(&holder.may_end);
        wait_for(&stage->lanes[0].received);
        loop_pass(stage->loop);
        assert_false(looker.was_answered);
}

/* The loop is to read on, and before it does the last caller has come and gone. */
static void what_the_loop_reads_when_the_last_caller_has_left_takes_no_answer_from_it(void **state)
{
        struct stage *stage = *state;
        struct other before = {.source.on_asked = hold_up};
        struct other between = {.source.on_asked = hold_up};
        struct wire_frame frame = send_frame(stage, 0);
        struct wire_frame late = frame;

        answer(stage, &frame);
        wait_for(&stage->lanes[0].received);
        sem_init(&before.begun, 0, 0);
        sem_init(&before.may_end, 0, 0);
        sem_init(&between.begun, 0, 0);
        sem_init(&between.may_end, 0, 0);
        loop_ask(stage->loop, &before.source);
        wait_for(&before.begun);
        say_much(stage, &late);
        loop_ask(stage->loop, &between.source);
        sem_post(&before.may_end);
        wait_for(&between.begun);
        leave_nobody(stage);
        sem_post(&between.may_end);
        loop_pass(stage->loop);
        frame = send_frame(stage, 1);
        answer(stage, &frame);
        wait_for(&stage->lanes[1].received);
}

#define stage_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                stage_test(
                        of_nobody_or_the_loop_a_caller_takes_the_reading_and_nobody_has_it_after),
                stage_test(a_frame_that_nobody_waits_for_is_answered_by_the_loop),
                stage_test(with_nobody_reading_a_hang_up_is_seen),
                stage_test(a_hang_up_while_a_caller_has_the_reading_is_seen_after),
                stage_test(what_lies_there_when_the_last_caller_leaves_is_read_by_the_loop),
                stage_test(a_caller_that_leaves_calls_the_first_that_waits_still),
                stage_test(a_waiter_that_is_ended_by_another_thread_returns),
                stage_test(the_descriptor_stays_until_its_caller_has_left),
                stage_test(a_break_tells_apart_what_has_left_and_what_has_not),
                stage_test(an_aborted_lane_is_back_and_its_late_answer_is_dropped),
                stage_test(a_connection_that_has_much_to_say_lets_others_have_their_turn),
                stage_test(
                        what_the_loop_reads_when_the_last_caller_has_left_takes_no_answer_from_it),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
