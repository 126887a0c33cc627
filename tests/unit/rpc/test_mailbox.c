#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/rpc/mailbox.h"
#include "tests/unit/rpc/random_message.h"

static int value_storage[4];

static enum pipit_call_action apply(struct pipit_mailbox *mailbox,
                                    uint64_t id,
                                    enum pipit_call_event event)
{
        return pipit_mailbox_apply(mailbox, id, event, &value_storage[id % 4], NULL);
}

/* --- the table, cell by cell --------------------------------------------------------- */

struct cell {
        const char *state;
        const char *event;
        const char *next;
        enum pipit_call_action action;
};

#define CELL(state, event, next, action)                                                           \
        {                                                                                          \
                state, event, next, PIPIT_CALL_ACTION_##action                                     \
        }

/* As docs/wire.md has it, written anew. */
static const struct cell cells[] = {
        CELL("absent", "arrive", "queued", RUN),
        CELL("absent", "start", "absent", IMPOSSIBLE),
        CELL("absent", "finish", "absent", IMPOSSIBLE),
        CELL("absent", "send", "absent", IMPOSSIBLE),
        CELL("absent", "cancel", "tombstone", NONE),
        CELL("absent", "await", "tombstone", NOT_RECEIVED),
        CELL("queued", "arrive", "queued", DUPLICATE),
        CELL("queued", "start", "running", NONE),
        CELL("queued", "finish", "ready", KEEP_REPLY),
        CELL("queued", "send", "queued", IMPOSSIBLE),
        CELL("queued", "cancel", "sent", TAKE_OUT),
        CELL("queued", "await", "queued", NONE),
        CELL("running", "arrive", "running", DUPLICATE),
        CELL("running", "start", "running", IMPOSSIBLE),
        CELL("running", "finish", "ready", KEEP_REPLY),
        CELL("running", "send", "running", IMPOSSIBLE),
        CELL("running", "cancel", "cancelled", SET_FLAG),
        CELL("running", "await", "running", NONE),
        CELL("cancelled", "arrive", "cancelled", DUPLICATE),
        CELL("cancelled", "start", "cancelled", IMPOSSIBLE),
        CELL("cancelled", "finish", "sent", DROP),
        CELL("cancelled", "send", "cancelled", IMPOSSIBLE),
        CELL("cancelled", "cancel", "cancelled", NONE),
        CELL("cancelled", "await", "cancelled", FORGOTTEN),
        CELL("ready", "arrive", "ready", DUPLICATE),
        CELL("ready", "start", "ready", DROP),
        CELL("ready", "finish", "ready", DROP),
        CELL("ready", "send", "sent", NONE),
        CELL("ready", "cancel", "sent", DROP_REPLY),
        CELL("ready", "await", "ready", NONE),
        CELL("sent", "arrive", "sent", DUPLICATE),
        CELL("sent", "start", "sent", DROP),
        CELL("sent", "finish", "sent", DROP),
        CELL("sent", "send", "sent", IMPOSSIBLE),
        CELL("sent", "cancel", "sent", NONE),
        CELL("sent", "await", "sent", FORGOTTEN),
        CELL("tombstone", "arrive", "tombstone", DROP),
        CELL("tombstone", "start", "tombstone", IMPOSSIBLE),
        CELL("tombstone", "finish", "tombstone", IMPOSSIBLE),
        CELL("tombstone", "send", "tombstone", IMPOSSIBLE),
        CELL("tombstone", "cancel", "tombstone", NONE),
        CELL("tombstone", "await", "tombstone", NOT_RECEIVED),
};

#define N_CELLS (sizeof(cells) / sizeof(cells[0]))

static enum pipit_call_event event_named(const char *name)
{
        for (int event = 0; event < PIPIT_CALL_EVENTS_N; event++) {
                if (strcmp(name, pipit_call_event_name((enum pipit_call_event)event)) == 0)
                        return (enum pipit_call_event)event;
        }
        fail_msg("no event %s", name);

        return PIPIT_CALL_EVENTS_N;
}

