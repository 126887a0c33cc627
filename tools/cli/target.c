#include "tools/cli/target.h"

#include <string.h>

#include "client/target.h"
#include "tools/cli/suggestion.h"

/* Within a path of ipc one may stand. */
static bool begins_with_blank(const char *url)
{
        return *url != '\0' && strchr(" \t\r\n", *url);
}

static bool has_scheme(const char *url)
{
        return strncmp(url, "ipc://", 6) == 0 || strncmp(url, "tcp://", 6) == 0;
}

/* The library knows a scheme more than what leads out of this process. */
static const char *problem_of(const char *url, bool insecure_plaintext)
{
        struct target_address address;

        if (begins_with_blank(url))
                return "it begins with a blank; several addresses have a comma between them, and "
                       "nothing else";
        if (strncmp(url, "inproc://", 9) == 0)
                return "inproc:// is within one process, and the server is in another: it listens "
                       "at ipc:// or tcp://";
        if (!has_scheme(url))
                return "the scheme is neither ipc nor tcp";

        return target_parse_url(url, strlen(url), insecure_plaintext, &address);
}

static const char *url_problem(struct pipit_arena *arena, bool insecure_plaintext, const char *url)
{
        const char *problem = problem_of(url, insecure_plaintext), *told;
        const char *near = problem ? cli_suggest_url(arena, url) : NULL;

        if (!problem)
                return NULL;

        if (begins_with_blank(url))
                told = pipit_arena_printf(arena, "'%s': %s", url, problem);
        else
                told = pipit_arena_printf(arena,
                                          "%s: %s%s%s%s",
                                          url,
                                          problem,
                                          near ? "; did you mean " : "",
                                          near ? near : "",
                                          near ? "?" : "");
        return told ? told : "out of memory";
}

static const char *missing(struct pipit_arena *arena, const char *target)
{
        const char *told =
                target[0] ? pipit_arena_printf(
                                    arena, "'%s': there is no address beside a comma", target)
                          : "the target is empty";

        return told ? told : "out of memory";
}

const char *cli_target_problem(struct pipit_arena *arena,
                               bool insecure_plaintext,
                               const char *target)
{
        const char *problem = NULL;

        for (const char *at = target; !problem; at++) {
                size_t n_url = strcspn(at, ",");
                const char *url = pipit_arena_strndup(arena, at, n_url);

                if (!url)
                        problem = "out of memory";
                else if (n_url == 0)
                        problem = missing(arena, target);
                else
                        problem = url_problem(arena, insecure_plaintext, url);
                at += n_url;
                if (*at == '\0')
                        break;
        }

        return problem;
}
