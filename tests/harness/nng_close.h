/*
 * Closing a socket of nng's in a test
 */

#ifndef TESTS_HARNESS_NNG_CLOSE_H
#define TESTS_HARNESS_NNG_CLOSE_H

#include <nng/nng.h>
#include <stdbool.h>

/*
 * nng_close(), for five seconds at most. False: it still goes on, in a thread of
 * its own, and will do so for ever: nng 1.5 waits for a pipe that was closed
 * between the head and the body of a message that it was receiving. Whatever
 * the socket's callbacks use must then stay where it is.
 */
bool nng_close_within_bound(nng_socket socket);

#endif
