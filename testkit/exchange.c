#include <stdlib.h>
#include <string.h>

#include "testkit/relay.h"

/* Of replies in one response of the relay's own; a single one may be larger. */
#define RESPONSE_BYTES_MAX 65536

struct reply *reply_free(struct reply *reply)
{
        bytes_deinit(&reply->record);
        free(reply);

        return NULL;
}

void replies_append(struct reply **list, struct reply *reply)
{
        while (*list)
                list = &(*list)->next;
        reply->next = NULL;
        *list = reply;
}

/* NULL: out of memory, and the connection breaks. */
static struct reply *reply_new(struct pair *pair, const uint8_t *client)
{
        struct reply *reply = calloc(1, sizeof(*reply));

        if (!reply) {
                pair->is_broken = true;
                return NULL;
        }
        memcpy(reply->client, client, sizeof(reply->client));

        return reply;
}

static void add_pending(struct pair *pair, const uint8_t *client, const void *record, size_t n)
{
        struct reply *reply = reply_new(pair, client);

        if (!reply)
                return;
        bytes_add(&reply->record, record, n);
        replies_append(&pair->faults->pending, reply);
}

static void add_failure(struct pair *pair, const uint8_t *client, uint64_t id, struct rule *rule)
{
        struct reply *reply = reply_new(pair, client);

        if (!reply)
                return;
        wire_add_failure(&reply->record, id, &rule->fault.error);
        replies_append(&pair->faults->pending, reply);
}

static void hold(struct pair *pair,
                 const uint8_t *client,
                 const struct wire_field *field,
                 struct rule *rule)
{
        struct pipit_test_faults *faults = pair->faults;
        struct pipit_test_clock *clock = rule->fault.clock;
        struct reply *reply = reply_new(pair, client);

        if (!reply)
                return;
        bytes_add(&reply->record, field->record, field->n_record);
        if (clock) {
                reply->clock = clock;
                reply->at_us = clock->clock.now_us(clock->clock.context) + rule->fault.delay_us;
        }
        replies_append(&faults->held, reply);
        faults->n_held++;
}

/* --- requests --- */

struct call {
        uint64_t id;
        const uint8_t *method;
        size_t n_method;
};

static struct call read_call(const struct wire_field *field)
{
        struct wire_reader reader = {.at = field->data, .end = field->data + field->n_data};
        struct call call = {0};
        struct wire_field inner;

        while (wire_next(&reader, &inner)) {
                if (inner.number == WIRE_CALL_ID)
                        call.id = inner.value;
                if (inner.number == WIRE_CALL_METHOD) {
                        call.method = inner.data;
                        call.n_method = inner.n_data;
                }
        }

        return call;
}

/* Whether the call goes on to the server. */
static bool pass_call(struct pair *pair, const uint8_t *client, const struct wire_field *field)
{
        struct plan *plan = &pair->faults->plan;
        struct call call = read_call(field);
        struct rule *rule = plan_meet(plan, call.method, call.n_method);

        if (!rule)
                return true;

        switch (rule->fault.kind) {
        case PIPIT_TEST_FAIL_BEFORE:
                add_failure(pair, client, call.id, rule);
                return false;
        case PIPIT_TEST_LOSE_REQUEST:
                return false;
        case PIPIT_TEST_DISCONNECT_BEFORE:
                pair->is_broken = true;
                return false;
        case PIPIT_TEST_FAIL_AFTER:
        case PIPIT_TEST_LOSE_REPLY:
        case PIPIT_TEST_HOLD_REPLY:
        case PIPIT_TEST_DISCONNECT_AFTER:
                break;
        }
        if (!plan_mark(plan, client, call.id, rule))
                pair->is_broken = true;

        return true;
}

/* The client that a Request names; false: none, or it cannot be read. */
static bool find_client(const uint8_t *body, size_t n_body, uint8_t *ret_client)
{
        struct wire_reader reader = {.at = body, .end = body + n_body};
        struct wire_field field;
        bool is_found = false;

        while (wire_next(&reader, &field))
                if (field.number == WIRE_REQUEST_CLIENT_ID && field.n_data == WIRE_CLIENT_BYTES) {
                        memcpy(ret_client, field.data, WIRE_CLIENT_BYTES);
                        is_found = true;
                }

        return is_found && !reader.is_malformed;
}

