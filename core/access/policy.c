#include "core/access/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/access/policy_private.h"
#include "core/access/text_file.h"

/* What a file is read with. */
struct parser {
        struct pipit_policy *policy;
        struct pipit_words words;
        const struct pipit_policy_names *names;
        struct pipit_access_problem *problem;
        size_t n_targets; /* in all */
};

static bool out_of_memory(const struct parser *parser)
{
        return pipit_access_problem_set(parser->problem, "%s: out of memory", parser->words.path);
}

/* --- principals ------------------------------------------------------------------------ */

static bool starts_with(const struct pipit_word *word, const char *start)
{
        return word->n_bytes >= strlen(start) && memcmp(word->text, start, strlen(start)) == 0;
}

/* Whether it is written as a principal is, known or not. */
static bool looks_like_subject(const struct pipit_word *word)
{
        return memchr(word->text, ':', word->n_bytes) || pipit_word_is(word, "any") ||
               pipit_word_is(word, "inproc") || pipit_word_is(word, "anonymous");
}

static bool refuse_subject(struct parser *parser, const struct pipit_word *word)
{
        return pipit_words_problem(&parser->words,
                                   word,
                                   parser->problem,
                                   "'%.*s' is no principal: one is key:NAME, uid:N, user:NAME, "
                                   "group:NAME, inproc, anonymous or any",
                                   PIPIT_WORD_ARGUMENTS(word));
}

static bool parse_number(const char *text, uint32_t *ret_number)
{
        uint64_t number = 0;

        if (!*text || strlen(text) > 10)
                return false;
        for (; *text; text++) {
                if (*text < '0' || *text > '9')
                        return false;
                number = number * 10 + (uint64_t)(*text - '0');
        }
        if (number >= UINT32_MAX) /* (uid_t)-1 is nobody */
                return false;

        *ret_number = (uint32_t)number;
        return true;
}

static bool parse_uid(struct parser *parser,
                      const struct pipit_word *word,
                      const char *value,
                      struct policy_subject *subject)
{
        subject->kind = POLICY_SUBJECT_UID;

        return parse_number(value, &subject->id) || refuse_subject(parser, word);
}

static bool parse_key(struct parser *parser,
                      const struct pipit_word *word,
                      const char *value,
                      struct policy_subject *subject)
{
        subject->kind = POLICY_SUBJECT_KEY;
        subject->name = value;

        return pipit_access_name_is_valid(value, strlen(value)) || refuse_subject(parser, word);
}

static bool parse_user(struct parser *parser,
                       const struct pipit_word *word,
                       const char *value,
                       struct policy_subject *subject)
{
        subject->kind = POLICY_SUBJECT_UID;
        if (parser->names->find_user(value, &subject->id))
                return true;

        return pipit_words_problem(&parser->words,
                                   word,
                                   parser->problem,
                                   "this machine has no user '%.80s': `getent passwd` lists them",
                                   value);
}

static bool parse_group(struct parser *parser,
                        const struct pipit_word *word,
                        const char *value,
                        struct policy_subject *subject)
{
        subject->kind = POLICY_SUBJECT_GID;
        if (parser->names->find_group(value, &subject->id))
                return true;

        return pipit_words_problem(&parser->words,
                                   word,
                                   parser->problem,
                                   "this machine has no group '%.80s': `getent group` lists them",
                                   value);
}

static bool parse_subject(struct parser *parser,
                          const struct pipit_word *word,
                          struct policy_subject *subject)
{
        static const struct {
                const char *prefix;
                bool (*parse)(struct parser *parser,
                              const struct pipit_word *word,
                              const char *value,
                              struct policy_subject *subject);
        } kinds[] = {{"key:", parse_key},
                     {"uid:", parse_uid},
                     {"user:", parse_user},
                     {"group:", parse_group}};
        const char *value;

        *subject = (struct policy_subject){.kind = POLICY_SUBJECT_ANY};
        if (pipit_word_is(word, "any"))
                return true;
        if (pipit_word_is(word, "inproc") || pipit_word_is(word, "anonymous")) {
                subject->kind =
                        word->text[0] == 'i' ? POLICY_SUBJECT_INPROC : POLICY_SUBJECT_ANONYMOUS;
                return true;
        }

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(kinds); i++) {
                size_t n = strlen(kinds[i].prefix);

                if (!starts_with(word, kinds[i].prefix))
                        continue;
                value = pipit_arena_strndup(
                        &parser->policy->arena, word->text + n, word->n_bytes - n);
                return value ? kinds[i].parse(parser, word, value, subject) : out_of_memory(parser);
        }

        return refuse_subject(parser, word);
}

