/*
 * Interrupt: SIGINT, SIGTERM and SIGHUP end a run of scenarios, but not before its cleanup
 *
 * The first of them is kept, and told on stderr; what runs is to look for it and to
 * end. The second ends the process as it would have without this. Of the process, so
 * one run at a time.
 */

#ifndef TOOLS_CLI_SCENARIO_INTERRUPT_H
#define TOOLS_CLI_SCENARIO_INTERRUPT_H

#include <stdbool.h>

#include "core/base/macros.h"

/* From here on. A signal that is ignored stays so. False: errno says why. */
PIPIT_MUST_CHECK bool scenario_interrupt_watch(void);

/* Readable for good once there was one; -1, of which poll(2) knows nothing, without watch. */
int scenario_interrupt_fd(void);

/* "SIGINT"; NULL: there was none. */
const char *scenario_interrupt_name(void);

/* Ends the process by the signal that was kept. Returns if there was none. */
void scenario_interrupt_pass_on(void);

#endif
