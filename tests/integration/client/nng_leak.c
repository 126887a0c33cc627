/*
 * For tests that break connections under traffic
 *
 * nng 1.5 loses a message that it hands to a pipe which is just being closed: the
 * pipe's send begins no more, and nobody frees what it was to send. It is one
 * frame a broken connection at most, and nothing outside nng has a pointer to it.
 */

#include <pipit/macros.h>

PIPIT_PUBLIC const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
        return "leak:req_message_new\n";
}
