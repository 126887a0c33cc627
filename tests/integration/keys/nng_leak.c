/*
 * For the tests that make a listener of nng's deaf, or leave while answers come in
 *
 * nng 1.5 never frees a listener that it has given up, nor the connections that
 * were in their handshake there, nor a dialer that is closed as it dials. Its library has no symbols, so all of it is
 * named; what we ask of nng in other tests is watched there.
 */

#include <pipit/macros.h>

PIPIT_PUBLIC const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
        return "leak:libnng.so\n";
}
