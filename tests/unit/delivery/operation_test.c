/*
 * The users.v1 delivery: messages to use cases and back, page tokens, hashes
 */

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/users/list_users.h"
#include "server/delivery/users_v1/operation.h"
#include "server/delivery/users_v1/page_token.h"
#include "server/delivery/users_v1/request_hash.h"
#include "server/store/memory/memory.h"

/* --- a run of one operation, its outcome copied -------------------------------- */

struct run {
        struct users_v1_operation operation;
        void *memory;
        bool has_none;
        unsigned int n_done;
        struct pipit_error error;
        char field[64]; /* of the first violation */
        uint8_t *packed;
        size_t n_packed;
};

static void *run_alloc(struct users_v1_operation *operation, size_t n_bytes)
{
        struct run *run = pipit_container_of(operation, struct run, operation);

        assert_null(run->memory);
        if (!run->has_none)
                run->memory = calloc(1, n_bytes);

        return run->memory;
}

static void run_done(struct users_v1_operation *operation,
                     const ProtobufCMessage *response,
                     const struct pipit_error *error)
{
        struct run *run = pipit_container_of(operation, struct run, operation);

        run->n_done++;
        run->error = *error;
        if (error->n_violations > 0)
                (void)snprintf(run->field, sizeof(run->field), "%s", error->violations[0].field);
        if (response) {
                run->packed = malloc(protobuf_c_message_get_packed_size(response) + 1);
                assert_non_null(run->packed);
                run->n_packed = protobuf_c_message_pack(response, run->packed);
        }
}

static void run_init(struct run *run, const struct users_ports *ports)
{
        *run = (struct run){
                .operation =
                        {
                                .ports = ports,
                                .principal = "uid:1",
                                .deadline_us = PIPIT_NEVER_US,
                                .alloc = run_alloc,
                                .done = run_done,
                        },
        };
}

static void run_deinit(struct run *run)
{
        assert_int_equal(run->n_done, 1);
        free(run->packed);
        free(run->memory);
}

static Users__V1__User *run_user(struct run *run)
{
        Users__V1__User *user = users__v1__user__unpack(NULL, run->n_packed, run->packed);

        assert_non_null(user);

        return user;
}

/* --- fixture ------------------------------------------------------------------ */

static int setup(void **state)
{
        struct users_ports *ports = calloc(1, sizeof(*ports));

        assert_non_null(ports);
        assert_true(sodium_init() >= 0);
        ports->clock = &pipit_clock_system;
        ports->new_id = pipit_uuid_v7;
        ports->repository = users_memory_new(ports->clock);
        assert_non_null(ports->repository);
        *state = ports;

        return 0;
}

static int teardown(void **state)
{
        struct users_ports *ports = *state;

        (void)users_repository_free(ports->repository);
        free(ports);

        return 0;
}

static void user_init(Users__V1__User *user, const char *email)
{
        users__v1__user__init(user);
        user->email = (char *)email;
        user->name = (char *)"Ada";
        user->_age_case = USERS__V1__USER___AGE_AGE;
        user->age = 0;
}

static void create(const struct users_ports *ports,
                   struct run *run,
                   const char *email,
                   const char *request_id)
{
        Users__V1__CreateUserRequest request = USERS__V1__CREATE_USER_REQUEST__INIT;
        Users__V1__User user;

        user_init(&user, email);
        request.user = &user;
        request.request_id = (char *)request_id;
        run_init(run, ports);
        users_v1_create_user_run(&run->operation, &request);
}

/* --- operations ---------------------------------------------------------------- */

static void a_created_user_comes_back_with_id_times_and_etag(void **state)
{
        Users__V1__User *user;
        struct run run;

        create(*state, &run, "a@example.com", "");
        assert_int_equal(run.error.status, PIPIT_OK);
        user = run_user(&run);
        assert_int_equal(strlen(user->id), 36);
        assert_string_equal(user->email, "a@example.com");
        assert_string_equal(user->name, "Ada");
        assert_int_equal(user->_age_case, USERS__V1__USER___AGE_AGE);
        assert_int_equal(user->age, 0);
        assert_non_null(user->create_time);
        assert_non_null(user->update_time);
        assert_true(strlen(user->etag) > 0);
        users__v1__user__free_unpacked(user, NULL);
        run_deinit(&run);
}