/* Brings call 7 into the state, by the shortest way there. */
static void bring_to(struct pipit_mailbox *mailbox, const char *state)
{
        static const struct {
                const char *state;
                const char *events[5];
        } ways[] = {
                {"absent", {NULL}},
                {"queued", {"arrive", NULL}},
                {"running", {"arrive", "start", NULL}},
                {"cancelled", {"arrive", "start", "cancel", NULL}},
                {"ready", {"arrive", "start", "finish", NULL}},
                {"sent", {"arrive", "start", "finish", "send", NULL}},
                {"tombstone", {"cancel", NULL}},
        };

        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
                if (strcmp(ways[i].state, state) != 0)
                        continue;
                for (size_t n = 0; n < 5 && ways[i].events[n]; n++)
                        (void)apply(mailbox, 7, event_named(ways[i].events[n]));
        }
        assert_string_equal(pipit_call_state_name(pipit_mailbox_state(mailbox, 7)), state);
}

static void each_cell_of_the_table_is_as_written(void **state)
{
        (void)state;
        assert_int_equal(N_CELLS, PIPIT_CALL_STATES_N * PIPIT_CALL_EVENTS_N);
        for (size_t i = 0; i < N_CELLS; i++) {
                struct pipit_mailbox *mailbox = pipit_mailbox_new();
                enum pipit_call_action action;
                const char *next;

                for (size_t n = 0; n < i; n++)
                        assert_false(strcmp(cells[i].state, cells[n].state) == 0 &&
                                     strcmp(cells[i].event, cells[n].event) == 0);
                bring_to(mailbox, cells[i].state);
                action = apply(mailbox, 7, event_named(cells[i].event));
                next = pipit_call_state_name(pipit_mailbox_state(mailbox, 7));
                if (action != cells[i].action || strcmp(next, cells[i].next) != 0)
                        fail_msg("%s, %s: %s, action %d",
                                 cells[i].state,
                                 cells[i].event,
                                 next,
                                 (int)action);
                pipit_mailbox_free(mailbox);
        }
}

static void names_cover_every_state_and_event(void **state)
{
        (void)state;
        assert_string_equal(pipit_call_state_name(PIPIT_CALL_STATES_N), "unknown");
        assert_string_equal(pipit_call_event_name(PIPIT_CALL_EVENTS_N), "unknown");
}

static void id_0_is_no_call(void **state)
{
        struct pipit_mailbox *mailbox = pipit_mailbox_new();
        void *value = mailbox;

        (void)state;
        for (int event = 0; event < PIPIT_CALL_EVENTS_N; event++) {
                assert_int_equal(pipit_mailbox_apply(
                                         mailbox, 0, (enum pipit_call_event)event, &value, &value),
                                 PIPIT_CALL_ACTION_IMPOSSIBLE);
                assert_null(value);
        }
        assert_int_equal(pipit_mailbox_state(mailbox, 0), PIPIT_CALL_ABSENT);
        assert_int_equal(pipit_mailbox_n_calls(mailbox), 0);
        pipit_mailbox_free(mailbox);
}

static void the_value_is_there_from_arrive_to_the_end(void **state)
{
        struct pipit_mailbox *mailbox = pipit_mailbox_new();
        static const enum pipit_call_event events[] = {PIPIT_CALL_EVENT_ARRIVE,
                                                       PIPIT_CALL_EVENT_ARRIVE,
                                                       PIPIT_CALL_EVENT_AWAIT,
                                                       PIPIT_CALL_EVENT_START,
                                                       PIPIT_CALL_EVENT_FINISH,
                                                       PIPIT_CALL_EVENT_SEND};
        int mine;
        int other;
        void *value;

        (void)state;
        for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
                value = NULL;
                (void)pipit_mailbox_apply(mailbox, 9, events[i], i == 0 ? &mine : &other, &value);
                assert_ptr_equal(value, &mine);
        }
        (void)pipit_mailbox_apply(mailbox, 9, PIPIT_CALL_EVENT_CANCEL, &other, &value);
        assert_null(value);
        (void)pipit_mailbox_apply(mailbox, 10, PIPIT_CALL_EVENT_CANCEL, &other, &value);
        assert_null(value);
        pipit_mailbox_free(mailbox);
}

/* --- what is remembered --------------------------------------------------------------- */

static void run_to_the_end(struct pipit_mailbox *mailbox, uint64_t id)
{
        assert_int_equal(apply(mailbox, id, PIPIT_CALL_EVENT_ARRIVE), PIPIT_CALL_ACTION_RUN);
        assert_int_equal(apply(mailbox, id, PIPIT_CALL_EVENT_START), PIPIT_CALL_ACTION_NONE);
        assert_int_equal(apply(mailbox, id, PIPIT_CALL_EVENT_FINISH), PIPIT_CALL_ACTION_KEEP_REPLY);
        assert_int_equal(apply(mailbox, id, PIPIT_CALL_EVENT_SEND), PIPIT_CALL_ACTION_NONE);
}

