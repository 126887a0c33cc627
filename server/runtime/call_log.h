/*
 * Call log: one line a call, as an interceptor
 */

#ifndef SERVER_RUNTIME_CALL_LOG_H
#define SERVER_RUNTIME_CALL_LOG_H

#include <pipit/server.h>

struct call_log {
        struct pipit_server_interceptor interceptor;
        struct pipit_log *log;
};

void call_log_init(struct call_log *call_log, struct pipit_log *log);

#endif
