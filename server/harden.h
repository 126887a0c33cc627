/*
 * Harden: what keeps a process's memory its own
 *
 * Keys and passwords of stores lie in it. So it leaves no core dump, and nobody but root
 * reads it through /proc or a debugger, whatever uid he has.
 */

#ifndef SERVER_HARDEN_H
#define SERVER_HARDEN_H

#include "core/base/log.h"

/* Before there is anything to be read. What cannot be done is logged. */
void harden_process(struct pipit_log *log);

#endif
