/*
 * For tests that break connections under traffic
 *
 * The peer here is a bare REP socket of nng's. nng 1.5 loses a message that it
 * hands to a pipe which is just being closed, and never frees a listener that a
 * connection has deafened by closing in its handshake, nor what waited there.
 * Its library has no symbols, so all of it is named.
 */

#include <pipit/macros.h>

PIPIT_PUBLIC const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
        return "leak:req_message_new\n"
               "leak:libnng.so\n";
}
