#include "server/runtime/admin.h"

#include "core/base/clock.h"
#include "pipit/v1/admin.pipit.h"
#include "server/runtime/runtime.h"

static Pipit__V1__Transport transport_of(const struct principal *principal)
{
        switch (principal->kind) {
        case PIPIT_ACCESS_INPROC:
                return PIPIT__V1__TRANSPORT__TRANSPORT_INPROC;
        case PIPIT_ACCESS_UID:
                return PIPIT__V1__TRANSPORT__TRANSPORT_IPC;
        case PIPIT_ACCESS_KEY:
        case PIPIT_ACCESS_ANONYMOUS:
                break;
        }

        return PIPIT__V1__TRANSPORT__TRANSPORT_TCP;
}

/* False: out of memory. */
static bool fill_roles(struct pipit_server_call *call, Pipit__V1__WhoAmIResponse *response)
{
        const struct pipit_grants *grants = call->frame->standing->grants;
        const char **roles;
        size_t n_roles = 0;

        while (pipit_grants_role(grants, n_roles))
                ++n_roles;
        roles = pipit_server_call_alloc(call, (n_roles + 1) * sizeof(*roles));
        if (!roles)
                return false;

        for (size_t i = 0; i < n_roles; ++i)
                roles[i] = pipit_grants_role(grants, i);
        /* protobuf-c's strings are not const; these are only read. */
        response->roles = (char **)(uintptr_t)roles;
        response->n_roles = n_roles;

        return true;
}

static void handle_who_am_i(void *self,
                            struct pipit_server_call *call,
                            const Pipit__V1__WhoAmIRequest *request)
{
        const struct frame *frame = call->frame;
        Pipit__V1__WhoAmIResponse response = PIPIT__V1__WHO_AM_IRESPONSE__INIT;
        Google__Protobuf__Timestamp expires = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        Google__Protobuf__Duration age = GOOGLE__PROTOBUF__DURATION__INIT;

        (void)self;
        (void)request;
        if (!fill_roles(call, &response)) {
                call_fail_with(call, RUNTIME_ERROR_OUT_OF_MEMORY);
                return;
        }

        response.principal = (char *)(uintptr_t)frame->principal->name;
        response.transport = transport_of(frame->principal);
        if (frame->standing->expires_us != INT64_MAX) {
                expires.seconds = frame->standing->expires_us / PIPIT_US_PER_S;
                response.key_expire_time = &expires;
        }
        if (frame->session_begun_us > 0) {
                int64_t age_us = sealed_now_us(frame->server->sealed) - frame->session_begun_us;

                age.seconds = age_us / PIPIT_US_PER_S;
                age.nanos = (int32_t)(age_us % PIPIT_US_PER_S * 1000);
                response.session_age = &age;
        }
        pipit_v1_who_am_i_reply(call, &response);
}

static const struct pipit_v1_admin handlers = {
        .who_am_i = handle_who_am_i,
};

enum pipit_status admin_register(struct pipit_server *server)
{
        return pipit_v1_admin_register(server, &handlers, NULL);
}
