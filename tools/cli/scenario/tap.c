#include "tools/cli/scenario/tap.h"

#include <string.h>

#include "core/base/utf8.h"
#include "core/json/writer.h"

/* --- texts ------------------------------------------------------------------------------ */

/* On one line, and nothing that a terminal obeys; what begins a directive is escaped. */
static void print_description(FILE *file, const char *text)
{
        size_t n_left = strlen(text);

        while (n_left > 0) {
                uint32_t code_point;
                size_t n = pipit_utf8_decode((const uint8_t *)text, n_left, &code_point);

                if (n == 0 || pipit_utf8_is_control(code_point)) {
                        (void)fputc(' ', file);
                        n = n > 0 ? n : 1;
                } else {
                        if (*text == '#' || *text == '\\')
                                (void)fputc('\\', file);
                        (void)fwrite(text, 1, n, file);
                }
                text += n;
                n_left -= n;
        }
}

/* As JSON, which is YAML. */
static void print_string(FILE *file, const char *text)
{
        struct pipit_arena arena = {0};
        struct pipit_json_writer writer = {.arena = &arena};
        const char *json;

        pipit_json_writer_string(&writer, text, strlen(text));
        json = pipit_json_writer_finish(&writer);
        (void)fputs(json ? json : "\"\"", file);
        pipit_arena_deinit(&arena);
}

/* --- failures --------------------------------------------------------------------------- */

static void print_text(FILE *file, const char *key, const char *text)
{
        if (!text)
                return;
        (void)fprintf(file, "      %s: ", key);
        print_string(file, text);
        (void)fputc('\n', file);
}

static void print_json(FILE *file, const char *key, const char *json)
{
        if (json)
                (void)fprintf(file, "      %s: %s\n", key, json);
}

static void print_failure(FILE *file, const struct scenario_failure *failure)
{
        char place[512];

        (void)snprintf(place,
                       sizeof(place),
                       "%s:%zu:%zu",
                       failure->place.file ? failure->place.file : "",
                       failure->place.line,
                       failure->place.column);
        (void)fputs("    - at: ", file);
        print_string(file, place);
        (void)fputc('\n', file);
        print_text(file, "step", failure->step);
        print_text(file, "call", failure->call);
        print_json(file, "index", failure->index);
        print_text(file, "problem", failure->problem);
        print_text(file, "path", failure->path);
        print_json(file, "expected", failure->expected);
        print_json(file, "got", failure->path && !failure->got ? "null" : failure->got);
        print_json(file, "reply", failure->reply);
}

static void print_failures(FILE *file, const struct scenario_failures *failures)
{
        size_t n_shown = 0;

        (void)fputs("  ---\n  failures:\n", file);
        for (const struct scenario_failure *failure = failures->first; failure;
             failure = failure->next) {
                print_failure(file, failure);
                n_shown++;
        }
        if (n_shown < failures->n)
                (void)fprintf(file, "  not_shown: %zu\n", failures->n - n_shown);
        (void)fputs("  ...\n", file);
}

/* --- the lines ---------------------------------------------------------------------------- */

static void flush(struct scenario_tap *tap)
{
        if (fflush(tap->file) != 0 || ferror(tap->file))
                tap->is_broken = true;
}

void scenario_tap_begin(struct scenario_tap *tap, size_t n_points)
{
        (void)fprintf(tap->file, "TAP version 14\n1..%zu\n", n_points);
        flush(tap);
}

void scenario_tap_comment(struct scenario_tap *tap, const char *text)
{
        (void)fputs("# ", tap->file);
        print_description(tap->file, text);
        (void)fputc('\n', tap->file);
}

void scenario_tap_point(struct scenario_tap *tap,
                        const char *name,
                        const struct scenario_failures *failures)
{
        bool ok = failures->n == 0;

        if (ok)
                tap->n_passed++;
        else
                tap->n_failed++;
        (void)fprintf(tap->file, "%s %zu - ", ok ? "ok" : "not ok", tap->n_passed + tap->n_failed);
        print_description(tap->file, name);
        (void)fputc('\n', tap->file);
        if (!ok)
                print_failures(tap->file, failures);
        flush(tap);
}

void scenario_tap_bail_out(struct scenario_tap *tap, const char *why)
{
        (void)fputs("Bail out! ", tap->file);
        print_description(tap->file, why);
        (void)fputc('\n', tap->file);
}

void scenario_tap_end(struct scenario_tap *tap)
{
        (void)fprintf(tap->file, "%zu passed, %zu failed\n", tap->n_passed, tap->n_failed);
}
