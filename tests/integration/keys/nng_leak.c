/*
 * For tests that break connections under traffic, with a client and a server in
 * one process: nng 1.5 loses a message that it hands to a pipe which is just being
 * closed, and nothing outside nng has a pointer to it.
 */

#include <pipit/macros.h>

PIPIT_PUBLIC const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
        return "leak:rep_message_new\n";
}