static void ids_that_ascend_are_remembered_over_the_history(void **state)
{
        struct pipit_mailbox *mailbox = pipit_mailbox_new();
        uint64_t last = 3 * (uint64_t)PIPIT_MAILBOX_HISTORY;

        (void)state;
        for (uint64_t id = 1; id <= last; id++)
                run_to_the_end(mailbox, id);

        /* The bitmap moves by words of 64. */
        for (uint64_t id = last; id > last - PIPIT_MAILBOX_HISTORY + 64; id--)
                assert_int_equal(apply(mailbox, id, PIPIT_CALL_EVENT_ARRIVE),
                                 PIPIT_CALL_ACTION_DUPLICATE);
        assert_int_equal(pipit_mailbox_state(mailbox, 5), PIPIT_CALL_ABSENT);
        assert_int_equal(apply(mailbox, 5, PIPIT_CALL_EVENT_AWAIT), PIPIT_CALL_ACTION_FORGOTTEN);
        assert_int_equal(apply(mailbox, last + 1, PIPIT_CALL_EVENT_AWAIT),
                         PIPIT_CALL_ACTION_NOT_RECEIVED);
        pipit_mailbox_free(mailbox);
}

static void a_gap_in_what_is_remembered_was_not_received(void **state)
{
        struct pipit_mailbox *mailbox = pipit_mailbox_new();

        (void)state;
        for (uint64_t id = 1; id < 2000; id += 2)
                run_to_the_end(mailbox, id);
        for (uint64_t id = 2; id < 2000; id += 2)
                assert_int_equal(apply(mailbox, id, PIPIT_CALL_EVENT_AWAIT),
                                 PIPIT_CALL_ACTION_NOT_RECEIVED);
        pipit_mailbox_free(mailbox);
}

static void ids_may_start_anywhere(void **state)
{
        static const uint64_t starts[] = {1, 63, 64, UINT64_C(1) << 40, UINT64_MAX - 70000};

        (void)state;
        for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
                struct pipit_mailbox *mailbox = pipit_mailbox_new();

                for (uint64_t id = starts[i]; id < starts[i] + 70000; id++)
                        run_to_the_end(mailbox, id);
                assert_int_equal(pipit_mailbox_state(mailbox, starts[i] + 69999), PIPIT_CALL_SENT);
                assert_int_equal(pipit_mailbox_state(mailbox, starts[i] + 70000 - 65000),
                                 PIPIT_CALL_SENT);
                assert_int_equal(apply(mailbox, starts[i] + 70000, PIPIT_CALL_EVENT_AWAIT),
                                 PIPIT_CALL_ACTION_NOT_RECEIVED);
                pipit_mailbox_free(mailbox);
        }
}

static void ids_in_any_order_within_the_history_are_remembered(void **state)
{
        struct pipit_mailbox *mailbox = pipit_mailbox_new();
        enum { N = 60000 };
        uint64_t *ids = malloc(N * sizeof(*ids));
        struct random_source source = {.state = 21};

        (void)state;
        for (size_t i = 0; i < N; i++)
                ids[i] = 1000000 + i;
        for (size_t i = N - 1; i > 0; i--) {
                size_t other = random_below(&source, i + 1);
                uint64_t id = ids[i];

                ids[i] = ids[other];
                ids[other] = id;
        }
        for (size_t i = 0; i < N; i++)
                run_to_the_end(mailbox, ids[i]);
        for (size_t i = 0; i < N; i++)
                assert_int_equal(pipit_mailbox_state(mailbox, ids[i]), PIPIT_CALL_SENT);
        free(ids);
        pipit_mailbox_free(mailbox);
}