/* --- methods ----------------------------------------------------------------------------- */

/* Names with dots, at most one slash, and a `*` at the end only; without `*` a slash between names. */
static bool is_method(const struct pipit_word *word)
{
        const char *slash = memchr(word->text, '/', word->n_bytes);
        const char *end = word->text + word->n_bytes;

        for (const char *at = word->text; at < end; at++) {
                bool ok = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                          (*at >= '0' && *at <= '9') || *at == '_' || *at == '.' || at == slash ||
                          (*at == '*' && at == end - 1);

                if (!ok)
                        return false;
        }

        return end[-1] == '*' || (slash && slash > word->text && slash < end - 1);
}

/* @may_be_role: else only a method may stand here. */
static bool parse_target(struct parser *parser,
                         const struct pipit_word *word,
                         bool may_be_role,
                         struct policy_target *target)
{
        bool is_role = may_be_role && pipit_access_name_is_valid(word->text, word->n_bytes);

        if (++parser->n_targets > PIPIT_POLICY_METHODS_MAX)
                return pipit_words_problem(&parser->words,
                                           word,
                                           parser->problem,
                                           "the policy names more than %d methods",
                                           PIPIT_POLICY_METHODS_MAX);
        *target = (struct policy_target){.word = *word};
        if (is_role)
                return true;
        if (!is_method(word))
                return pipit_words_problem(&parser->words,
                                           word,
                                           parser->problem,
                                           "'%.*s' is no method%s: one is package.Service/Method, "
                                           "or its beginning and *",
                                           PIPIT_WORD_ARGUMENTS(word),
                                           may_be_role ? " and no role" : "");

        target->is_prefix = word->text[word->n_bytes - 1] == '*';
        target->n_method = word->n_bytes - (target->is_prefix ? 1 : 0);
        target->method = pipit_arena_strndup(&parser->policy->arena, word->text, target->n_method);

        return target->method || out_of_memory(parser);
}

/* From the word that was read last to the end of the line. */
static bool parse_targets(struct parser *parser,
                          struct pipit_word *word,
                          bool may_be_roles,
                          struct policy_targets *targets)
{
        /* A word takes two bytes of the line at least. */
        size_t n_max = (parser->words.n_line_bytes + 1) / 2;

        targets->n_items = 0;
        targets->items = pipit_arena_alloc(&parser->policy->arena, n_max * sizeof(*targets->items));
        if (!targets->items)
                return out_of_memory(parser);

        do {
                if (may_be_roles && looks_like_subject(word))
                        return pipit_words_problem(&parser->words,
                                                   word,
                                                   parser->problem,
                                                   "'%.*s' comes too late: principals stand before "
                                                   "what they may call",
                                                   PIPIT_WORD_ARGUMENTS(word));
                if (!parse_target(parser, word, may_be_roles, &targets->items[targets->n_items++]))
                        return false;
        } while (pipit_words_next(&parser->words, word));

        return true;
}

/* --- lines --------------------------------------------------------------------------------- */

/* The line without the blanks around it and its comment; or NULL. */
static const char *copy_line(struct parser *parser)
{
        struct pipit_words again = parser->words;
        struct pipit_word word, last = {.n_bytes = 0};
        const char *first = NULL;

        again.at = again.line_text;
        while (pipit_words_next(&again, &word)) {
                if (!first)
                        first = word.text;
                last = word;
        }

        return pipit_arena_strndup(
                &parser->policy->arena, first, (size_t)(last.text + last.n_bytes - first));
}

const struct policy_role *pipit_policy_find_role(const struct pipit_policy *policy,
                                                 const char *name,
                                                 size_t n_name)
{
        for (size_t i = 0; i < policy->n_roles; i++) {
                const struct policy_role *role = &policy->roles[i];

                if (strlen(role->name) == n_name && memcmp(role->name, name, n_name) == 0)
                        return role;
        }

        return NULL;
}

