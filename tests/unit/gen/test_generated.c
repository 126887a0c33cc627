/*
 * What generated code does, with a runtime and a client that only take notes.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/macros.h"
#include "echo/v1/echo.pipit.h"
#include "google/protobuf/any.pipit.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "google/protobuf/struct.pipit.h"
#include "google/protobuf/wrappers.pipit.h"
#include "google/rpc/error_details.pipit.h"
#include "grpc/health/v1/health.pipit.h"
#include "pipit/v1/frame.pipit.h"
#include "users/v1/users.pipit.h"

/* --- notes ------------------------------------------------------------------ */

/* Incomplete in the headers; addresses are all that anybody looks at here. */
struct pipit_server {
        int unused;
};
struct pipit_server_call {
        int unused;
};
struct pipit_channel {
        int unused;
};

static struct {
        const struct pipit_service *service;
        const pipit_server_dispatch_fn *dispatch;
        const bool *blocks;
        const void *handlers;
        void *self;

        struct pipit_server_call *call;
        const ProtobufCMessage *reply;

        struct pipit_call *client_call;
        const struct pipit_method *method;
        const ProtobufCMessage *request;
        const ProtobufCMessage *response; /* in: what a call gives */
        enum pipit_status status;         /* in */
        size_t n_starts;
} notes;

enum pipit_status pipit_server_register(struct pipit_server *server PIPIT_UNUSED,
                                        const struct pipit_service *service,
                                        const pipit_server_dispatch_fn *dispatch,
                                        const bool *blocks,
                                        const void *handlers,
                                        void *self)
{
        notes.service = service;
        notes.dispatch = dispatch;
        notes.blocks = blocks;
        notes.handlers = handlers;
        notes.self = self;

        return notes.status;
}

void pipit_server_call_reply(struct pipit_server_call *call, const ProtobufCMessage *response)
{
        notes.call = call;
        notes.reply = response;
}

enum pipit_status pipit_channel_call(struct pipit_channel *channel PIPIT_UNUSED,
                                     struct pipit_call *call,
                                     const struct pipit_method *method,
                                     const ProtobufCMessage *request,
                                     const ProtobufCMessage **ret_response)
{
        notes.client_call = call;
        notes.method = method;
        notes.request = request;
        if (notes.status == PIPIT_OK)
                *ret_response = notes.response;

        return notes.status;
}

void pipit_channel_start(struct pipit_channel *channel PIPIT_UNUSED,
                         struct pipit_call *call,
                         const struct pipit_method *method,
                         const ProtobufCMessage *request)
{
        notes.client_call = call;
        notes.method = method;
        notes.request = request;
        notes.n_starts++;
}

const ProtobufCMessage *pipit_call_response(const struct pipit_call *call PIPIT_UNUSED,
                                            const struct pipit_method *method)
{
        notes.method = method;

        return notes.response;
}

static int forget(void **state)
{
        (void)state;
        memset(&notes, 0, sizeof(notes));

        return 0;
}

/* --- server ----------------------------------------------------------------- */

static struct {
        void *self;
        struct pipit_server_call *call;
        const Echo__V1__SleepRequest *request;
} slept;

static void handle_sleep(void *self,
                         struct pipit_server_call *call,
                         const Echo__V1__SleepRequest *request)
{
        slept.self = self;
        slept.call = call;
        slept.request = request;
}

static const struct echo_v1_echo_service handlers = {
        .sleep = handle_sleep,
        .blocks = {.sleep = true},
};

static void registering_hands_over_the_tables(void **state)
{
        struct pipit_server server;

        (void)state;
        assert_int_equal(echo_v1_echo_service_register(&server, &handlers, &server), PIPIT_OK);
        assert_ptr_equal(notes.service, &echo_v1_echo_service_descriptor);
        assert_ptr_equal(notes.handlers, &handlers);
        assert_ptr_equal(notes.self, &server);
        assert_non_null(notes.dispatch[0]);
        assert_non_null(notes.dispatch[1]);
        assert_non_null(notes.dispatch[2]);
}

static void registering_passes_on_the_status(void **state)
{
        struct pipit_server server;

        (void)state;
        notes.status = PIPIT_ALREADY_EXISTS;
        assert_int_equal(echo_v1_echo_service_register(&server, &handlers, NULL),
                         PIPIT_ALREADY_EXISTS);
}

