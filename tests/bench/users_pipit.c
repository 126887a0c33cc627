/*
 * Users, Pipit: the generated client; its server is usersd, with any store
 *
 * --work: get, create, create-id (with a request_id), update, list, or mix: 80%
 * get, 10% create, 5% update, 5% list. Which user is asked for or changed is
 * drawn uniformly from --users; created ones are new.
 */

#include <pipit/client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/base/uuid.h"
#include "tests/bench/bench.h"
#include "tests/bench/users.h"
#include "tests/harness/harness.h"
#include "users/v1/users.pipit.h"

#define TIMEOUT_MS 30000 /* 10,000 calls in flight may each be that late on a slow disk */

struct caller {
        struct pipit_call call;
        struct bench_slot *slot;
        struct pipit_channel *channel;
        const struct work *work; /* of the call under way */
        uint64_t random;
        uint64_t n_calls;
        char id[PIPIT_UUID_TEXT_SIZE]; /* that it asks for */
};

/* One kind of call: how it is started, how it is made, and whether the answer is right. */
struct work {
        const char *name;
        void (*start)(struct caller *caller);
        bool (*call)(struct caller *caller);
        bool (*is_right)(const struct caller *caller);
};

static struct pipit_channel **channels;
static size_t n_channels;
static size_t n_users;
static int64_t epoch_us;          /* part of each new email */
static const struct work *chosen; /* NULL: mix */

static uint64_t draw(struct caller *caller)
{
        caller->random ^= caller->random >> 12;
        caller->random ^= caller->random << 25;
        caller->random ^= caller->random >> 27;

        return caller->random * UINT64_C(2685821657736338717);
}

static void draw_id(struct caller *caller)
{
        (void)snprintf(caller->id,
                       sizeof(caller->id),
                       BENCH_USER_ID_FORMAT,
                       (unsigned int)((draw(caller) >> 16) % n_users + 1));
}

static bool is_user(const struct caller *caller, const Users__V1__User *user)
{
        return user && strcmp(user->id, caller->id) == 0 && user->email[0] && user->name[0] &&
               user->create_time && user->update_time && user->etag[0];
}

/* --- get ------------------------------------------------------------------------- */

static Users__V1__GetUserRequest get_request(struct caller *caller)
{
        Users__V1__GetUserRequest request = USERS__V1__GET_USER_REQUEST__INIT;

        draw_id(caller);
        request.key_case = USERS__V1__GET_USER_REQUEST__KEY_ID;
        request.id = caller->id;

        return request;
}

static void get_start(struct caller *caller)
{
        Users__V1__GetUserRequest request = get_request(caller);

        users_v1_get_user_start(caller->channel, &caller->call, &request);
}

static bool get_call(struct caller *caller)
{
        Users__V1__GetUserRequest request = get_request(caller);

        return users_v1_get_user(caller->channel, &caller->call, &request, NULL) == PIPIT_OK;
}

static bool get_is_right(const struct caller *caller)
{
        return is_user(caller, users_v1_get_user_response(&caller->call));
}

/* --- create ------------------------------------------------------------------------ */

struct create {
        Users__V1__CreateUserRequest request;
        Users__V1__User user;
        char email[64];
        char request_id[PIPIT_UUID_TEXT_SIZE];
};

static void create_init(struct create *create, struct caller *caller, bool has_request_id)
{
        users__v1__create_user_request__init(&create->request);
        users__v1__user__init(&create->user);
        (void)snprintf(create->email,
                       sizeof(create->email),
                       "n%llx-%zu-%llu@example.com",
                       (unsigned long long)epoch_us,
                       caller->slot->index,
                       (unsigned long long)caller->n_calls++);
        create->user.email = create->email;
        create->user.name = (char *)(uintptr_t) "Grace Hopper";
        create->user._age_case = USERS__V1__USER___AGE_AGE;
        create->user.age = 36;
        create->request.user = &create->user;
        if (has_request_id) {
                struct pipit_uuid uuid = pipit_uuid_v7(pipit_clock_wall_us());

                pipit_uuid_format(&uuid, create->request_id);
                create->request.request_id = create->request_id;
        }
}

