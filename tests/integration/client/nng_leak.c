/*
 * nng 1.5 never frees a connection that is in its handshake when its listener is
 * closed, nor the listener: of the peer, that is, since the client uses nng for
 * inproc alone. Its library has no symbols, so all of it is named.
 */

#include <pipit/macros.h>

PIPIT_PUBLIC const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
        return "leak:libnng.so\n";
}
