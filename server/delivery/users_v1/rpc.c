#include "server/delivery/users_v1/rpc.h"

#include "core/base/macros.h"
#include "server/delivery/users_v1/operation.h"
#include "users/v1/users.pipit.h"

/* One call in flight: lives in the call's own memory. */
struct rpc_operation {
        struct users_v1_operation base;
        struct pipit_server_call *call;
};

static void rpc_done(struct users_v1_operation *operation,
                     const ProtobufCMessage *response,
                     const struct pipit_error *error)
{
        struct rpc_operation *rpc = pipit_container_of(operation, struct rpc_operation, base);

        if (response)
                pipit_server_call_reply(rpc->call, response);
        else
                pipit_server_call_fail(rpc->call, error);
}

static void *rpc_alloc(struct users_v1_operation *operation, size_t n_bytes)
{
        struct rpc_operation *rpc = pipit_container_of(operation, struct rpc_operation, base);

        return pipit_server_call_alloc(rpc->call, n_bytes);
}

/* NULL: out of memory, and the call has been answered. */
static struct users_v1_operation *rpc_operation_new(void *self, struct pipit_server_call *call)
{
        struct rpc_operation *rpc = pipit_server_call_alloc(call, sizeof(*rpc));

        if (!rpc) {
                struct pipit_error error =
                        pipit_error_make(PIPIT_RESOURCE_EXHAUSTED,
                                         PIPIT_NOT_RUN,
                                         "OUT_OF_MEMORY",
                                         "the server is out of memory for this call");

                pipit_server_call_fail(call, &error);
                return NULL;
        }

        rpc->call = call;
        rpc->base.ports = self;
        rpc->base.principal = pipit_server_call_principal(call);
        rpc->base.deadline_us = pipit_server_call_deadline_us(call);
        rpc->base.cancelled = pipit_server_call_cancelled_flag(call);
        rpc->base.alloc = rpc_alloc;
        rpc->base.done = rpc_done;

        return &rpc->base;
}

static void handle_create_user(void *self,
                               struct pipit_server_call *call,
                               const Users__V1__CreateUserRequest *request)
{
        struct users_v1_operation *operation = rpc_operation_new(self, call);

        if (operation)
                users_v1_create_user_run(operation, request);
}

static void handle_get_user(void *self,
                            struct pipit_server_call *call,
                            const Users__V1__GetUserRequest *request)
{
        struct users_v1_operation *operation = rpc_operation_new(self, call);

        if (operation)
                users_v1_get_user_run(operation, request);
}

static void handle_update_user(void *self,
                               struct pipit_server_call *call,
                               const Users__V1__UpdateUserRequest *request)
{
        struct users_v1_operation *operation = rpc_operation_new(self, call);

        if (operation)
                users_v1_update_user_run(operation, request);
}

static void handle_delete_user(void *self,
                               struct pipit_server_call *call,
                               const Users__V1__DeleteUserRequest *request)
{
        struct users_v1_operation *operation = rpc_operation_new(self, call);

        if (operation)
                users_v1_delete_user_run(operation, request);
}

static void handle_list_users(void *self,
                              struct pipit_server_call *call,
                              const Users__V1__ListUsersRequest *request)
{
        struct users_v1_operation *operation = rpc_operation_new(self, call);

        if (operation)
                users_v1_list_users_run(operation, request);
}

static const struct users_v1_users_service handlers = {
        .create_user = handle_create_user,
        .get_user = handle_get_user,
        .update_user = handle_update_user,
        .delete_user = handle_delete_user,
        .list_users = handle_list_users,
};

enum pipit_status users_v1_rpc_register(struct pipit_server *server,
                                        const struct users_ports *ports)
{
        return users_v1_users_service_register(server, &handlers, (void *)ports);
}
