#include "gen/names.h"

#include <stdbool.h>
#include <string.h>

#include "core/base/macros.h"
#include "gen/memory.h"

/* <ctype.h> asks the locale; .proto identifiers are ASCII. */
static bool is_upper(char c)
{
        return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
        return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static char to_lower(char c)
{
        if (is_upper(c))
                c = (char)(c - 'A' + 'a');

        return c;
}

static char to_upper(char c)
{
        if (is_lower(c))
                c = (char)(c - 'a' + 'A');

        return c;
}

/* Whether name[i] is the "s" of a plural acronym: "IDs", "URLsFor". */
static bool is_plural_s(const char *name, size_t i)
{
        return name[i] == 's' && i >= 2 && is_upper(name[i - 1]) && is_upper(name[i - 2]) &&
               !is_lower(name[i + 1]);
}

static bool starts_word(const char *name, size_t i)
{
        if (i == 0 || !is_upper(name[i]))
                return false;
        if (is_lower(name[i - 1]) || is_digit(name[i - 1]))
                return true;

        return is_upper(name[i - 1]) && is_lower(name[i + 1]) && !is_plural_s(name, i + 1);
}

char *names_snake(struct pipit_arena *arena, const char *name)
{
        char *snake = gen_alloc(arena, strlen(name) * 2 + 1);
        size_t n = 0;

        for (size_t i = 0; name[i]; i++) {
                bool breaks = starts_word(name, i) || name[i] == '_';

                if (breaks && n > 0 && snake[n - 1] != '_')
                        snake[n++] = '_';
                if (name[i] != '_')
                        snake[n++] = to_lower(name[i]);
        }

        if (n > 0 && snake[n - 1] == '_')
                n--;
        snake[n] = '\0';

        return snake;
}

/* Writes each part of a dotted name by @convert, with @separator between. */
static char *join_parts(struct pipit_arena *arena,
                        const char *dotted,
                        const char *separator,
                        char *(*convert)(struct pipit_arena *, const char *))
{
        char *joined = gen_strdup(arena, "");
        char *rest;
        char *part;

        for (part = strtok_r(gen_strdup(arena, dotted), ".", &rest); part;
             part = strtok_r(NULL, ".", &rest))
                joined = gen_printf(
                        arena, "%s%s%s", joined, joined[0] ? separator : "", convert(arena, part));

        return joined;
}

char *names_package(struct pipit_arena *arena, const char *package)
{
        return join_parts(arena, package, "_", names_snake);
}

/* What protoc-c itself writes a "_" behind, when a field is called that. */
static const char *const protoc_c_keywords[] = {
        "and",
        "and_eq",
        "asm",
        "auto",
        "bitand",
        "bitor",
        "bool",
        "break",
        "case",
        "catch",
        "char",
        "class",
        "compl",
        "const",
        "const_cast",
        "continue",
        "default",
        "delete",
        "do",
        "double",
        "dynamic_cast",
        "else",
        "enum",
        "explicit",
        "extern",
        "false",
        "float",
        "for",
        "friend",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "mutable",
        "namespace",
        "new",
        "not",
        "not_eq",
        "operator",
        "or",
        "or_eq",
        "private",
        "protected",
        "public",
        "register",
        "reinterpret_cast",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "static_cast",
        "struct",
        "switch",
        "template",
        "this",
        "throw",
        "true",
        "try",
        "typedef",
        "typeid",
        "typename",
        "union",
        "unsigned",
        "using",
        "virtual",
        "void",
        "volatile",
        "wchar_t",
        "while",
        "xor",
        "xor_eq",
};

/*
 * The other keywords of C23, C++20 and the GNU dialects, and object-like macros that
 * common headers define. Not sorted: a program has few names, and each is looked up once.
 */
static const char *const other_reserved[] = {
        "alignas",       "alignof",  "char16_t", "char32_t",      "char8_t",      "co_await",
        "co_return",     "co_yield", "complex",  "concept",       "consteval",    "constexpr",
        "constinit",     "decltype", "export",   "imaginary",     "noexcept",     "noreturn",
        "nullptr",       "requires", "restrict", "static_assert", "thread_local", "typeof",
        "typeof_unqual", "errno",    "stdin",    "stdout",        "stderr",       "linux",
        "unix",          "i386",     "st_atime", "st_mtime",      "st_ctime",     "sa_handler",
        "sa_sigaction",  "s6_addr",  "h_addr",   "si_pid",        "si_uid",       "si_status",
        "si_value",      "si_addr",  "d_fileno",
};

static bool is_in(const char *name, const char *const *words, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(name, words[i]) == 0)
                        return true;

        return false;
}

static char *add_underscore_if(struct pipit_arena *arena, const char *name, bool is_reserved)
{
        return gen_printf(arena, "%s%s", name, is_reserved ? "_" : "");
}

