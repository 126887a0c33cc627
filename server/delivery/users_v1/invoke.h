/*
 * The command-line door of users.v1: one call as JSON, without a socket
 */

#ifndef SERVER_DELIVERY_USERS_V1_INVOKE_H
#define SERVER_DELIVERY_USERS_V1_INVOKE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/users/ports.h"

struct users_v1_invoke_options {
        const char *method;    /* "CreateUser", or "users.v1.UsersService/CreateUser" */
        const char *principal; /* who runs it: "uid:1000" */
        uint32_t timeout_ms;   /* from when the request has been read */
        int input_fd;          /* the request, as one JSON value */
        FILE *output;          /* the response, as JSON */
        FILE *errors;          /* a google.rpc.Status as JSON, or what is wrong with the input */
};

/* Before a store is opened for it: whether there is such a method; if not, @errors is told which there are. */
bool users_v1_invoke_check(const char *method, FILE *errors);

/*
 * Runs one call of users.v1.UsersService to its end. Returns what `pipit call`
 * would exit with: 0, 2 for a method or JSON that cannot be read, 64 + status.
 */
int users_v1_invoke(const struct users_ports *ports, const struct users_v1_invoke_options *options);

#endif
