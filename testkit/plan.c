#include <stdlib.h>
#include <string.h>

#include "testkit/relay.h"

static bool is_failure(enum pipit_test_fault_kind kind)
{
        return kind == PIPIT_TEST_FAIL_BEFORE || kind == PIPIT_TEST_FAIL_AFTER;
}

/* False: out of memory. */
static bool own(const char **text)
{
        if (!*text)
                return true;
        *text = strdup(*text);

        return *text != NULL;
}

static struct rule *rule_free(struct rule *rule)
{
        free((char *)(uintptr_t)rule->fault.method);
        free((char *)(uintptr_t)rule->fault.error.reason);
        free((char *)(uintptr_t)rule->fault.error.domain);
        free((char *)(uintptr_t)rule->fault.error.message);
        free(rule);

        return NULL;
}

static struct rule *rule_new(const struct pipit_test_fault *fault)
{
        struct rule *rule = calloc(1, sizeof(*rule));
        bool is_whole;

        if (!rule)
                return NULL;
        rule->fault = *fault;
        rule->fault.error.violations = NULL;
        rule->fault.error.n_violations = 0;
        if (rule->fault.first == 0)
                rule->fault.first = 1;

        /* All of them: what fails is NULL and can be freed. */
        is_whole = own(&rule->fault.method);
        is_whole = own(&rule->fault.error.reason) && is_whole;
        is_whole = own(&rule->fault.error.domain) && is_whole;
        is_whole = own(&rule->fault.error.message) && is_whole;

        return is_whole ? rule : rule_free(rule);
}

enum pipit_status plan_add(struct plan *plan, const struct pipit_test_fault *fault)
{
        struct rule **at = &plan->rules;
        struct rule *rule;

        if (is_failure(fault->kind) &&
            (fault->error.status == PIPIT_OK || fault->error.status > PIPIT_STATUS_MAX))
                return PIPIT_INVALID_ARGUMENT;
        rule = rule_new(fault);
        if (!rule)
                return PIPIT_RESOURCE_EXHAUSTED;
        while (*at)
                at = &(*at)->next;
        *at = rule;

        return PIPIT_OK;
}

void plan_clear(struct plan *plan)
{
        for (struct rule *rule = plan->rules; rule; rule = rule->next)
                rule->is_cleared = true;
}

void plan_deinit(struct plan *plan)
{
        while (plan->rules) {
                struct rule *rule = plan->rules;

                plan->rules = rule->next;
                rule_free(rule);
        }
        while (plan->marks) {
                struct mark *mark = plan->marks;

                plan->marks = mark->next;
                free(mark);
        }
}

static bool is_for(const struct rule *rule, const uint8_t *method, size_t n_method)
{
        const char *wanted = rule->fault.method;

        if (rule->is_cleared)
                return false;

        return !wanted || (strlen(wanted) == n_method && memcmp(wanted, method, n_method) == 0);
}

static bool is_due(const struct rule *rule)
{
        uint64_t first = rule->fault.first;

        if (rule->n_met < first)
                return false;

        return rule->fault.count == 0 || rule->n_met < first + rule->fault.count;
}

struct rule *plan_meet(struct plan *plan, const uint8_t *method, size_t n_method)
{
        struct rule *met = NULL;

        for (struct rule *rule = plan->rules; rule; rule = rule->next) {
                if (!is_for(rule, method, n_method))
                        continue;
                rule->n_met++;
                if (!met && is_due(rule))
                        met = rule;
        }
        if (met)
                plan->n_befallen++;

        return met;
}

bool plan_mark(struct plan *plan, const uint8_t *client, uint64_t id, struct rule *rule)
{
        struct mark *mark = calloc(1, sizeof(*mark));

        if (!mark)
                return false;
        memcpy(mark->client, client, sizeof(mark->client));
        mark->id = id;
        mark->rule = rule;
        mark->next = plan->marks;
        plan->marks = mark;

        return true;
}

struct rule *plan_unmark(struct plan *plan, const uint8_t *client, uint64_t id)
{
        for (struct mark **at = &plan->marks; *at; at = &(*at)->next) {
                struct mark *mark = *at;
                struct rule *rule = mark->rule;

                if (mark->id != id || memcmp(mark->client, client, sizeof(mark->client)) != 0)
                        continue;
                *at = mark->next;
                free(mark);
                return rule;
        }

        return NULL;
}
