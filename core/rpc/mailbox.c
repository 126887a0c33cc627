#include "core/rpc/mailbox.h"

#include <stdlib.h>

#include "core/base/uuid.h"
#include "core/rpc/call_table.h"
#include "core/rpc/id_history.h"
#include "core/rpc/id_ring.h"

_Static_assert(PIPIT_MAILBOX_HISTORY == PIPIT_ID_HISTORY_MAX, "the history holds what is promised");
_Static_assert(PIPIT_MAILBOX_TOMBSTONES == PIPIT_ID_RING_MAX, "the ring holds what is promised");

/* A call is in one of them at most: live ones in the table, the rest where their state says. */
struct pipit_mailbox {
        struct pipit_call_table calls;   /* QUEUED, RUNNING, CANCELLED, READY */
        struct pipit_id_history sent;    /* SENT */
        struct pipit_id_ring tombstones; /* TOMBSTONE */
        uint64_t dropped_tombstone_max;
};

struct transition {
        uint8_t next;
        uint8_t action;
};

#define TO(state, todo)                                                                            \
        {                                                                                          \
                PIPIT_CALL_##state, PIPIT_CALL_ACTION_##todo                                       \
        }

/* The table that docs/wire.md prints: a row a state, a column an event. */
static const struct transition transitions[PIPIT_CALL_STATES_N][PIPIT_CALL_EVENTS_N] =
        {
                [PIPIT_CALL_ABSENT] =
                        {
                                [PIPIT_CALL_EVENT_ARRIVE] = TO(QUEUED, RUN),
                                [PIPIT_CALL_EVENT_START] = TO(ABSENT, IMPOSSIBLE),
                                [PIPIT_CALL_EVENT_FINISH] = TO(ABSENT, IMPOSSIBLE),
                                [PIPIT_CALL_EVENT_SEND] = TO(ABSENT, IMPOSSIBLE),
                                [PIPIT_CALL_EVENT_CANCEL] = TO(TOMBSTONE, NONE),
                                [PIPIT_CALL_EVENT_AWAIT] = TO(TOMBSTONE, NOT_RECEIVED),
                        },
                [PIPIT_CALL_QUEUED] =
                        {
                                [PIPIT_CALL_EVENT_ARRIVE] = TO(QUEUED, DUPLICATE),
                                [PIPIT_CALL_EVENT_START] = TO(RUNNING, NONE),
                                [PIPIT_CALL_EVENT_FINISH] = TO(READY, KEEP_REPLY),
                                [PIPIT_CALL_EVENT_SEND] = TO(QUEUED, IMPOSSIBLE),
                                [PIPIT_CALL_EVENT_CANCEL] = TO(SENT, TAKE_OUT),
                                [PIPIT_CALL_EVENT_AWAIT] = TO(QUEUED, NONE),
                        },
                [PIPIT_CALL_RUNNING] =
                        {
                                [PIPIT_CALL_EVENT_ARRIVE] = TO(RUNNING, DUPLICATE),
                                [PIPIT_CALL_EVENT_START] = TO(RUNNING, IMPOSSIBLE),
                                [PIPIT_CALL_EVENT_FINISH] = TO(READY, KEEP_REPLY),
                                [PIPIT_CALL_EVENT_SEND] = TO(RUNNING, IMPOSSIBLE),
                                [PIPIT_CALL_EVENT_CANCEL] = TO(CANCELLED, SET_FLAG),
                                [PIPIT_CALL_EVENT_AWAIT] = TO(RUNNING, NONE),
                        },
                [PIPIT_CALL_CANCELLED] =
                        {
                                [PIPIT_CALL_EVENT_ARRIVE] = TO(CANCELLED, DUPLICATE),
                                [PIPIT_CALL_EVENT_START] = TO(CANCELLED, IMPOSSIBLE),
                                [PIPIT_CALL_EVENT_FINISH] = TO(SENT, DROP),
                                [PIPIT_CALL_EVENT_SEND] = TO(CANCELLED, IMPOSSIBLE),
                                [PIPIT_CALL_EVENT_CANCEL] = TO(CANCELLED, NONE),
                                [PIPIT_CALL_EVENT_AWAIT] = TO(CANCELLED, FORGOTTEN),
                        },
                [PIPIT_CALL_READY] =
                        {
                                [PIPIT_CALL_EVENT_ARRIVE] = TO(READY, DUPLICATE),
                                [PIPIT_CALL_EVENT_START] = TO(READY, DROP),
                                [PIPIT_CALL_EVENT_FINISH] = TO(READY, DROP),
                                [PIPIT_CALL_EVENT_SEND] = TO(SENT, NONE),
                                [PIPIT_CALL_EVENT_CANCEL] = TO(SENT, DROP_REPLY),
                                [PIPIT_CALL_EVENT_AWAIT] = TO(READY, NONE),
                        },
                [PIPIT_CALL_SENT] =
                        {
                                [PIPIT_CALL_EVENT_ARRIVE] = TO(SENT, DUPLICATE),
                                [PIPIT_CALL_EVENT_START] = TO(SENT, DROP),
                                [PIPIT_CALL_EVENT_FINISH] = TO(SENT, DROP),
                                [PIPIT_CALL_EVENT_SEND] = TO(SENT, IMPOSSIBLE),
                                [PIPIT_CALL_EVENT_CANCEL] = TO(SENT, NONE),
                                [PIPIT_CALL_EVENT_AWAIT] = TO(SENT, FORGOTTEN),
                        },
                [PIPIT_CALL_TOMBSTONE] =
                        {
                                [PIPIT_CALL_EVENT_ARRIVE] = TO(TOMBSTONE, DROP),
                                [PIPIT_CALL_EVENT_START] = TO(TOMBSTONE, IMPOSSIBLE),
                                [PIPIT_CALL_EVENT_FINISH] = TO(TOMBSTONE, IMPOSSIBLE),
                                [PIPIT_CALL_EVENT_SEND] = TO(TOMBSTONE, IMPOSSIBLE),
                                [PIPIT_CALL_EVENT_CANCEL] = TO(TOMBSTONE, NONE),
                                [PIPIT_CALL_EVENT_AWAIT] = TO(TOMBSTONE, NOT_RECEIVED),
                        },
};