static void the_last_tombstones_hold_and_older_ones_may_have_run(void **state)
{
        struct pipit_mailbox *mailbox = pipit_mailbox_new();
        uint64_t n = PIPIT_MAILBOX_TOMBSTONES;

        (void)state;
        for (uint64_t id = 1; id <= n; id++)
                (void)apply(mailbox, id, PIPIT_CALL_EVENT_CANCEL);
        for (uint64_t id = 1; id <= n; id++)
                assert_int_equal(pipit_mailbox_state(mailbox, id), PIPIT_CALL_TOMBSTONE);

        (void)apply(mailbox, n + 1, PIPIT_CALL_EVENT_CANCEL);
        assert_int_equal(pipit_mailbox_state(mailbox, 1), PIPIT_CALL_ABSENT);
        assert_int_equal(pipit_mailbox_state(mailbox, 2), PIPIT_CALL_TOMBSTONE);
        assert_int_equal(apply(mailbox, 2, PIPIT_CALL_EVENT_ARRIVE), PIPIT_CALL_ACTION_DROP);
        assert_int_equal(apply(mailbox, 1, PIPIT_CALL_EVENT_AWAIT), PIPIT_CALL_ACTION_FORGOTTEN);
        assert_int_equal(apply(mailbox, n + 2, PIPIT_CALL_EVENT_AWAIT),
                         PIPIT_CALL_ACTION_NOT_RECEIVED);

        for (uint64_t id = n + 3; id <= 5 * n; id++)
                (void)apply(mailbox, id, PIPIT_CALL_EVENT_CANCEL);
        for (uint64_t id = 1; id <= 5 * n; id++)
                assert_int_equal(pipit_mailbox_state(mailbox, id),
                                 id > 4 * n ? PIPIT_CALL_TOMBSTONE : PIPIT_CALL_ABSENT);
        pipit_mailbox_free(mailbox);
}

/* --- a model ------------------------------------------------------------------------- */

#define MODEL_IDS 3000

struct model {
        enum pipit_mailbox_state states[MODEL_IDS];
        bool ever_ran[MODEL_IDS];
        uint64_t ids[MODEL_IDS];
        size_t n_calls;
        size_t n_tombstones;
        bool ascending;
};

static bool is_live(enum pipit_mailbox_state state)
{
        return state == PIPIT_CALL_QUEUED || state == PIPIT_CALL_RUNNING ||
               state == PIPIT_CALL_CANCELLED || state == PIPIT_CALL_READY;
}

static const struct cell *cell_of(enum pipit_mailbox_state state, enum pipit_call_event event)
{
        for (size_t i = 0; i < N_CELLS; i++) {
                if (strcmp(cells[i].state, pipit_call_state_name(state)) == 0 &&
                    strcmp(cells[i].event, pipit_call_event_name(event)) == 0)
                        return &cells[i];
        }
        fail();

        return NULL;
}

static enum pipit_mailbox_state state_named(const char *name)
{
        int state = 0;

        while (strcmp(name, pipit_call_state_name((enum pipit_mailbox_state)state)) != 0)
                state++;

        return (enum pipit_mailbox_state)state;
}

/* What the mailbox has forgotten the model must not hold against it; what it knows must be right. */
static void model_step(struct model *model,
                       struct pipit_mailbox *mailbox,
                       size_t i,
                       enum pipit_call_event event)
{
        enum pipit_mailbox_state known = pipit_mailbox_state(mailbox, model->ids[i]);
        const struct cell *cell;
        enum pipit_call_action action;

        if (is_live(model->states[i]) || is_live(known))
                assert_int_equal(known, model->states[i]);
        else if (known != PIPIT_CALL_ABSENT && model->states[i] != known)
                fail_msg("%s, not %s",
                         pipit_call_state_name(known),
                         pipit_call_state_name(model->states[i]));

        cell = cell_of(known, event);
        action = apply(mailbox, model->ids[i], event);
        if (action == PIPIT_CALL_ACTION_NOT_RECEIVED)
                assert_false(model->ever_ran[i]);
        if (cell->action == PIPIT_CALL_ACTION_NOT_RECEIVED &&
            action != PIPIT_CALL_ACTION_NOT_RECEIVED)
                assert_int_equal(action, PIPIT_CALL_ACTION_FORGOTTEN);
        else
                assert_int_equal(action, cell->action);

        model->n_calls -= is_live(known);
        model->states[i] = state_named(cell->next);
        model->n_calls += is_live(model->states[i]);
        model->n_tombstones +=
                model->states[i] == PIPIT_CALL_TOMBSTONE && known == PIPIT_CALL_ABSENT;
        model->ever_ran[i] |= action == PIPIT_CALL_ACTION_RUN;
        known = pipit_mailbox_state(mailbox, model->ids[i]);
        if (model->ascending || known != PIPIT_CALL_ABSENT || model->states[i] != PIPIT_CALL_SENT)
                assert_int_equal(known, model->states[i]);
        assert_int_equal(pipit_mailbox_n_calls(mailbox), model->n_calls);
        assert_int_equal(pipit_mailbox_n_tombstones(mailbox), model->n_tombstones);
}

