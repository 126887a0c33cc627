/*
 * A program that only calls links without the server's library: this one has
 * what generated client code needs of the runtime, and nothing else.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/macros.h"
#include "echo/v1/echo.pipit.h"

static size_t n_calls;

enum pipit_status pipit_channel_call(struct pipit_channel *channel PIPIT_UNUSED,
                                     struct pipit_call *call PIPIT_UNUSED,
                                     const struct pipit_method *method PIPIT_UNUSED,
                                     const ProtobufCMessage *request PIPIT_UNUSED,
                                     const ProtobufCMessage **ret_response PIPIT_UNUSED)
{
        n_calls++;

        return PIPIT_UNAVAILABLE;
}

void pipit_channel_start(struct pipit_channel *channel PIPIT_UNUSED,
                         struct pipit_call *call PIPIT_UNUSED,
                         const struct pipit_method *method PIPIT_UNUSED,
                         const ProtobufCMessage *request PIPIT_UNUSED)
{
        n_calls++;
}

const ProtobufCMessage *pipit_call_response(const struct pipit_call *call PIPIT_UNUSED,
                                            const struct pipit_method *method PIPIT_UNUSED)
{
        return NULL;
}

static void a_program_that_only_calls_needs_no_server(void **state)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        const Echo__V1__EchoResponse *response = NULL;
        struct pipit_call call = {.timeout_ms = 1};

        (void)state;
        assert_int_equal(echo_v1_echo(NULL, &call, &request, &response), PIPIT_UNAVAILABLE);
        echo_v1_echo_start(NULL, &call, &request);
        assert_null(echo_v1_echo_response(&call));
        assert_int_equal(n_calls, 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_program_that_only_calls_needs_no_server),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
