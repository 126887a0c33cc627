/* Prints what the code holds of docs/wire.md, for tables.py to compare: a line a row. */

#include <stdio.h>
#include <stdlib.h>

#include "client/errors.h"
#include "core/base/status.h"
#include "core/rpc/frame.h"
#include "core/rpc/mailbox.h"
#include "core/rpc/session_table.h"
#include "core/rpc/wire_limits.h"
#include "server/runtime/errors.h"

#define CALL_ID 7

static const char *const action_names[] = {
        [PIPIT_CALL_ACTION_NONE] = "none",
        [PIPIT_CALL_ACTION_RUN] = "run",
        [PIPIT_CALL_ACTION_DROP] = "drop",
        [PIPIT_CALL_ACTION_DUPLICATE] = "duplicate",
        [PIPIT_CALL_ACTION_KEEP_REPLY] = "keep_reply",
        [PIPIT_CALL_ACTION_TAKE_OUT] = "take_out",
        [PIPIT_CALL_ACTION_SET_FLAG] = "set_flag",
        [PIPIT_CALL_ACTION_DROP_REPLY] = "drop_reply",
        [PIPIT_CALL_ACTION_NOT_RECEIVED] = "not_received",
        [PIPIT_CALL_ACTION_FORGOTTEN] = "forgotten",
        [PIPIT_CALL_ACTION_IMPOSSIBLE] = "impossible",
};

/* The events that lead from ABSENT to each state. */
static const struct path {
        enum pipit_call_event events[4];
        size_t n_events;
} paths[PIPIT_CALL_STATES_N] = {
        [PIPIT_CALL_ABSENT] = {.n_events = 0},
        [PIPIT_CALL_QUEUED] = {.events = {PIPIT_CALL_EVENT_ARRIVE}, .n_events = 1},
        [PIPIT_CALL_RUNNING] = {.events = {PIPIT_CALL_EVENT_ARRIVE, PIPIT_CALL_EVENT_START},
                                .n_events = 2},
        [PIPIT_CALL_CANCELLED] = {.events = {PIPIT_CALL_EVENT_ARRIVE,
                                             PIPIT_CALL_EVENT_START,
                                             PIPIT_CALL_EVENT_CANCEL},
                                  .n_events = 3},
        [PIPIT_CALL_READY] = {.events = {PIPIT_CALL_EVENT_ARRIVE,
                                         PIPIT_CALL_EVENT_START,
                                         PIPIT_CALL_EVENT_FINISH},
                              .n_events = 3},
        [PIPIT_CALL_SENT] = {.events = {PIPIT_CALL_EVENT_ARRIVE,
                                        PIPIT_CALL_EVENT_START,
                                        PIPIT_CALL_EVENT_FINISH,
                                        PIPIT_CALL_EVENT_SEND},
                             .n_events = 4},
        [PIPIT_CALL_TOMBSTONE] = {.events = {PIPIT_CALL_EVENT_CANCEL}, .n_events = 1},
};

static void print_cell(enum pipit_mailbox_state from, enum pipit_call_event event)
{
        static int value;
        struct pipit_mailbox *mailbox = pipit_mailbox_new();
        enum pipit_call_action action;

        if (!mailbox)
                exit(EXIT_FAILURE);

        for (size_t i = 0; i < paths[from].n_events; i++)
                (void)pipit_mailbox_apply(mailbox, CALL_ID, paths[from].events[i], &value, NULL);
        if (pipit_mailbox_state(mailbox, CALL_ID) != from)
                exit(EXIT_FAILURE);

        action = pipit_mailbox_apply(mailbox, CALL_ID, event, &value, NULL);
        printf("cell %s %s %s %s\n",
               pipit_call_state_name(from),
               pipit_call_event_name(event),
               pipit_call_state_name(pipit_mailbox_state(mailbox, CALL_ID)),
               action_names[action]);

        pipit_mailbox_free(mailbox);
}

static void print_cells(void)
{
        for (size_t state = 0; state < PIPIT_CALL_STATES_N; state++) {
                for (size_t event = 0; event < PIPIT_CALL_EVENTS_N; event++)
                        print_cell((enum pipit_mailbox_state)state, (enum pipit_call_event)event);
        }
}