static void run_model(uint64_t seed, bool ascending)
{
        struct pipit_mailbox *mailbox = pipit_mailbox_new();
        struct model *model = calloc(1, sizeof(*model));
        struct random_source source = {.state = seed};

        model->ascending = ascending;
        for (size_t i = 0; i < MODEL_IDS; i++)
                model->ids[i] = ascending ? i * 50 + 1 : random_next(&source) | 1;
        for (size_t n = 0; n < 200000; n++) {
                /* A window that moves, so that calls end and ids age. */
                size_t i = (n / 80 + random_below(&source, 400)) % MODEL_IDS;

                model_step(model,
                           mailbox,
                           i,
                           (enum pipit_call_event)random_below(&source, PIPIT_CALL_EVENTS_N));
        }
        pipit_mailbox_free(mailbox);
        free(model);
}

static void random_events_agree_with_a_model_when_ids_ascend(void **state)
{
        (void)state;
        run_model(31, true);
}

static void random_events_agree_with_a_model_in_any_order(void **state)
{
        (void)state;
        run_model(32, false);
}

/* --- each ----------------------------------------------------------------------------- */

struct visited {
        struct pipit_mailbox *mailbox;
        size_t n;
        size_t n_max;
        uint8_t *seen;
        enum pipit_call_event event;
};

static bool visit_and_apply(void *context, uint64_t id, enum pipit_mailbox_state state, void *value)
{
        struct visited *visited = context;

        assert_int_equal(state, PIPIT_CALL_QUEUED);
        assert_ptr_equal(value, &value_storage[id % 4]);
        assert_int_equal(visited->seen[id], 0);
        visited->seen[id] = 1;
        visited->n++;
        if (visited->event != PIPIT_CALL_EVENTS_N)
                (void)apply(visited->mailbox, id, visited->event);

        return visited->n < visited->n_max;
}

static void visit(size_t n_calls, enum pipit_call_event event, size_t n_max, size_t n_left)
{
        struct visited visited = {
                .mailbox = pipit_mailbox_new(),
                .n_max = n_max,
                .seen = calloc(n_calls + 1, 1),
                .event = event,
        };

        for (uint64_t id = 1; id <= n_calls; id++)
                (void)apply(visited.mailbox, id, PIPIT_CALL_EVENT_ARRIVE);
        pipit_mailbox_each(visited.mailbox, visit_and_apply, &visited);
        assert_int_equal(visited.n, n_max < n_calls ? n_max : n_calls);
        assert_int_equal(pipit_mailbox_n_calls(visited.mailbox), n_left);
        for (uint64_t id = 1; id <= n_calls; id++)
                assert_true(pipit_mailbox_state(visited.mailbox, id) != PIPIT_CALL_ABSENT);
        free(visited.seen);
        pipit_mailbox_free(visited.mailbox);
}

static void each_visits_every_call_once_even_when_it_ends_them(void **state)
{
        (void)state;
        for (size_t n_calls = 0; n_calls < 200; n_calls++) {
                visit(n_calls, PIPIT_CALL_EVENTS_N, SIZE_MAX, n_calls);
                visit(n_calls, PIPIT_CALL_EVENT_CANCEL, SIZE_MAX, 0);
        }
        visit(5000, PIPIT_CALL_EVENT_CANCEL, SIZE_MAX, 0);
}

static void each_stops_when_told(void **state)
{
        (void)state;
        visit(100, PIPIT_CALL_EVENT_CANCEL, 40, 60);
        visit(100, PIPIT_CALL_EVENTS_N, 1, 100);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_cell_of_the_table_is_as_written),
                cmocka_unit_test(names_cover_every_state_and_event),
                cmocka_unit_test(id_0_is_no_call),
                cmocka_unit_test(the_value_is_there_from_arrive_to_the_end),
                cmocka_unit_test(ids_that_ascend_are_remembered_over_the_history),
                cmocka_unit_test(a_gap_in_what_is_remembered_was_not_received),
                cmocka_unit_test(ids_may_start_anywhere),
                cmocka_unit_test(ids_in_any_order_within_the_history_are_remembered),
                cmocka_unit_test(the_last_tombstones_hold_and_older_ones_may_have_run),
                cmocka_unit_test(random_events_agree_with_a_model_when_ids_ascend),
                cmocka_unit_test(random_events_agree_with_a_model_in_any_order),
                cmocka_unit_test(each_visits_every_call_once_even_when_it_ends_them),
                cmocka_unit_test(each_stops_when_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