static void an_absent_user_and_an_absent_age_are_violations(void **state)
{
        Users__V1__CreateUserRequest request = USERS__V1__CREATE_USER_REQUEST__INIT;
        Users__V1__User user;
        struct run run;

        run_init(&run, *state);
        users_v1_create_user_run(&run.operation, &request);
        assert_int_equal(run.error.status, PIPIT_INVALID_ARGUMENT);
        assert_int_equal(run.error.n_violations, 3);
        run_deinit(&run);

        user_init(&user, "a@example.com");
        user._age_case = USERS__V1__USER___AGE__NOT_SET;
        request.user = &user;
        run_init(&run, *state);
        users_v1_create_user_run(&run.operation, &request);
        assert_int_equal(run.error.n_violations, 1);
        assert_string_equal(run.field, "user.age");
        run_deinit(&run);
}

static void validate_only_gives_the_user_without_id_times_and_etag(void **state)
{
        Users__V1__CreateUserRequest request = USERS__V1__CREATE_USER_REQUEST__INIT;
        Users__V1__GetUserRequest get = USERS__V1__GET_USER_REQUEST__INIT;
        Users__V1__User user;
        Users__V1__User *back;
        struct run run;

        user_init(&user, "v@example.com");
        request.user = &user;
        request.validate_only = true;
        run_init(&run, *state);
        users_v1_create_user_run(&run.operation, &request);
        assert_int_equal(run.error.status, PIPIT_OK);
        back = run_user(&run);
        assert_string_equal(back->email, "v@example.com");
        assert_string_equal(back->id, "");
        assert_string_equal(back->etag, "");
        assert_null(back->create_time);
        assert_null(back->update_time);
        users__v1__user__free_unpacked(back, NULL);
        run_deinit(&run);

        get.key_case = USERS__V1__GET_USER_REQUEST__KEY_EMAIL;
        get.email = (char *)"v@example.com";
        run_init(&run, *state);
        users_v1_get_user_run(&run.operation, &get);
        assert_int_equal(run.error.status, PIPIT_NOT_FOUND);
        run_deinit(&run);
}

static void get_without_a_key_is_invalid(void **state)
{
        Users__V1__GetUserRequest request = USERS__V1__GET_USER_REQUEST__INIT;
        struct run run;

        run_init(&run, *state);
        users_v1_get_user_run(&run.operation, &request);
        assert_int_equal(run.error.status, PIPIT_INVALID_ARGUMENT);
        run_deinit(&run);
}

static void a_repeat_under_the_same_request_id_gives_the_first_user(void **state)
{
        static const char id[] = "0190a8b4-0000-4000-8000-000000000001";
        Users__V1__User *first;
        Users__V1__User *second;
        struct run run;

        create(*state, &run, "r@example.com", id);
        first = run_user(&run);
        run_deinit(&run);
        create(*state, &run, "r@example.com", id);
        assert_int_equal(run.error.status, PIPIT_OK);
        second = run_user(&run);
        run_deinit(&run);
        assert_string_equal(first->id, second->id);
        users__v1__user__free_unpacked(first, NULL);
        users__v1__user__free_unpacked(second, NULL);

        create(*state, &run, "other@example.com", id);
        assert_int_equal(run.error.status, PIPIT_INVALID_ARGUMENT);
        assert_string_equal(run.error.reason, "REQUEST_ID_REUSED");
        run_deinit(&run);
}

static void list_page(const struct users_ports *ports,
                      struct run *run,
                      int32_t size,
                      const char *token)
{
        Users__V1__ListUsersRequest request = USERS__V1__LIST_USERS_REQUEST__INIT;

        request.page_size = size;
        request.page_token = (char *)token;
        run_init(run, ports);
        users_v1_list_users_run(&run->operation, &request);
}

static void pages_follow_each_other_by_token_and_end(void **state)
{
        char token[128] = "";
        size_t n_users = 0;
        size_t n_pages = 0;

        for (int i = 0; i < 5; i++) {
                struct run run;
                char email[32];

                (void)snprintf(email, sizeof(email), "p%d@example.com", i);
                create(*state, &run, email, "");
                run_deinit(&run);
        }
        do {
                Users__V1__ListUsersResponse *page;
                struct run run;

                list_page(*state, &run, 2, token);
                assert_int_equal(run.error.status, PIPIT_OK);
                page = users__v1__list_users_response__unpack(NULL, run.n_packed, run.packed);
                assert_non_null(page);
                n_users += page->n_users;
                n_pages++;
                (void)snprintf(token, sizeof(token), "%s", page->next_page_token);
                users__v1__list_users_response__free_unpacked(page, NULL);
                run_deinit(&run);
        } while (token[0] != '\0');
        assert_int_equal(n_users, 5);
        assert_int_equal(n_pages, 3);
}