static void print_limits(void)
{
        static const struct {
                const char *name;
                unsigned long value;
        } limits[] = {
                {"frame_bytes", PIPIT_FRAME_BYTES_DEFAULT},
                {"recv_bytes", PIPIT_FRAME_BYTES_DEFAULT + PIPIT_RECV_HEADROOM_BYTES},
                {"calls_frame", PIPIT_CALLS_PER_FRAME_MAX},
                {"nesting", PIPIT_NESTING_MAX},
                {"unknown_fields", PIPIT_UNKNOWN_FIELDS_MAX},
                {"decoded_bytes", PIPIT_DECODED_BYTES_MAX},
                {"calls_mailbox", PIPIT_CALLS_PER_MAILBOX_MAX},
                {"calls_all", PIPIT_CALLS_MAX},
                {"decoded_bytes_peer", PIPIT_DECODED_BYTES_PEER_MAX},
                {"decoded_bytes_all", PIPIT_DECODED_BYTES_ALL_MAX},
                {"held_pipe", PIPIT_HELD_FRAMES_PER_PIPE_MAX},
                {"denied_pipe", PIPIT_DENIED_PER_PIPE_MAX},
                {"mailboxes_principal", PIPIT_MAILBOXES_PER_PRINCIPAL},
                {"pipes", PIPIT_PIPES_MAX},
                {"contexts", PIPIT_CONTEXTS_MAX},
                {"send_timeout_ms", PIPIT_SEND_TIMEOUT_MS},
                {"receive_timeout_ms", PIPIT_RECEIVE_TIMEOUT_MS},
                {"sending_pipe", PIPIT_SENDING_BYTES_PER_PIPE},
                {"timeout_ms", PIPIT_TIMEOUT_MS_DEFAULT},
                {"hold_ms", PIPIT_HOLD_MS_DEFAULT},
                {"hold_grace_ms", PIPIT_HOLD_GRACE_MS},
                {"mailbox_linger_ms", PIPIT_MAILBOX_LINGER_MS},
                {"drain_ms", PIPIT_DRAIN_MS_DEFAULT},
                {"drain_linger_ms", PIPIT_DRAIN_LINGER_MS},
                {"metadata_entries", PIPIT_METADATA_ENTRIES_MAX},
                {"metadata_key_bytes", PIPIT_METADATA_KEY_BYTES_MAX},
                {"metadata_bytes", PIPIT_METADATA_BYTES_MAX},
                {"method_bytes", PIPIT_METHOD_BYTES_MAX},
        };

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(limits); i++)
                printf("limit %s %lu\n", limits[i].name, limits[i].value);
}

static void print_sessions(void)
{
        static const struct {
                const char *name;
                unsigned long value;
        } constants[] = {
                {"rekey_s", PIPIT_SESSION_REKEY_S},
                {"reject_s", PIPIT_SESSION_REJECT_S},
                {"window", PIPIT_REPLAY_WINDOW},
                {"sessions", PIPIT_SESSIONS_MAX},
                {"sessions_pipe", PIPIT_SESSIONS_PER_PIPE},
                {"unconfirmed_key", PIPIT_UNCONFIRMED_PER_KEY},
                {"failed_source", PIPIT_HANDSHAKE_SOURCE_PER_S},
                {"failed_source_burst", PIPIT_HANDSHAKE_SOURCE_BURST},
                {"failed_all", PIPIT_HANDSHAKE_ALL_PER_S},
                {"failed_all_innocent", PIPIT_HANDSHAKE_ALL_FOR_INNOCENT},
        };

        for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
                printf("session %s %lu\n", constants[i].name, constants[i].value);
}

static void print_errors(void)
{
        for (size_t i = 0; i < RUNTIME_ERRORS_N; i++) {
                struct pipit_error error = runtime_error_make((enum runtime_error)i);

                printf("error %s %s %s\n",
                       error.reason,
                       pipit_status_name(error.status),
                       pipit_ran_name(error.ran));
        }
}

static void print_numbers(void)
{
        static const enum pipit_frame_kind kinds[] = {
                PIPIT_FRAME_HELLO,
                PIPIT_FRAME_WELCOME,
                PIPIT_FRAME_SEALED_REQUEST,
                PIPIT_FRAME_SEALED_RESPONSE,
                PIPIT_FRAME_REJECT,
                PIPIT_FRAME_REQUEST,
                PIPIT_FRAME_RESPONSE,
        };

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(kinds); i++) {
                uint8_t header[PIPIT_FRAME_HEADER_BYTES];

                pipit_frame_header_write(kinds[i], header);
                printf("kind %02X %02X %02X %02X %02X\n",
                       header[3],
                       header[0],
                       header[1],
                       header[2],
                       header[3]);
        }
#define PRINT_CLIENT_REASON(name, status, origin, message) printf("client %s %s\n", #name, #status);
        PIPIT_CLIENT_REASON_MAP(PRINT_CLIENT_REASON)
#undef PRINT_CLIENT_REASON
#define PRINT_REJECT(name, number) printf("reject %s %d\n", #name, number);
        PIPIT_REJECT_MAP(PRINT_REJECT)
#undef PRINT_REJECT
#define PRINT_STATUS(name, number) printf("status %s %d\n", #name, number);
        PIPIT_STATUS_MAP(PRINT_STATUS)
#undef PRINT_STATUS
}

int main(void)
{
        print_cells();
        print_limits();
        print_sessions();
        print_errors();
        print_numbers();

        return EXIT_SUCCESS;
}
