/* Written by protoc-gen-pipit from shop/v1/cart.proto: changes made here are lost. */

#ifndef SHOP_V1_CART_PIPIT_H
#define SHOP_V1_CART_PIPIT_H

#include <pipit/client.h>
#include <pipit/server.h>
#include <stdbool.h>

#include "shop/v1/cart.pb-c.h"
#include "shop/v1/item.pb-c.h"
#include "stock/v2/stock.pb-c.h"

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file shop_v1_cart_proto;

/* --- shop.v1.CartService --- */

extern const struct pipit_service shop_v1_cart_service_descriptor;

/* --- shop.v1.CartService: server --- */

/*
 * Handlers of shop.v1.CartService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct shop_v1_cart_service {
        void (*get_cart)(void *self,
                         struct pipit_server_call *call,
                         const Shop__V1__Item *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool get_cart;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status shop_v1_cart_service_register(struct pipit_server *server,
                                                const struct shop_v1_cart_service *handlers,
                                                void *self);

void shop_v1_get_cart_reply(struct pipit_server_call *call, const Shop__V1__Cart *response);

/* --- shop.v1.CartService: client --- */

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
enum pipit_status shop_v1_get_cart(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Shop__V1__Item *request,
                                   const Shop__V1__Cart **ret_response);
void shop_v1_get_cart_start(struct pipit_channel *channel,
                            struct pipit_call *call,
                            const Shop__V1__Item *request);
const Shop__V1__Cart *shop_v1_get_cart_response(const struct pipit_call *call);

/* --- shop.v1.CheckoutService --- */

extern const struct pipit_service shop_v1_checkout_service_descriptor;

/* --- shop.v1.CheckoutService: server --- */

/*
 * Handlers of shop.v1.CheckoutService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct shop_v1_checkout_service {
        void (*pay)(void *self, struct pipit_server_call *call, const Shop__V1__Cart *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool pay;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status shop_v1_checkout_service_register(
                struct pipit_server *server,
                const struct shop_v1_checkout_service *handlers,
                void *self);

void shop_v1_pay_reply(struct pipit_server_call *call, const Stock__V2__Warehouse *response);

/* --- shop.v1.CheckoutService: client --- */

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
enum pipit_status shop_v1_pay(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Shop__V1__Cart *request,
                              const Stock__V2__Warehouse **ret_response);
void shop_v1_pay_start(struct pipit_channel *channel,
                       struct pipit_call *call,
                       const Shop__V1__Cart *request);
const Stock__V2__Warehouse *shop_v1_pay_response(const struct pipit_call *call);

PIPIT_END_DECLS

#endif