static void create_start(struct caller *caller)
{
        struct create create;

        create_init(&create, caller, false);
        users_v1_create_user_start(caller->channel, &caller->call, &create.request);
}

static bool create_call(struct caller *caller)
{
        struct create create;

        create_init(&create, caller, false);

        return users_v1_create_user(caller->channel, &caller->call, &create.request, NULL) ==
               PIPIT_OK;
}

static void create_id_start(struct caller *caller)
{
        struct create create;

        create_init(&create, caller, true);
        users_v1_create_user_start(caller->channel, &caller->call, &create.request);
}

static bool create_id_call(struct caller *caller)
{
        struct create create;

        create_init(&create, caller, true);

        return users_v1_create_user(caller->channel, &caller->call, &create.request, NULL) ==
               PIPIT_OK;
}

static bool create_is_right(const struct caller *caller)
{
        const Users__V1__User *user = users_v1_create_user_response(&caller->call);

        return user && user->id[0] && user->email[0] == 'n' && user->etag[0];
}

/* --- update --------------------------------------------------------------------------- */

struct update {
        Users__V1__UpdateUserRequest request;
        Users__V1__User user;
        Google__Protobuf__FieldMask mask;
        char *path;
        char name[32];
};

static void update_init(struct update *update, struct caller *caller)
{
        users__v1__update_user_request__init(&update->request);
        users__v1__user__init(&update->user);
        google__protobuf__field_mask__init(&update->mask);
        draw_id(caller);
        (void)snprintf(update->name,
                       sizeof(update->name),
                       "Grace Hopper %llu",
                       (unsigned long long)caller->n_calls++);
        update->path = (char *)(uintptr_t) "name";
        update->mask.paths = &update->path;
        update->mask.n_paths = 1;
        update->user.id = caller->id;
        update->user.name = update->name;
        update->request.user = &update->user;
        update->request.update_mask = &update->mask;
}

static void update_start(struct caller *caller)
{
        struct update update;

        update_init(&update, caller);
        users_v1_update_user_start(caller->channel, &caller->call, &update.request);
}

static bool update_call(struct caller *caller)
{
        struct update update;

        update_init(&update, caller);

        return users_v1_update_user(caller->channel, &caller->call, &update.request, NULL) ==
               PIPIT_OK;
}

static bool update_is_right(const struct caller *caller)
{
        return is_user(caller, users_v1_update_user_response(&caller->call));
}

/* --- list ------------------------------------------------------------------------------- */

static void list_start(struct caller *caller)
{
        Users__V1__ListUsersRequest request = USERS__V1__LIST_USERS_REQUEST__INIT;

        request.page_size = BENCH_LIST_SIZE;
        users_v1_list_users_start(caller->channel, &caller->call, &request);
}

static bool list_call(struct caller *caller)
{
        Users__V1__ListUsersRequest request = USERS__V1__LIST_USERS_REQUEST__INIT;

        request.page_size = BENCH_LIST_SIZE;

        return users_v1_list_users(caller->channel, &caller->call, &request, NULL) == PIPIT_OK;
}

static bool list_is_right(const struct caller *caller)
{
        const Users__V1__ListUsersResponse *response = users_v1_list_users_response(&caller->call);

        return response && response->n_users == BENCH_LIST_SIZE;
}

/* --- the contestant ------------------------------------------------------------------------ */

enum { GET, CREATE, CREATE_ID, UPDATE, LIST };

static const struct work works[] = {
        [GET] = {"get", get_start, get_call, get_is_right},
        [CREATE] = {"create", create_start, create_call, create_is_right},
        [CREATE_ID] = {"create-id", create_id_start, create_id_call, create_is_right},
        [UPDATE] = {"update", update_start, update_call, update_is_right},
        [LIST] = {"list", list_start, list_call, list_is_right},
};

