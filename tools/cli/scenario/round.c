#include "tools/cli/scenario/round.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "tools/cli/scenario/interrupt.h"
#include "tools/cli/scenario/reply.h"
#include "tools/cli/scenario/request.h"

/* How many of a round's calls are still on their way. */
struct landing {
        atomic_size_t n_left;
        int event_fd; /* readable once there are none */
};

struct scenario_flight {
        struct pipit_call call;
        struct pipit_channel *channel;
        ProtobufCMessage *request;
        struct landing *landing;
        int64_t start_us;
        int64_t end_us;
};

static void fail(const struct scenario_round *round,
                 const struct scenario_place *place,
                 const char *problem)
{
        scenario_problems_add(round->problems, place, "%s", problem);
}

/* --- preparing --------------------------------------------------------------------------- */

static struct pipit_channel *find_channel(struct scenario_round *round,
                                          const struct scenario_scope *scope)
{
        const struct scenario_value *target = round->step->settings.target;
        const struct scenario_value *resolved = NULL;
        const char *url = round->calls->target, *problem;
        struct pipit_channel *channel;

        if (!target && !url)
                target = round->levels->levels[0]->target;
        if (target) {
                resolved = scenario_resolve(target, scope, &round->arena, round->problems);
                if (!resolved)
                        return NULL;
                url = resolved->text ? resolved->text : "";
        }
        if (!url) {
                fail(round, &round->step->place, "there is no target");
                return NULL;
        }

        channel = scenario_channels_get(round->calls->channels, url, &problem);
        if (!channel)
                scenario_problems_add(round->problems,
                                      target ? &target->place : &round->step->place,
                                      "%s%s%s",
                                      strstr(problem, url) ? "" : url,
                                      strstr(problem, url) ? "" : ": ",
                                      problem);
        return channel;
}

static void apply_settings(const struct scenario_round *round, struct pipit_call *call)
{
        call->timeout_ms = round->calls->timeout_ms;
        call->wait_for_ready = round->calls->wait_for_ready;

        for (size_t i = 0; i < SCENARIO_LEVELS; i++) {
                const struct scenario_settings *settings = round->levels->levels[i];

                if (settings && settings->timeout_ms > 0)
                        call->timeout_ms = settings->timeout_ms;
                if (settings && settings->has_wait_for_ready)
                        call->wait_for_ready = settings->wait_for_ready;
        }
}

/* Whether a level inside of @level has metadata of this key. */
static bool is_overridden(const struct scenario_round *round, size_t level, const char *key)
{
        for (size_t i = level; i < SCENARIO_LEVELS; i++) {
                const struct scenario_settings *settings = round->levels->levels[i];

                if (settings && scenario_value_member(settings->metadata, key))
                        return true;
        }

        return false;
}

static bool add_level(struct scenario_round *round,
                      size_t level,
                      const struct scenario_scope *scope,
                      struct pipit_call *call)
{
        const struct scenario_settings *settings = round->levels->levels[level];
        struct scenario_value *resolved, *kept;

        if (!settings || !settings->metadata)
                return true;

        resolved = scenario_resolve(settings->metadata, scope, &round->arena, round->problems);
        kept = scenario_value_new(&round->arena, PIPIT_JSON_OBJECT);
        if (!resolved || !kept)
                return false;
        for (struct scenario_value *entry = resolved->first, *next; entry; entry = next) {
                next = entry->next;
                if (!is_overridden(round, level + 1, entry->key))
                        scenario_value_append(kept, entry->key, entry);
        }

        return scenario_metadata_add(call, kept, &round->arena, round->problems);
}

static bool add_metadata(struct scenario_round *round,
                         const struct scenario_scope *scope,
                         struct pipit_call *call)
{
        const struct scenario_calls *calls = round->calls;

        for (size_t i = 0; i < calls->n_metadata; i++) {
                const struct pipit_metadata *entry = &calls->metadata[i];

                if (!is_overridden(round, 0, entry->key) &&
                    pipit_call_add_metadata(call, entry->key, entry->value, entry->n_value_bytes) !=
                            PIPIT_OK) {
                        fail(round, &round->step->place, "--metadata is refused");
                        return false;
                }
        }
        for (size_t level = 0; level < SCENARIO_LEVELS; level++) {
                if (!add_level(round, level, scope, call))
                        return false;
        }

        return true;
}