static bool check_role_name(struct parser *parser, const struct pipit_word *name)
{
        const struct policy_role *same =
                pipit_policy_find_role(parser->policy, name->text, name->n_bytes);

        if (same)
                return pipit_words_problem(&parser->words,
                                           name,
                                           parser->problem,
                                           "the role %s is defined in line %u already",
                                           same->name,
                                           same->line);
        if (looks_like_subject(name) || !pipit_access_name_is_valid(name->text, name->n_bytes))
                return pipit_words_problem(&parser->words,
                                           name,
                                           parser->problem,
                                           "'%.*s' is no name of a role: one has 1 to 63 letters, "
                                           "digits, and . _ - @, begins with a letter or digit, "
                                           "and is no principal",
                                           PIPIT_WORD_ARGUMENTS(name));
        if (parser->policy->n_roles == PIPIT_POLICY_ROLES_MAX)
                return pipit_words_problem(&parser->words,
                                           name,
                                           parser->problem,
                                           "there are more than %d roles",
                                           PIPIT_POLICY_ROLES_MAX);

        return true;
}

static bool parse_role(struct parser *parser, const struct pipit_word *start)
{
        struct policy_role *role = &parser->policy->roles[parser->policy->n_roles];
        struct pipit_word name, equals, method;

        if (!pipit_words_next(&parser->words, &name) ||
            !pipit_words_next(&parser->words, &equals) || !pipit_word_is(&equals, "=") ||
            !pipit_words_next(&parser->words, &method))
                return pipit_words_problem(&parser->words,
                                           start,
                                           parser->problem,
                                           "a role is written: role NAME = METHOD...");
        if (!check_role_name(parser, &name))
                return false;

        *role = (struct policy_role){
                .name = pipit_arena_strndup(&parser->policy->arena, name.text, name.n_bytes),
                .line = parser->words.line,
                .text = copy_line(parser),
        };
        if (!role->name || !role->text)
                return out_of_memory(parser);
        if (!parse_targets(parser, &method, false, &role->methods))
                return false;

        parser->policy->n_roles++;
        return true;
}

static bool parse_rule(struct parser *parser, const struct pipit_word *start)
{
        struct policy_rule *rule = &parser->policy->rules[parser->policy->n_rules];
        const size_t n_max = (parser->words.n_line_bytes + 1) / 2;
        struct pipit_word word;
        bool more;

        if (parser->policy->n_rules == PIPIT_POLICY_RULES_MAX)
                return pipit_words_problem(&parser->words,
                                           start,
                                           parser->problem,
                                           "there are more than %d rules",
                                           PIPIT_POLICY_RULES_MAX);
        *rule = (struct policy_rule){
                .is_deny = pipit_word_is(start, "deny"),
                .line = parser->words.line,
                .text = copy_line(parser),
                .subjects =
                        pipit_arena_alloc(&parser->policy->arena, n_max * sizeof(*rule->subjects)),
        };
        if (!rule->text || !rule->subjects)
                return out_of_memory(parser);

        more = pipit_words_next(&parser->words, &word);
        while (more && (rule->n_subjects == 0 || looks_like_subject(&word))) {
                if (!parse_subject(parser, &word, &rule->subjects[rule->n_subjects++]))
                        return false;
                more = pipit_words_next(&parser->words, &word);
        }
        if (!more)
                return pipit_words_problem(&parser->words,
                                           start,
                                           parser->problem,
                                           "a rule is written: %s PRINCIPAL... ROLE-OR-METHOD...",
                                           rule->is_deny ? "deny" : "allow");
        if (!parse_targets(parser, &word, true, &rule->targets))
                return false;

        parser->policy->n_rules++;
        return true;
}

static bool parse_line(struct parser *parser)
{
        struct pipit_word start;

        (void)pipit_words_next(&parser->words, &start);
        if (pipit_word_is(&start, "role"))
                return parse_role(parser, &start);
        if (pipit_word_is(&start, "allow") || pipit_word_is(&start, "deny"))
                return parse_rule(parser, &start);

        return pipit_words_problem(&parser->words,
                                   &start,
                                   parser->problem,
                                   "'%.*s' begins no line: one begins with role, allow or deny",
                                   PIPIT_WORD_ARGUMENTS(&start));
}