static struct asked *ask(struct pair *pair, const uint8_t *words, size_t n_words)
{
        struct asked **at = &pair->asked;
        struct asked *asked = calloc(1, sizeof(*asked));

        if (!asked) {
                pair->is_broken = true;
                return NULL;
        }
        memcpy(asked->words, words, n_words);
        asked->n_words = n_words;
        while (*at)
                at = &(*at)->next;
        *at = asked;

        return asked;
}

static void pass_request(struct pair *pair,
                         const struct asked *asked,
                         const uint8_t *body,
                         size_t n_body)
{
        struct wire_reader reader = {.at = body, .end = body + n_body};
        struct bytes frame = {0};
        struct wire_field field;

        wire_add_frame_header(&frame, WIRE_REQUEST);
        while (wire_next(&reader, &field))
                if (field.number != WIRE_REQUEST_CALLS || pass_call(pair, asked->client, &field))
                        bytes_add(&frame, field.record, field.n_record);
        if (frame.has_failed)
                pair->is_broken = true;
        if (!pair->is_broken)
                pair_send(&pair->server, asked->words, asked->n_words, frame.data, frame.n);
        bytes_deinit(&frame);
}

void exchange_request(struct pair *pair, const uint8_t *message, size_t n)
{
        size_t n_words = wire_words(message, n);
        const uint8_t *frame = message + n_words;
        size_t n_frame = n - n_words;
        struct asked *asked;

        if (n_words == 0) {
                pair_send(&pair->server, message, n, NULL, 0);
                return;
        }
        asked = ask(pair, message, n_words);
        if (!asked)
                return;
        asked->has_client =
                wire_frame_kind(frame, n_frame) == WIRE_REQUEST &&
                find_client(frame + WIRE_FRAME_BYTES, n_frame - WIRE_FRAME_BYTES, asked->client);
        if (!asked->has_client) {
                pair_send(&pair->server, message, n, NULL, 0);
                return;
        }
        pass_request(pair, asked, frame + WIRE_FRAME_BYTES, n_frame - WIRE_FRAME_BYTES);
        exchange_deliver(pair->faults);
}

/* --- responses --- */

static uint64_t read_reply_id(const struct wire_field *field)
{
        struct wire_reader reader = {.at = field->data, .end = field->data + field->n_data};
        struct wire_field inner;
        uint64_t id = 0;

        while (wire_next(&reader, &inner))
                if (inner.number == WIRE_REPLY_ID)
                        id = inner.value;

        return id;
}

/* Whether the reply goes on to the client as it is. */
static bool pass_reply(struct pair *pair, const uint8_t *client, const struct wire_field *field)
{
        uint64_t id = read_reply_id(field);
        struct rule *rule = plan_unmark(&pair->faults->plan, client, id);

        if (!rule)
                return true;
        if (rule->fault.kind == PIPIT_TEST_FAIL_AFTER)
                add_failure(pair, client, id, rule);
        if (rule->fault.kind == PIPIT_TEST_HOLD_REPLY)
                hold(pair, client, field, rule);
        if (rule->fault.kind == PIPIT_TEST_DISCONNECT_AFTER)
                pair->is_broken = true;

        return false;
}

static void pass_response(struct pair *pair,
                          const struct asked *asked,
                          const uint8_t *body,
                          size_t n_body)
{
        struct wire_reader reader = {.at = body, .end = body + n_body};
        struct bytes frame = {0};
        struct wire_field field;

        wire_add_frame_header(&frame, WIRE_RESPONSE);
        while (wire_next(&reader, &field)) {
                if (field.number == WIRE_RESPONSE_INSTANCE)
                        pair->instance = field.value;
                if (field.number == WIRE_RESPONSE_REPLIES) {
                        if (!pass_reply(pair, asked->client, &field))
                                continue;
                        if (asked->is_answered) {
                                add_pending(pair, asked->client, field.record, field.n_record);
                                continue;
                        }
                }
                bytes_add(&frame, field.record, field.n_record);
        }
        if (frame.has_failed)
                pair->is_broken = true;
        if (!pair->is_broken && !asked->is_answered)
                pair_send(&pair->client, asked->words, asked->n_words, frame.data, frame.n);
        bytes_deinit(&frame);
}