static void a_forged_page_token_is_refused(void **state)
{
        static const char *const tokens[] = {"x", "AQ", "not base64!", "AAAAAAAAAAAAAAAAAAAAAAAA"};

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(tokens); i++) {
                struct run run;

                list_page(*state, &run, 2, tokens[i]);
                assert_int_equal(run.error.status, PIPIT_INVALID_ARGUMENT);
                assert_string_equal(run.error.reason, "PAGE_TOKEN_INVALID");
                run_deinit(&run);
        }
}

/* A store that keeps its lists waiting. */
struct stuck_store {
        struct users_repository repository;
        struct users_request *waiting; /* by next */
};

static void stuck_list(struct users_repository *repository,
                       struct users_request *request,
                       const struct pipit_uuid *after,
                       size_t max_users,
                       struct user *ret_users)
{
        struct stuck_store *store = pipit_container_of(repository, struct stuck_store, repository);

        (void)after;
        (void)max_users;
        (void)ret_users;
        request->next = store->waiting;
        store->waiting = request;
}

static size_t resident_bytes(void)
{
        FILE *file = fopen("/proc/self/statm", "r");
        size_t n_pages = 0;

        assert_non_null(file);
        assert_int_equal(fscanf(file, "%*u %zu", &n_pages), 1);
        (void)fclose(file);

        return n_pages * 4096;
}

/* A sanitizer's shadow is touched all the same. */
#if PIPIT_ADDRESS_SANITIZER || PIPIT_THREAD_SANITIZER
#define TELLS_RESIDENT false
#else
#define TELLS_RESIDENT true
#endif

/* A few bytes of request must not make the server give 0.8 MB while the store is slow. */
static void lists_that_wait_take_no_memory_for_their_pages(void **state)
{
        enum { N = 400 };
        static const struct users_repository_operations operations = {.list = stuck_list};
        struct users_ports ports = *(struct users_ports *)*state;
        struct stuck_store store = {.repository = {.operations = &operations}};
        struct run *runs = calloc(N, sizeof(*runs));
        size_t before = resident_bytes(), grown;

        assert_non_null(runs);
        ports.repository = &store.repository;
        for (size_t i = 0; i < N; i++)
                list_page(&ports, &runs[i], 1000, "");
        grown = resident_bytes() - before;
        if (TELLS_RESIDENT)
                assert_true(grown < N * list_users_room(1000) * sizeof(struct user) / 10);

        while (store.waiting) {
                struct users_request *request = store.waiting;

                store.waiting = request->next;
                users_request_complete(request, (struct pipit_error){0});
        }
        for (size_t i = 0; i < N; i++)
                run_deinit(&runs[i]);
        free(runs);
}

static void without_memory_each_method_fails_and_has_not_run(void **state)
{
        Users__V1__CreateUserRequest create_request = USERS__V1__CREATE_USER_REQUEST__INIT;
        Users__V1__GetUserRequest get = USERS__V1__GET_USER_REQUEST__INIT;
        Users__V1__UpdateUserRequest update = USERS__V1__UPDATE_USER_REQUEST__INIT;
        Users__V1__DeleteUserRequest delete = USERS__V1__DELETE_USER_REQUEST__INIT;
        Users__V1__ListUsersRequest list = USERS__V1__LIST_USERS_REQUEST__INIT;
        struct run runs[5];

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(runs); i++) {
                run_init(&runs[i], *state);
                runs[i].has_none = true;
        }
        users_v1_create_user_run(&runs[0].operation, &create_request);
        users_v1_get_user_run(&runs[1].operation, &get);
        users_v1_update_user_run(&runs[2].operation, &update);
        users_v1_delete_user_run(&runs[3].operation, &delete);
        users_v1_list_users_run(&runs[4].operation, &list);

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(runs); i++) {
                assert_int_equal(runs[i].error.status, PIPIT_RESOURCE_EXHAUSTED);
                assert_int_equal(runs[i].error.ran, PIPIT_NOT_RUN);
                assert_string_equal(runs[i].error.reason, "OUT_OF_MEMORY");
                run_deinit(&runs[i]);
        }
}

/* --- page tokens ----------------------------------------------------------------- */

