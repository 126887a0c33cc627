#include "server/harden.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "core/base/macros.h"

/* LeakSanitizer looks at its own process as a debugger does, and ends it if it may not. */
#define HARDEN_SANITIZED (PIPIT_ADDRESS_SANITIZER || PIPIT_THREAD_SANITIZER)

static void log_failure(struct pipit_log *log, const char *what)
{
        pipit_log_line(log,
                       PIPIT_LOG_WARNING,
                       "the memory of this process may be read",
                       PIPIT_LOG_STRING("by", what),
                       PIPIT_LOG_STRING("error", strerror(errno)));
}

void harden_process(struct pipit_log *log)
{
        const struct rlimit none = {0};

        if (setrlimit(RLIMIT_CORE, &none) < 0)
                log_failure(log, "core dumps");

        if (HARDEN_SANITIZED)
                pipit_log_line(log,
                               PIPIT_LOG_WARNING,
                               "the memory of this process may be read",
                               PIPIT_LOG_STRING("by", "debuggers, for it is a sanitizer's build"));
        else if (prctl(PR_SET_DUMPABLE, 0) < 0)
                log_failure(log, "debuggers");
}