static bool is_whole(const uint8_t *body, size_t n_body)
{
        struct wire_reader reader = {.at = body, .end = body + n_body};
        struct wire_field field;

        while (wire_next(&reader, &field))
                ;

        return !reader.is_malformed;
}

/* The request that these words belong to, taken out; NULL: none. */
static struct asked *take_asked(struct pair *pair, const uint8_t *words, size_t n_words)
{
        for (struct asked **at = &pair->asked; *at; at = &(*at)->next) {
                struct asked *asked = *at;

                if (asked->n_words != n_words || memcmp(asked->words, words, n_words) != 0)
                        continue;
                *at = asked->next;
                return asked;
        }

        return NULL;
}

void exchange_response(struct pair *pair, const uint8_t *message, size_t n)
{
        size_t n_words = wire_words(message, n);
        const uint8_t *frame = message + n_words;
        size_t n_frame = n - n_words;
        struct asked *asked = take_asked(pair, message, n_words);

        if (asked && asked->has_client && wire_frame_kind(frame, n_frame) == WIRE_RESPONSE &&
            is_whole(frame + WIRE_FRAME_BYTES, n_frame - WIRE_FRAME_BYTES))
                pass_response(pair, asked, frame + WIRE_FRAME_BYTES, n_frame - WIRE_FRAME_BYTES);
        else if (!asked || !asked->is_answered)
                pair_send(&pair->client, message, n, NULL, 0);
        free(asked);
        exchange_deliver(pair->faults);
}

void exchange_forget(struct pair *pair, const uint8_t *words, size_t n_words)
{
        for (struct asked *asked = pair->asked; asked; asked = asked->next)
                if (asked->n_words == n_words && memcmp(asked->words, words, n_words) == 0)
                        asked->is_answered = true;
}

/* --- the relay's own responses --- */

static struct asked *find_waiting(struct pipit_test_faults *faults,
                                  const uint8_t *client,
                                  struct pair **ret_pair)
{
        for (struct pair *pair = faults->pairs; pair; pair = pair->next)
                for (struct asked *asked = pair->asked; asked && !pair->is_broken;
                     asked = asked->next)
                        if (asked->has_client && !asked->is_answered &&
                            memcmp(asked->client, client, sizeof(asked->client)) == 0) {
                                *ret_pair = pair;
                                return asked;
                        }

        return NULL;
}

/* Moves what is pending for that client into @frame. */
static void take_pending(struct pipit_test_faults *faults,
                         const uint8_t *client,
                         struct bytes *frame)
{
        struct reply **at = &faults->pending;

        while (*at && frame->n < RESPONSE_BYTES_MAX) {
                struct reply *reply = *at;

                if (memcmp(reply->client, client, sizeof(reply->client)) != 0) {
                        at = &reply->next;
                        continue;
                }
                *at = reply->next;
                bytes_add(frame, reply->record.data, reply->record.n);
                frame->has_failed |= reply->record.has_failed;
                reply_free(reply);
        }
}

static void answer(struct pair *pair, struct asked *asked)
{
        struct bytes frame = {0};

        wire_add_frame_header(&frame, WIRE_RESPONSE);
        if (pair->instance)
                wire_add_fixed64(&frame, WIRE_RESPONSE_INSTANCE, pair->instance);
        take_pending(pair->faults, asked->client, &frame);
        asked->is_answered = true;
        pair_send(&pair->client, asked->words, asked->n_words, frame.data, frame.n);
        if (frame.has_failed || pair->client.out.has_failed)
                pair->is_broken = true;
        bytes_deinit(&frame);
}

/* A reply whose client has no request open waits for the next. */
void exchange_deliver(struct pipit_test_faults *faults)
{
        struct reply *reply = faults->pending;

        while (reply) {
                struct pair *pair;
                struct asked *asked = find_waiting(faults, reply->client, &pair);

                if (!asked) {
                        reply = reply->next;
                        continue;
                }
                answer(pair, asked);
                reply = faults->pending;
        }
}