static void a_token_reads_back_under_its_key_only(void **state)
{
        const uint8_t key[USERS_V1_PAGE_TOKEN_KEY_BYTES] = {1, 2, 3};
        const uint8_t other[USERS_V1_PAGE_TOKEN_KEY_BYTES] = {1, 2, 4};
        struct pipit_uuid after = pipit_uuid_v7(INT64_C(1700000000000000));
        struct pipit_uuid read = {{0}};
        char token[USERS_V1_PAGE_TOKEN_SIZE];

        (void)state;
        users_v1_page_token_write(key, &after, token);
        assert_true(users_v1_page_token_read(key, token, &read));
        assert_memory_equal(&after, &read, sizeof(after));
        assert_false(users_v1_page_token_read(other, token, &read));
}

static void a_token_with_any_character_changed_is_refused(void **state)
{
        const uint8_t key[USERS_V1_PAGE_TOKEN_KEY_BYTES] = {9};
        struct pipit_uuid after = pipit_uuid_v7(INT64_C(1700000000000000));
        struct pipit_uuid read;
        char token[USERS_V1_PAGE_TOKEN_SIZE];

        (void)state;
        users_v1_page_token_write(key, &after, token);
        for (size_t i = 0; token[i] != '\0'; i++) {
                char kept = token[i];

                token[i] = kept == 'B' ? 'C' : 'B';
                assert_false(users_v1_page_token_read(key, token, &read));
                token[i] = '\0';
                assert_false(users_v1_page_token_read(key, token, &read));
                token[i] = kept;
        }
        assert_true(users_v1_page_token_read(key, token, &read));
}

/* --- request hashes ---------------------------------------------------------------- */

static void the_hash_is_of_what_is_asked_not_of_how(void **state)
{
        ProtobufCMessageUnknownField unknown = {.tag = 99,
                                                .wire_type = PROTOBUF_C_WIRE_TYPE_VARINT,
                                                .len = 1,
                                                .data = (uint8_t *)"\1"};
        Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        Users__V1__CreateUserRequest request = USERS__V1__CREATE_USER_REQUEST__INIT;
        uint8_t first[USERS_V1_REQUEST_HASH_BYTES];
        uint8_t second[USERS_V1_REQUEST_HASH_BYTES];
        Users__V1__User user;

        (void)state;
        user_init(&user, "h@example.com");
        request.user = &user;
        users_v1_hash_create_user(&request, first);

        request.request_id = (char *)"0190a8b4-0000-4000-8000-000000000001";
        request.base.n_unknown_fields = 1;
        request.base.unknown_fields = &unknown;
        user.base.n_unknown_fields = 1;
        user.base.unknown_fields = &unknown;
        user.create_time = &time;
        user.update_time = &time;
        users_v1_hash_create_user(&request, second);
        assert_memory_equal(first, second, sizeof(first));

        user.age = 1;
        users_v1_hash_create_user(&request, second);
        assert_memory_not_equal(first, second, sizeof(first));
}

static void the_hash_tells_methods_apart(void **state)
{
        Users__V1__CreateUserRequest create_request = USERS__V1__CREATE_USER_REQUEST__INIT;
        Users__V1__UpdateUserRequest update_request = USERS__V1__UPDATE_USER_REQUEST__INIT;
        uint8_t first[USERS_V1_REQUEST_HASH_BYTES];
        uint8_t second[USERS_V1_REQUEST_HASH_BYTES];

        (void)state;
        users_v1_hash_create_user(&create_request, first);
        users_v1_hash_update_user(&update_request, second);
        assert_memory_not_equal(first, second, sizeof(first));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        a_created_user_comes_back_with_id_times_and_etag, setup, teardown),
                cmocka_unit_test_setup_teardown(
                        an_absent_user_and_an_absent_age_are_violations, setup, teardown),
                cmocka_unit_test_setup_teardown(
                        validate_only_gives_the_user_without_id_times_and_etag, setup, teardown),
                cmocka_unit_test_setup_teardown(get_without_a_key_is_invalid, setup, teardown),
                cmocka_unit_test_setup_teardown(
                        a_repeat_under_the_same_request_id_gives_the_first_user, setup, teardown),
                cmocka_unit_test_setup_teardown(
                        pages_follow_each_other_by_token_and_end, setup, teardown),
                cmocka_unit_test_setup_teardown(a_forged_page_token_is_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(
                        lists_that_wait_take_no_memory_for_their_pages, setup, teardown),
                cmocka_unit_test_setup_teardown(
                        without_memory_each_method_fails_and_has_not_run, setup, teardown),
                cmocka_unit_test(a_token_reads_back_under_its_key_only),
                cmocka_unit_test(a_token_with_any_character_changed_is_refused),
                cmocka_unit_test(the_hash_is_of_what_is_asked_not_of_how),
                cmocka_unit_test(the_hash_tells_methods_apart),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
