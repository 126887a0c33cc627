#include "tools/cli/ask.h"

#include "tools/cli/channel.h"
#include "tools/cli/output.h"
#include "tools/cli/report.h"

void cli_ask_run(struct cli_arguments *arguments,
                 const struct cli_server *server,
                 struct cli_dynamic_call *call)
{
        call->timeout_ms = arguments->options.timeout_ms;
        call->wait_for_ready = arguments->options.wait_for_ready;
        call->style = cli_output_style(arguments);
        /* A status that is 0, or no roles: that is an answer, too, and has to be seen. */
        call->style.defaults = true;

        (void)cli_dynamic_call_run(call, server);
}

int cli_ask_tell(struct cli_arguments *arguments,
                 const struct cli_server *server,
                 struct cli_dynamic_call *call)
{
        cli_print_call(arguments, call);
        if (call->error.status == PIPIT_OK)
                return cli_print_data(arguments, call->response);

        cli_channel_explain(arguments, &arguments->arena, server->target, &call->error);

        return cli_print_error(arguments, &call->error, cli_dynamic_call_peer(call));
}

int cli_ask(struct cli_arguments *arguments,
            const struct cli_server *server,
            struct cli_dynamic_call *call)
{
        cli_ask_run(arguments, server, call);
        return cli_ask_tell(arguments, server, call);
}
