#include "server/runtime/health.h"

#include "grpc/health/v1/health.pipit.h"
#include "server/runtime/call.h"

static void handle_check(void *self,
                         struct pipit_server_call *call,
                         const Grpc__Health__V1__HealthCheckRequest *request)
{
        struct pipit_server *server = self;
        Grpc__Health__V1__HealthCheckResponse response =
                GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

        if (request->service[0] != '\0' && !server_has_service(server, request->service)) {
                call_fail_with(call, RUNTIME_ERROR_SERVICE_UNKNOWN);
                return;
        }

        response.status =
                server_is_draining(server)
                        ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
                        : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
        grpc_health_v1_check_reply(call, &response);
}

static const struct grpc_health_v1_health handlers = {
        .check = handle_check,
};

enum pipit_status health_register(struct pipit_server *server)
{
        return grpc_health_v1_health_register(server, &handlers, server);
}