struct pipit_mailbox *pipit_mailbox_new(void)
{
        struct pipit_mailbox *mailbox = calloc(1, sizeof(*mailbox));

        if (!mailbox)
                return NULL;

        pipit_call_table_init(&mailbox->calls, pipit_random_u64());
        mailbox->tombstones.seed = pipit_random_u64();

        return mailbox;
}

struct pipit_mailbox *pipit_mailbox_free(struct pipit_mailbox *mailbox)
{
        if (!mailbox)
                return NULL;

        pipit_call_table_deinit(&mailbox->calls);
        pipit_id_history_deinit(&mailbox->sent);
        pipit_id_ring_deinit(&mailbox->tombstones);
        free(mailbox);

        return NULL;
}

bool pipit_mailbox_reserve(struct pipit_mailbox *mailbox, size_t n)
{
        return pipit_call_table_reserve(&mailbox->calls, n);
}

static enum pipit_mailbox_state state_of(const struct pipit_mailbox *mailbox,
                                         uint64_t id,
                                         const struct pipit_call_entry *entry)
{
        if (entry)
                return (enum pipit_mailbox_state)entry->state;
        if (pipit_id_ring_has(&mailbox->tombstones, id))
                return PIPIT_CALL_TOMBSTONE;
        if (pipit_id_history_has(&mailbox->sent, id))
                return PIPIT_CALL_SENT;

        return PIPIT_CALL_ABSENT;
}

static bool state_is_live(enum pipit_mailbox_state state)
{
        return state == PIPIT_CALL_QUEUED || state == PIPIT_CALL_RUNNING ||
               state == PIPIT_CALL_CANCELLED || state == PIPIT_CALL_READY;
}

/* False: there is no memory for it. */
static bool bury(struct pipit_mailbox *mailbox, uint64_t id)
{
        uint64_t dropped;

        if (!pipit_id_ring_add(&mailbox->tombstones, id, &dropped))
                return false;

        if (dropped > mailbox->dropped_tombstone_max)
                mailbox->dropped_tombstone_max = dropped;

        return true;
}