static void blocks_are_in_the_order_of_the_methods(void **state)
{
        struct pipit_server server;

        (void)state;
        assert_int_equal(echo_v1_echo_service_register(&server, &handlers, NULL), PIPIT_OK);
        assert_false(notes.blocks[0]);
        assert_true(notes.blocks[1]);
        assert_false(notes.blocks[2]);
}

static void dispatching_calls_the_typed_handler(void **state)
{
        Echo__V1__SleepRequest request = ECHO__V1__SLEEP_REQUEST__INIT;
        struct pipit_server server;
        struct pipit_server_call call;

        (void)state;
        assert_int_equal(echo_v1_echo_service_register(&server, &handlers, NULL), PIPIT_OK);
        assert_true(notes.dispatch[1](notes.handlers, &server, &call, &request.base));
        assert_ptr_equal(slept.self, &server);
        assert_ptr_equal(slept.call, &call);
        assert_ptr_equal(slept.request, &request);
}

static void dispatching_to_a_handler_that_is_null_says_so(void **state)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        struct pipit_server server;
        struct pipit_server_call call;

        (void)state;
        assert_int_equal(echo_v1_echo_service_register(&server, &handlers, NULL), PIPIT_OK);
        assert_false(notes.dispatch[0](notes.handlers, NULL, &call, &request.base));
        assert_false(notes.dispatch[2](notes.handlers, NULL, &call, &request.base));
}

static void a_typed_reply_is_the_message(void **state)
{
        Echo__V1__EchoResponse response = ECHO__V1__ECHO_RESPONSE__INIT;
        struct pipit_server_call call;

        (void)state;
        echo_v1_sleep_reply(&call, &response);
        assert_ptr_equal(notes.call, &call);
        assert_ptr_equal(notes.reply, &response.base);
}

/* --- client ----------------------------------------------------------------- */

static void a_call_names_its_method_and_gives_the_response(void **state)
{
        Echo__V1__FailRequest request = ECHO__V1__FAIL_REQUEST__INIT;
        Echo__V1__EchoResponse response = ECHO__V1__ECHO_RESPONSE__INIT;
        const Echo__V1__EchoResponse *got = NULL;
        struct pipit_channel channel;
        struct pipit_call call = {.timeout_ms = 1};

        (void)state;
        notes.response = &response.base;
        assert_int_equal(echo_v1_fail(&channel, &call, &request, &got), PIPIT_OK);
        assert_ptr_equal(got, &response);
        assert_ptr_equal(notes.client_call, &call);
        assert_ptr_equal(notes.request, &request.base);
        assert_string_equal(notes.method->name, "echo.v1.EchoService/Fail");
}

static void a_call_that_fails_leaves_the_response_untouched(void **state)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        Echo__V1__EchoResponse untouched = ECHO__V1__ECHO_RESPONSE__INIT;
        const Echo__V1__EchoResponse *got = &untouched;
        struct pipit_channel channel;
        struct pipit_call call = {.timeout_ms = 1};

        (void)state;
        notes.status = PIPIT_UNAVAILABLE;
        assert_int_equal(echo_v1_echo(&channel, &call, &request, &got), PIPIT_UNAVAILABLE);
        assert_ptr_equal(got, &untouched);
}

static void a_call_whose_response_nobody_wants_is_fine(void **state)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        Echo__V1__EchoResponse response = ECHO__V1__ECHO_RESPONSE__INIT;
        struct pipit_channel channel;
        struct pipit_call call = {.timeout_ms = 1};

        (void)state;
        notes.response = &response.base;
        assert_int_equal(echo_v1_echo(&channel, &call, &request, NULL), PIPIT_OK);
}

static void a_start_and_its_response_name_the_same_method(void **state)
{
        Echo__V1__SleepRequest request = ECHO__V1__SLEEP_REQUEST__INIT;
        Echo__V1__EchoResponse response = ECHO__V1__ECHO_RESPONSE__INIT;
        struct pipit_channel channel;
        struct pipit_call call = {.timeout_ms = 1};
        const struct pipit_method *method;

        (void)state;
        echo_v1_sleep_start(&channel, &call, &request);
        assert_int_equal(notes.n_starts, 1);
        assert_ptr_equal(notes.request, &request.base);
        method = notes.method;
        assert_string_equal(method->name, "echo.v1.EchoService/Sleep");

        assert_null(echo_v1_sleep_response(&call));
        notes.response = &response.base;
        assert_ptr_equal(echo_v1_sleep_response(&call), &response);
        assert_ptr_equal(notes.method, method);
}

