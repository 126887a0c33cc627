#include "tools/cli/scenario/problems.h"

#include <stdarg.h>
#include <string.h>

#include "core/json/nearest.h"
#include "tools/cli/terminal.h"

/* Whether @a comes after @b in their file. */
static bool is_after(const struct scenario_place *a, const struct scenario_place *b)
{
        if (!a->file || !b->file || strcmp(a->file, b->file) != 0)
                return false;
        if (a->line != b->line)
                return a->line > b->line;

        return a->column > b->column;
}

static bool is_same(const struct scenario_problem *a, const struct scenario_problem *b)
{
        return !is_after(&a->place, &b->place) && !is_after(&b->place, &a->place) &&
               a->place.file == b->place.file && strcmp(a->text, b->text) == 0;
}

static void insert(struct scenario_problems *problems, struct scenario_problem *problem)
{
        struct scenario_problem **at = &problems->first;

        for (struct scenario_problem *other = problems->first; other; other = other->next) {
                if (is_same(other, problem))
                        return;
        }

        while (*at && !is_after(&(*at)->place, &problem->place))
                at = &(*at)->next;
        problem->next = *at;
        *at = problem;
        problems->n++;
}

void scenario_problems_add(struct scenario_problems *problems,
                           const struct scenario_place *place,
                           const char *format,
                           ...)
{
        struct scenario_problem *problem = pipit_arena_zalloc(problems->arena, sizeof(*problem));
        char text[1024];
        va_list list;

        va_start(list, format);
        (void)vsnprintf(text, sizeof(text), format, list);
        va_end(list);

        if (problem)
                problem->text = pipit_arena_strdup(problems->arena, text);
        if (!problem || !problem->text) {
                problems->out_of_memory = true;
                return;
        }

        problem->place = *place;
        insert(problems, problem);
}

void scenario_problems_add_unknown(struct scenario_problems *problems,
                                   const struct scenario_place *place,
                                   const char *what,
                                   const char *name,
                                   const char *where,
                                   const char *const *names)
{
        struct pipit_nearest nearest = {.wanted = name};

        for (size_t i = 0; names[i]; i++)
                pipit_nearest_consider(&nearest, names[i]);

        if (nearest.name)
                scenario_problems_add(problems,
                                      place,
                                      "there is no %s '%s' %s; did you mean %s?",
                                      what,
                                      name,
                                      where,
                                      nearest.name);
        else
                scenario_problems_add(problems, place, "there is no %s '%s' %s", what, name, where);
}

bool scenario_problems_any(const struct scenario_problems *problems)
{
        return problems->n > 0 || problems->out_of_memory;
}

void scenario_problems_print(const struct scenario_problems *problems, FILE *file)
{
        for (const struct scenario_problem *problem = problems->first; problem;
             problem = problem->next) {
                (void)fputs("pipit: ", file);
                if (problem->place.file)
                        cli_print_safe(file, problem->place.file);
                if (problem->place.line > 0)
                        (void)fprintf(file, ":%zu:%zu", problem->place.line, problem->place.column);
                (void)fputs(problem->place.file ? ": " : "", file);
                cli_print_safe(file, problem->text);
                (void)fputc('\n', file);
        }

        if (problems->out_of_memory)
                (void)fputs("pipit: out of memory\n", file);
}