/* The roles that rules name, now that all are known. */
static bool resolve_roles(struct parser *parser)
{
        for (size_t i = 0; i < parser->policy->n_rules; i++) {
                struct policy_targets *targets = &parser->policy->rules[i].targets;

                for (size_t j = 0; j < targets->n_items; j++) {
                        struct policy_target *target = &targets->items[j];

                        if (target->method)
                                continue;
                        target->role = pipit_policy_find_role(
                                parser->policy, target->word.text, target->word.n_bytes);
                        if (!target->role)
                                return pipit_words_problem(
                                        &parser->words,
                                        &target->word,
                                        parser->problem,
                                        "there is no role '%.*s': define it with a line "
                                        "`role %.*s = METHOD...`",
                                        PIPIT_WORD_ARGUMENTS(&target->word),
                                        PIPIT_WORD_ARGUMENTS(&target->word));
                }
        }

        return true;
}

/* --- life ------------------------------------------------------------------------------------ */

static struct pipit_policy *policy_new(const char *path)
{
        struct pipit_policy *policy = calloc(1, sizeof(*policy));

        if (!policy)
                return NULL;

        atomic_init(&policy->refs, 1);
        policy->path = pipit_arena_strdup(&policy->arena, path);
        policy->roles = calloc(PIPIT_POLICY_ROLES_MAX, sizeof(*policy->roles));
        policy->rules = calloc(PIPIT_POLICY_RULES_MAX, sizeof(*policy->rules));
        if (!policy->path || !policy->roles || !policy->rules) {
                pipit_policy_unref(policy);
                return NULL;
        }

        return policy;
}

struct pipit_policy *pipit_policy_ref(struct pipit_policy *policy)
{
        atomic_fetch_add_explicit(&policy->refs, 1, memory_order_relaxed);
        return policy;
}

void pipit_policy_unref(struct pipit_policy *policy)
{
        if (!policy || atomic_fetch_sub(&policy->refs, 1) > 1)
                return;

        pipit_arena_deinit(&policy->arena);
        free(policy->roles);
        free(policy->rules);
        free(policy);
}

struct pipit_policy *pipit_policy_parse(const char *path,
                                        const char *text,
                                        size_t n_bytes,
                                        const struct pipit_policy_names *names,
                                        struct pipit_access_problem *ret_problem)
{
        struct parser parser = {.policy = policy_new(path),
                                .names = names ? names : &pipit_policy_names_system,
                                .problem = ret_problem};
        bool ok = true;

        pipit_words_init(&parser.words, path, text, n_bytes);
        if (!parser.policy) {
                (void)out_of_memory(&parser);
                return NULL;
        }

        while (ok && pipit_words_next_line(&parser.words))
                ok = parse_line(&parser);
        if (ok && resolve_roles(&parser))
                return parser.policy;

        pipit_policy_unref(parser.policy);
        return NULL;
}

struct pipit_policy *pipit_policy_load(const char *path, struct pipit_access_problem *ret_problem)
{
        struct pipit_policy *policy;
        struct pipit_text_file file;

        if (!pipit_text_file_read(path,
                                  PIPIT_TEXT_FILE_SETTINGS,
                                  "`pipit help policy` shows what one looks like",
                                  &file,
                                  ret_problem))
                return NULL;

        policy = pipit_policy_parse(path, file.text, file.n_bytes, NULL, ret_problem);
        pipit_text_file_deinit(&file);

        return policy;
}

struct pipit_policy *pipit_policy_new_default(uint32_t uid, bool allow_anonymous)
{
        struct pipit_access_problem problem;
        char text[256];
        int n = snprintf(text,
                         sizeof(text),
                         "role admin = *\n"
                         "allow inproc uid:0 uid:%u *\n"
                         "allow any grpc.health.v1.Health/*\n"
                         "%s",
                         uid,
                         allow_anonymous ? "allow anonymous *\n" : "");

        return pipit_policy_parse("built-in policy", text, (size_t)n, NULL, &problem);
}

const char *pipit_policy_path(const struct pipit_policy *policy)
{
        return policy->path;
}

bool pipit_policy_has_role(const struct pipit_policy *policy, const char *role)
{
        return pipit_policy_find_role(policy, role, strlen(role)) != NULL;
}

const char *pipit_policy_role(const struct pipit_policy *policy, size_t i)
{
        return i < policy->n_roles ? policy->roles[i].name : NULL;
}

bool pipit_policy_names_groups(const struct pipit_policy *policy)
{
        for (size_t i = 0; i < policy->n_rules; i++) {
                const struct policy_rule *rule = &policy->rules[i];

                for (size_t j = 0; j < rule->n_subjects; j++) {
                        if (rule->subjects[j].kind == POLICY_SUBJECT_GID)
                                return true;
                }
        }

        return false;
}
