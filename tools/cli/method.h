/*
 * What a user calls a method -> the method
 *
 * Four forms:
 *
 *   users.v1.UsersService/GetUser       the name on the wire
 *   users.v1.UsersService.GetUser       the same, as a .proto would write it
 *   GetUser, UsersService/GetUser       the end of it, as long as only one ends so
 *   my-namespace.users->get-user        the friendly one
 *
 * In the friendly form the last word before the arrow names the service: it is
 * the service's name ("users-service"), that without "service" ("users"), or
 * the last word of its package that is no version ("users" of users.v1), all in
 * kebab-case. What stands before that word says where a service runs, not what
 * it is; where several services fit, it decides for the one whose package it
 * is. The full name of a service will do, too. After the arrow is the method's
 * name in kebab-case.
 */

#ifndef TOOLS_CLI_METHOD_H
#define TOOLS_CLI_METHOD_H

#include "core/base/arena.h"
#include "core/json/schema.h"

/*
 * The first @n_own services of @schema go before the others (cli_server.n_own).
 * NULL: *ret_problem, in @arena, says what is wrong and what would be right:
 * the nearest name, or all of the names that fit.
 */
const struct pipit_method *cli_method_find(const struct pipit_schema *schema,
                                           size_t n_own,
                                           const char *name,
                                           struct pipit_arena *arena,
                                           const char **ret_problem);

#endif