/* --- tables ----------------------------------------------------------------- */

static void methods_know_their_messages_and_effects(void **state)
{
        const struct pipit_service *users = &users_v1_users_service_descriptor;

        (void)state;
        assert_string_equal(users->name, "users.v1.UsersService");
        assert_int_equal(users->n_methods, 5);
        assert_string_equal(users->methods[1].name, "users.v1.UsersService/GetUser");
        assert_string_equal(users->methods[1].full_name, "users_v1_get_user");
        assert_ptr_equal(users->methods[1].request, &users__v1__get_user_request__descriptor);
        assert_ptr_equal(users->methods[1].response, &users__v1__user__descriptor);
        assert_true(users->methods[1].no_side_effects);
        assert_false(users->methods[0].no_side_effects);
        assert_ptr_equal(users->file, &users_v1_users_proto);
        assert_string_equal(grpc_health_v1_health_descriptor.methods[0].name,
                            "grpc.health.v1.Health/Check");
}

static Google__Protobuf__FileDescriptorProto *parse(const struct pipit_file *file)
{
        Google__Protobuf__FileDescriptorProto *parsed =
                google__protobuf__file_descriptor_proto__unpack(NULL, file->n_bytes, file->bytes);

        assert_non_null(parsed);

        return parsed;
}

/* What reflection hands out must be complete: whoever has these files lacks none. */
static void check_file(const struct pipit_file *file)
{
        Google__Protobuf__FileDescriptorProto *parsed = parse(file);

        assert_string_equal(parsed->name, file->name);
        assert_null(parsed->source_code_info);
        assert_int_equal(parsed->n_dependency, file->n_dependencies);
        for (size_t i = 0; i < file->n_dependencies; i++) {
                assert_string_equal(parsed->dependency[i], file->dependencies[i]->name);
                check_file(file->dependencies[i]);
        }
        google__protobuf__file_descriptor_proto__free_unpacked(parsed, NULL);
}

static void every_file_holds_its_descriptor_and_those_that_it_needs(void **state)
{
        static const struct pipit_file *const files[] = {
                &users_v1_users_proto,
                &grpc_health_v1_health_proto,
                &pipit_v1_frame_proto,
                &google_rpc_error_details_proto,
                &google_protobuf_any_proto,
                &google_protobuf_struct_proto,
                &google_protobuf_wrappers_proto,
                &echo_v1_echo_proto,
        };

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(files); i++)
                check_file(files[i]);
        assert_int_equal(users_v1_users_proto.n_dependencies, 3);
}

static void an_embedded_descriptor_keeps_services_and_optional(void **state)
{
        Google__Protobuf__FileDescriptorProto *parsed = parse(&users_v1_users_proto);

        (void)state;
        assert_int_equal(parsed->n_service, 1);
        assert_int_equal(parsed->service[0]->n_method, 5);
        assert_string_equal(parsed->message_type[0]->field[3]->name, "age");
        assert_true(parsed->message_type[0]->field[3]->proto3_optional);
        google__protobuf__file_descriptor_proto__free_unpacked(parsed, NULL);
}

#define TEST(name) cmocka_unit_test_setup(name, forget)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(registering_hands_over_the_tables),
                TEST(registering_passes_on_the_status),
                TEST(blocks_are_in_the_order_of_the_methods),
                TEST(dispatching_calls_the_typed_handler),
                TEST(dispatching_to_a_handler_that_is_null_says_so),
                TEST(a_typed_reply_is_the_message),
                TEST(a_call_names_its_method_and_gives_the_response),
                TEST(a_call_that_fails_leaves_the_response_untouched),
                TEST(a_call_whose_response_nobody_wants_is_fine),
                TEST(a_start_and_its_response_name_the_same_method),
                TEST(methods_know_their_messages_and_effects),
                TEST(every_file_holds_its_descriptor_and_those_that_it_needs),
                TEST(an_embedded_descriptor_keeps_services_and_optional),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