char *names_tag(struct pipit_arena *arena, const char *name)
{
        bool is_reserved = is_in(name, protoc_c_keywords, PIPIT_N_ELEMENTS(protoc_c_keywords)) ||
                           is_in(name, other_reserved, PIPIT_N_ELEMENTS(other_reserved));

        return add_underscore_if(arena, name, is_reserved);
}

char *names_member(struct pipit_arena *arena, const char *name)
{
        /* the member that every struct of handlers has */
        if (strcmp(name, "blocks") == 0)
                return gen_strdup(arena, "blocks_");

        return names_tag(arena, name);
}

static char *to_lower_all(struct pipit_arena *arena, const char *name)
{
        char *lower = gen_strdup(arena, name);

        for (char *c = lower; *c; c++)
                *c = to_lower(*c);

        return lower;
}

char *names_field_for_protoc_c(struct pipit_arena *arena, const char *name)
{
        const char *lower = to_lower_all(arena, name);
        /* the member that every message has */
        bool is_reserved = strcmp(lower, "base") == 0 ||
                           is_in(lower, other_reserved, PIPIT_N_ELEMENTS(other_reserved));

        return add_underscore_if(arena, name, is_reserved);
}

char *names_field(struct pipit_arena *arena, const char *name)
{
        const char *lower = to_lower_all(arena, names_field_for_protoc_c(arena, name));

        return add_underscore_if(
                arena, lower, is_in(lower, protoc_c_keywords, PIPIT_N_ELEMENTS(protoc_c_keywords)));
}

/* Everything that an identifier cannot hold becomes "_". */
static char *to_identifier(struct pipit_arena *arena, const char *name)
{
        char *identifier = gen_printf(arena, "%s%s", is_digit(name[0]) ? "_" : "", name);

        for (char *c = identifier; *c; c++)
                if (!is_upper(*c) && !is_lower(*c) && !is_digit(*c))
                        *c = '_';

        return identifier;
}

char *names_file_symbol(struct pipit_arena *arena, const char *file)
{
        return to_identifier(arena, file);
}

char *names_guard(struct pipit_arena *arena, const char *file)
{
        char *guard =
                gen_printf(arena, "%s_PIPIT_H", to_identifier(arena, names_stem(arena, file)));

        for (char *c = guard; *c; c++)
                *c = to_upper(*c);

        return guard;
}

char *names_stem(struct pipit_arena *arena, const char *file)
{
        static const char *const suffixes[] = {".protodevel", ".proto"};
        size_t n = strlen(file);

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(suffixes); i++) {
                size_t n_suffix = strlen(suffixes[i]);

                if (n > n_suffix && strcmp(file + n - n_suffix, suffixes[i]) == 0)
                        return gen_strndup(arena, file, n - n_suffix);
        }

        return gen_strdup(arena, file);
}

/* protoc-c's own: "user_id" -> "UserId". */
static char *protoc_c_camel(struct pipit_arena *arena, const char *name)
{
        char *camel = gen_alloc(arena, strlen(name) + 1);
        bool next_is_upper = true;
        size_t n = 0;

        for (; *name; name++) {
                if (*name == '_') {
                        next_is_upper = true;
                        continue;
                }
                camel[n] = *name;
                if (next_is_upper)
                        camel[n] = to_upper(*name);
                n++;
                next_is_upper = false;
        }

        return camel;
}

/* protoc-c's own: "HTTPInfo" -> "httpinfo", "userId" -> "user_id". */
static char *protoc_c_lower(struct pipit_arena *arena, const char *name)
{
        char *lower = gen_alloc(arena, strlen(name) * 2 + 1);
        bool was_upper = true;
        size_t n = 0;

        for (; *name; name++) {
                if (is_upper(*name) && !was_upper)
                        lower[n++] = '_';
                lower[n++] = to_lower(*name);
                was_upper = is_upper(*name);
        }

        return lower;
}

static char *protoc_c_upper(struct pipit_arena *arena, const char *name)
{
        char *upper = protoc_c_lower(arena, name);

        for (char *c = upper; *c; c++)
                *c = to_upper(*c);

        return upper;
}

char *names_message_type(struct pipit_arena *arena, const char *full_name)
{
        return join_parts(arena, full_name, "__", protoc_c_camel);
}

char *names_message_lower(struct pipit_arena *arena, const char *full_name)
{
        return join_parts(arena, full_name, "__", protoc_c_lower);
}

char *names_message_upper(struct pipit_arena *arena, const char *full_name)
{
        return join_parts(arena, full_name, "__", protoc_c_upper);
}

char *names_message_descriptor(struct pipit_arena *arena, const char *full_name)
{
        return gen_printf(arena, "%s__descriptor", names_message_lower(arena, full_name));
}