static bool prepare(struct scenario_round *round, size_t i)
{
        const struct scenario_step *step = round->step;
        struct scenario_flight *flight = &round->flights[i];
        const struct scenario_scope scope = {
                .outer = round->scope,
                .arena = &round->arena,
                .index = round->index + i,
                .has_index = true,
        };
        struct scenario_value *request = NULL;

        flight->channel = find_channel(round, &scope);
        if (!flight->channel)
                return false;
        apply_settings(round, &flight->call);
        if (!add_metadata(round, &scope, &flight->call))
                return false;

        if (step->request) {
                request = scenario_resolve(step->request, &scope, &round->arena, round->problems);
                if (!request)
                        return false;
        }
        flight->request = scenario_request_new(request,
                                               &step->place,
                                               step->method,
                                               round->calls->schema,
                                               &round->arena,
                                               round->problems);
        return flight->request;
}

/* --- flying -------------------------------------------------------------------------------- */

static void call_done(struct pipit_call *call)
{
        struct scenario_flight *flight = pipit_container_of(call, struct scenario_flight, call);
        struct landing *landing = flight->landing;

        flight->end_us = pipit_clock_now_us();
        if (atomic_fetch_sub(&landing->n_left, 1) == 1)
                (void)eventfd_write(landing->event_fd, 1);
}

/* Each call ends by its deadline, or soon after it was cancelled. */
static void wait_for_all(struct scenario_round *round, size_t n_flights, int event_fd)
{
        struct pollfd fds[] = {
                {.fd = event_fd, .events = POLLIN},
                {.fd = round->calls->heeds_interrupt ? scenario_interrupt_fd() : -1,
                 .events = POLLIN},
        };

        while (!fds[0].revents) {
                if (poll(fds, PIPIT_N_ELEMENTS(fds), -1) < 0) {
                        fds[0].revents = fds[1].revents = 0;
                        continue;
                }
                for (size_t i = 0; fds[1].revents && i < n_flights; i++)
                        pipit_call_cancel(&round->flights[i].call);
                if (fds[1].revents)
                        fds[1].fd = -1;
        }
}

/* False: nothing was sent. */
static bool fly(struct scenario_round *round, size_t n_flights)
{
        struct landing landing = {
                .n_left = n_flights,
                .event_fd = eventfd(0, EFD_CLOEXEC),
        };
        eventfd_t n_written;

        if (landing.event_fd < 0) {
                fail(round, &round->step->place, strerrordesc_np(errno));
                return false;
        }
        for (size_t i = 0; i < n_flights; i++) {
                struct scenario_flight *flight = &round->flights[i];

                flight->landing = &landing;
                flight->call.done = call_done;
                flight->start_us = pipit_clock_now_us();
                pipit_channel_start(
                        flight->channel, &flight->call, round->step->method, flight->request);
        }

        wait_for_all(round, n_flights, landing.event_fd);
        (void)eventfd_read(landing.event_fd, &n_written); /* so that who wrote it is through */
        (void)close(landing.event_fd);

        return true;
}

static bool read_replies(struct scenario_round *round, size_t n_flights)
{
        for (size_t i = 0; i < n_flights; i++) {
                struct scenario_flight *flight = &round->flights[i];
                const char *problem;

                round->replies[i] = scenario_reply_new(&flight->call,
                                                       round->step->method,
                                                       flight->end_us - flight->start_us,
                                                       round->calls->schema,
                                                       &round->arena,
                                                       &problem);
                if (!round->replies[i]) {
                        scenario_problems_add(round->problems,
                                              &round->step->place,
                                              "the response cannot be shown: %s",
                                              problem);
                        return false;
                }
                round->n_replies = i + 1;
        }

        return true;
}

bool scenario_round_run(struct scenario_round *round)
{
        size_t n_flights = round->step->n_parallel > 0 ? round->step->n_parallel : 1;

        round->flights = pipit_arena_zalloc(&round->arena, n_flights * sizeof(*round->flights));
        round->replies = pipit_arena_zalloc(&round->arena, n_flights * sizeof(*round->replies));
        if (!round->flights || !round->replies) {
                round->problems->out_of_memory = true;
                round->flights = NULL;
                return false;
        }

        for (size_t i = 0; i < n_flights; i++) {
                if (!prepare(round, i))
                        return false;
        }

        return fly(round, n_flights) && read_replies(round, n_flights);
}

void scenario_round_deinit(struct scenario_round *round)
{
        size_t n_flights = round->step->n_parallel > 0 ? round->step->n_parallel : 1;

        for (size_t i = 0; round->flights && i < n_flights; i++)
                pipit_call_deinit(&round->flights[i].call);
        pipit_arena_deinit(&round->arena);
}