static void choose(const char *name)
{
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(works); i++) {
                if (strcmp(works[i].name, name) == 0)
                        chosen = &works[i];
        }
        if (!chosen && strcmp(name, "mix") != 0)
                die("--work: '%s' is not get, create, create-id, update, list or mix", name);
}

static const struct work *work_next(struct caller *caller)
{
        uint64_t percent;

        if (chosen)
                return chosen;
        percent = (draw(caller) >> 16) % 100;
        if (percent < 80)
                return &works[GET];
        if (percent < 90)
                return &works[CREATE];

        return percent < 95 ? &works[UPDATE] : &works[LIST];
}

/* Dialled when this returns: the calls that are measured find a connection. */
static struct pipit_channel *connect_channel(const char *url)
{
        const struct pipit_channel_options options = {.insecure_plaintext = true};
        struct pipit_channel *channel = pipit_channel_new(url, &options, NULL);
        struct pipit_call call = {.wait_for_ready = true};
        Users__V1__ListUsersRequest request = USERS__V1__LIST_USERS_REQUEST__INIT;

        if (!channel || users_v1_list_users(channel, &call, &request, NULL) != PIPIT_OK)
                die("%s: %s", url, channel ? pipit_call_error(&call)->message : "no channel");
        pipit_call_deinit(&call);

        return channel;
}

static void open_channels(const struct bench_options *options)
{
        choose(options->work);
        n_users = options->n_users ? options->n_users : 1;
        epoch_us = pipit_clock_wall_us();
        n_channels = options->n_connections;
        channels = calloc(n_channels, sizeof(struct pipit_channel *));
        if (!channels)
                die("out of memory");
        for (size_t i = 0; i < n_channels; i++)
                channels[i] = connect_channel(options->url);
}

static void close_channels(void)
{
        for (size_t i = 0; i < n_channels; i++)
                (void)pipit_channel_free(channels[i]);
        free(channels);
}

static bool is_right(const struct caller *caller)
{
        const struct pipit_error *error = pipit_call_error(&caller->call);

        if (error->status == PIPIT_OK)
                return caller->work->is_right(caller);
        (void)fprintf(stderr,
                      "%s: %s: %s\n",
                      caller->work->name,
                      pipit_status_name(error->status),
                      error->message);

        return false;
}

static void caller_done(struct pipit_call *call)
{
        struct caller *caller = pipit_container_of(call, struct caller, call);

        bench_done(caller->slot, is_right(caller));
}

static void *caller_new(struct bench_slot *slot)
{
        struct caller *caller = calloc(1, sizeof(*caller));

        if (!caller)
                die("out of memory");
        caller->slot = slot;
        caller->channel = channels[slot->index % n_channels];
        caller->call.done = caller_done;
        caller->call.timeout_ms = TIMEOUT_MS;
        caller->random = ((uint64_t)epoch_us << 20) + slot->index + 1;

        return caller;
}

static void caller_free(struct bench_slot *slot)
{
        struct caller *caller = slot->contestant;

        pipit_call_deinit(&caller->call);
        free(caller);
}

static void caller_start(struct bench_slot *slot)
{
        struct caller *caller = slot->contestant;

        pipit_call_reset(&caller->call);
        caller->work = work_next(caller);
        caller->work->start(caller);
}

static bool caller_call(struct bench_slot *slot)
{
        struct caller *caller = slot->contestant;

        pipit_call_reset(&caller->call);
        caller->work = work_next(caller);

        return caller->work->call(caller) && is_right(caller);
}

int main(int argc, char **argv)
{
        static const struct bench_contestant contestant = {
                .name = "pipit",
                .open = open_channels,
                .slot_new = caller_new,
                .start = caller_start,
                .call = caller_call,
                .slot_free = caller_free,
                .close = close_channels,
        };

        return bench_main(&contestant, argc, argv);
}
