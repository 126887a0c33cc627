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

/*
 * Keywords of C23 and C++20, object-like macros of <errno.h>, <stdio.h> and the
 * GNU dialects, and the one member that every handlers struct has. Sorted by nothing:
 * it is read once a method.
 */
static const char *const reserved_members[] = {
        "alignas",      "alignof",
        "and",          "and_eq",
        "asm",          "auto",
        "bitand",       "bitor",
        "bool",         "break",
        "case",         "catch",
        "char",         "char16_t",
        "char32_t",     "char8_t",
        "class",        "co_await",
        "co_return",    "co_yield",
        "compl",        "complex",
        "concept",      "const",
        "const_cast",   "consteval",
        "constexpr",    "constinit",
        "continue",     "decltype",
        "default",      "delete",
        "do",           "double",
        "dynamic_cast", "else",
        "enum",         "explicit",
        "export",       "extern",
        "false",        "float",
        "for",          "friend",
        "goto",         "if",
        "imaginary",    "inline",
        "int",          "long",
        "mutable",      "namespace",
        "new",          "noexcept",
        "noreturn",     "not",
        "not_eq",       "nullptr",
        "operator",     "or",
        "or_eq",        "private",
        "protected",    "public",
        "register",     "reinterpret_cast",
        "requires",     "restrict",
        "return",       "short",
        "signed",       "sizeof",
        "static",       "static_assert",
        "static_cast",  "struct",
        "switch",       "template",
        "this",         "thread_local",
        "throw",        "true",
        "try",          "typedef",
        "typeid",       "typename",
        "typeof",       "typeof_unqual",
        "union",        "unsigned",
        "using",        "virtual",
        "void",         "volatile",
        "wchar_t",      "while",
        "xor",          "xor_eq",
        "errno",        "stdin",
        "stdout",       "stderr",
        "linux",        "unix",
        "i386",         "blocks",
};

char *names_member(struct pipit_arena *arena, const char *name)
{
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(reserved_members); i++)
                if (strcmp(name, reserved_members[i]) == 0)
                        return gen_printf(arena, "%s_", name);

        return gen_strdup(arena, name);
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

/* protoc-c's own: "HTTPInfo" -> "httpinfo". */
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

char *names_message_type(struct pipit_arena *arena, const char *full_name)
{
        return join_parts(arena, full_name, "__", protoc_c_camel);
}

char *names_message_descriptor(struct pipit_arena *arena, const char *full_name)
{
        return gen_printf(
                arena, "%s__descriptor", join_parts(arena, full_name, "__", protoc_c_lower));
}
