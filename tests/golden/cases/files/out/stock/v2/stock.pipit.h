/* Written by protoc-gen-pipit from stock/v2/stock.proto: changes made here are lost. */

#ifndef STOCK_V2_STOCK_PIPIT_H
#define STOCK_V2_STOCK_PIPIT_H

#include <pipit/client.h>
#include <pipit/server.h>
#include <stdbool.h>

#include "shop/v1/item.pb-c.h"
#include "stock/v2/stock.pb-c.h"

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file stock_v2_stock_proto;

/* --- stock.v2.StockService --- */

extern const struct pipit_service stock_v2_stock_service_descriptor;

/* --- stock.v2.StockService: server --- */

/*
 * Handlers of stock.v2.StockService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct stock_v2_stock_service {
        void (*get_item)(void *self,
                         struct pipit_server_call *call,
                         const Shop__V1__Item *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool get_item;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status stock_v2_stock_service_register(struct pipit_server *server,
                                                  const struct stock_v2_stock_service *handlers,
                                                  void *self);

void stock_v2_get_item_reply(struct pipit_server_call *call, const Stock__V2__Item *response);

/* --- stock.v2.StockService: client --- */

/*
 * Of each method there are three functions. The first blocks until the reply or
 * the call's timeout; *ret_response (may be NULL) then lives in @call until its
 * reset, and is untouched on failure, of which pipit_call_error() tells all.
 *
 * _start() returns at once, and call->done() runs exactly once, on any thread.
 * _response() is the response of a finished call, or NULL: it failed, or was of
 * another method.
 */

PIPIT_MUST_CHECK
enum pipit_status stock_v2_get_item(struct pipit_channel *channel,
                                    struct pipit_call *call,
                                    const Shop__V1__Item *request,
                                    const Stock__V2__Item **ret_response);
void stock_v2_get_item_start(struct pipit_channel *channel,
                             struct pipit_call *call,
                             const Shop__V1__Item *request);
const Stock__V2__Item *stock_v2_get_item_response(const struct pipit_call *call);

PIPIT_END_DECLS

#endif