/* Puts the call where its next state lies. False: there is no memory for it. */
static bool enter(struct pipit_mailbox *mailbox,
                  uint64_t id,
                  struct pipit_call_entry *entry,
                  enum pipit_mailbox_state next,
                  void *value)
{
        if (state_is_live(next)) {
                if (!entry)
                        return pipit_call_table_add(&mailbox->calls, id, next, value);
                entry->state = next;
                return true;
        }

        if (entry)
                pipit_call_table_remove(&mailbox->calls, entry);
        if (next == PIPIT_CALL_TOMBSTONE)
                return bury(mailbox, id);
        pipit_id_history_add(&mailbox->sent, id);

        return true;
}

/* Whether a call that is not known may have been: its id is no higher than one that was dropped. */
static bool may_be_forgotten(const struct pipit_mailbox *mailbox, uint64_t id)
{
        return id <= mailbox->sent.forgotten_max || id <= mailbox->dropped_tombstone_max;
}

static enum pipit_call_action without_memory(enum pipit_call_action action)
{
        if (action == PIPIT_CALL_ACTION_RUN)
                return PIPIT_CALL_ACTION_IMPOSSIBLE;
        /* Nothing will hold the late copy back: nobody may be told that it never runs. */
        if (action == PIPIT_CALL_ACTION_NOT_RECEIVED)
                return PIPIT_CALL_ACTION_FORGOTTEN;

        return action;
}

enum pipit_call_action pipit_mailbox_apply(struct pipit_mailbox *mailbox,
                                           uint64_t id,
                                           enum pipit_call_event event,
                                           void *value,
                                           void **ret_value)
{
        struct pipit_call_entry *entry = id ? pipit_call_table_find(&mailbox->calls, id) : NULL;
        enum pipit_mailbox_state state = state_of(mailbox, id, entry);
        struct transition transition = transitions[state][event];
        enum pipit_call_action action = (enum pipit_call_action)transition.action;

        if (ret_value)
                *ret_value = entry ? entry->value : NULL;
        if (id == 0)
                return PIPIT_CALL_ACTION_IMPOSSIBLE;

        if (action == PIPIT_CALL_ACTION_NOT_RECEIVED && may_be_forgotten(mailbox, id))
                action = PIPIT_CALL_ACTION_FORGOTTEN;
        if (transition.next != state &&
            !enter(mailbox, id, entry, (enum pipit_mailbox_state)transition.next, value))
                return without_memory(action);
        if (action == PIPIT_CALL_ACTION_RUN && ret_value)
                *ret_value = value;

        return action;
}

enum pipit_mailbox_state pipit_mailbox_state(const struct pipit_mailbox *mailbox, uint64_t id)
{
        return state_of(mailbox, id, id ? pipit_call_table_find(&mailbox->calls, id) : NULL);
}

size_t pipit_mailbox_n_calls(const struct pipit_mailbox *mailbox)
{
        return mailbox->calls.n_entries;
}

size_t pipit_mailbox_n_tombstones(const struct pipit_mailbox *mailbox)
{
        return pipit_id_ring_n_ids(&mailbox->tombstones);
}

struct visit {
        pipit_mailbox_visit_fn visit;
        void *context;
};

static bool visit_entry(void *context, const struct pipit_call_entry *entry)
{
        const struct visit *visit = context;

        return visit->visit(
                visit->context, entry->id, (enum pipit_mailbox_state)entry->state, entry->value);
}

void pipit_mailbox_each(struct pipit_mailbox *mailbox, pipit_mailbox_visit_fn visit, void *context)
{
        struct visit visit_context = {visit, context};

        pipit_call_table_each(&mailbox->calls, visit_entry, &visit_context);
}

const char *pipit_call_state_name(enum pipit_mailbox_state state)
{
        static const char *const names[] = {
#define STATE_NAME(name, text) [PIPIT_CALL_##name] = (text),
                PIPIT_CALL_STATE_MAP(STATE_NAME)
#undef STATE_NAME
        };

        return (size_t)state < PIPIT_N_ELEMENTS(names) ? names[state] : "unknown";
}

const char *pipit_call_event_name(enum pipit_call_event event)
{
        static const char *const names[] = {
#define EVENT_NAME(name, text) [PIPIT_CALL_EVENT_##name] = (text),
                PIPIT_CALL_EVENT_MAP(EVENT_NAME)
#undef EVENT_NAME
        };

        return (size_t)event < PIPIT_N_ELEMENTS(names) ? names[event] : "unknown";
}
