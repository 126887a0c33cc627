/*
 * The command-line door of users.v1: one call as JSON, without a socket
 */

#ifndef SERVER_DELIVERY_USERS_V1_INVOKE_H
#define SERVER_DELIVERY_USERS_V1_INVOKE_H

#include <stdio.h>

#include "core/users/ports.h"

struct users_v1_invoke_options {
        const char *method;    /* "CreateUser", or "users.v1.UsersService/CreateUser" */
        const char *principal; /* who runs it: "uid:1000" */
        uint32_t timeout_ms;
        FILE *input;  /* the request, as one JSON value */
        FILE *output; /* the response, as JSON */
        FILE *errors; /* a google.rpc.Status as JSON, or what is wrong with the input */
};

/*
 * Runs one call of users.v1.UsersService to its end. Returns what `pipit call`
 * would exit with: 0, 2 for a method or JSON that cannot be read, 64 + status.
 */
int users_v1_invoke(const struct users_ports *ports, const struct users_v1_invoke_options *options);

/* The methods' names, in order; NULL past the last. */
const char *users_v1_invoke_method(size_t index);

#endif
