#include "tools/cli/symbols.h"

#include <stdio.h>
#include <string.h>

#include "core/json/nearest.h"
#include "core/rpc/message.h"
#include "tools/cli/printable.h"

/* Field numbers of descriptor.proto. */
enum {
        FILE_MESSAGE = 4,
        FILE_ENUM = 5,
        FILE_SERVICE = 6,
        MESSAGE_FIELD = 2,
        MESSAGE_NESTED = 3,
        MESSAGE_ENUM = 4,
        ENUM_VALUE = 2,
        SERVICE_METHOD = 2,
};

/* --- building ------------------------------------------------------------------ */

/* NULL: out of memory. @scope may be empty. */
static struct cli_symbol *add(struct cli_symbols *symbols,
                              const struct cli_symbol *like,
                              const char *scope,
                              const char *name)
{
        struct cli_symbol *symbol = pipit_arena_memdup(symbols->arena, like, sizeof(*like));

        if (!symbol)
                return NULL;

        symbol->name = pipit_arena_printf(
                symbols->arena, "%s%s%s", scope, scope[0] ? "." : "", name ? name : "");
        if (!symbol->name)
                return NULL;

        *symbols->end = symbol;
        symbols->end = (struct cli_symbol **)(void *)&symbol->next;
        return symbol;
}

static bool add_enum(struct cli_symbols *symbols,
                     const struct cli_symbol *like,
                     const char *scope,
                     const Google__Protobuf__EnumDescriptorProto *proto)
{
        const struct cli_symbol *symbol = add(symbols, like, scope, proto->name);

        for (size_t i = 0; symbol && i < proto->n_value; i++) {
                const struct cli_symbol value = {
                        .kind = CLI_SYMBOL_VALUE,
                        .file = like->file,
                        .parent = symbol,
                        .number = ENUM_VALUE,
                        .index = (int32_t)i,
                };

                if (!add(symbols, &value, symbol->name, proto->value[i]->name))
                        return false;
        }

        return symbol;
}

static bool add_message(struct cli_symbols *symbols,
                        const struct cli_symbol *like,
                        const char *scope,
                        const Google__Protobuf__DescriptorProto *proto)
{
        const struct cli_symbol *symbol = add(symbols, like, scope, proto->name);
        struct cli_symbol child = {.file = like->file, .parent = symbol};
        bool ok = symbol;

        child.kind = CLI_SYMBOL_FIELD;
        child.number = MESSAGE_FIELD;
        for (size_t i = 0; ok && i < proto->n_field; i++) {
                child.index = (int32_t)i;
                ok = add(symbols, &child, symbol->name, proto->field[i]->name);
        }

        child.kind = CLI_SYMBOL_MESSAGE;
        child.number = MESSAGE_NESTED;
        for (size_t i = 0; ok && i < proto->n_nested_type; i++) {
                child.index = (int32_t)i;
                ok = add_message(symbols, &child, symbol->name, proto->nested_type[i]);
        }

        child.kind = CLI_SYMBOL_ENUM;
        child.number = MESSAGE_ENUM;
        for (size_t i = 0; ok && i < proto->n_enum_type; i++) {
                child.index = (int32_t)i;
                ok = add_enum(symbols, &child, symbol->name, proto->enum_type[i]);
        }

        return ok;
}

static bool add_service(struct cli_symbols *symbols,
                        const struct cli_symbol *like,
                        const char *scope,
                        const Google__Protobuf__ServiceDescriptorProto *proto)
{
        const struct cli_symbol *symbol = add(symbols, like, scope, proto->name);

        for (size_t i = 0; symbol && i < proto->n_method; i++) {
                const struct cli_symbol method = {
                        .kind = CLI_SYMBOL_METHOD,
                        .file = like->file,
                        .parent = symbol,
                        .number = SERVICE_METHOD,
                        .index = (int32_t)i,
                };

                if (!add(symbols, &method, symbol->name, proto->method[i]->name))
                        return false;
        }

        return symbol;
}

static bool add_file(struct cli_symbols *symbols, const Google__Protobuf__FileDescriptorProto *file)
{
        const char *scope = file->package ? file->package : "";
        struct cli_symbol child = {.kind = CLI_SYMBOL_FILE, .file = file};
        bool ok = add(symbols, &child, "", file->name);

        child.kind = CLI_SYMBOL_MESSAGE;
        child.number = FILE_MESSAGE;
        for (size_t i = 0; ok && i < file->n_message_type; i++) {
                child.index = (int32_t)i;
                ok = add_message(symbols, &child, scope, file->message_type[i]);
        }

        child.kind = CLI_SYMBOL_ENUM;
        child.number = FILE_ENUM;
        for (size_t i = 0; ok && i < file->n_enum_type; i++) {
                child.index = (int32_t)i;
                ok = add_enum(symbols, &child, scope, file->enum_type[i]);
        }

        child.kind = CLI_SYMBOL_SERVICE;
        child.number = FILE_SERVICE;
        for (size_t i = 0; ok && i < file->n_service; i++) {
                child.index = (int32_t)i;
                ok = add_service(symbols, &child, scope, file->service[i]);
        }

        return ok;
}

bool cli_symbols_init(struct cli_symbols *symbols,
                      const struct pipit_schema *schema,
                      struct pipit_arena *arena)
{
        const struct pipit_file *file;

        *symbols = (struct cli_symbols){.arena = arena};
        symbols->end = (struct cli_symbol **)(void *)&symbols->first;

        for (size_t i = 0; (file = pipit_schema_file(schema, i)); i++) {
                ProtobufCMessage *message =
                        pipit_message_unpack(&google__protobuf__file_descriptor_proto__descriptor,
                                             arena,
                                             file->bytes,
                                             file->n_bytes);

                if (!message)
                        return false;

                cli_make_printable(message);
                if (!add_file(symbols, (const Google__Protobuf__FileDescriptorProto *)message))
                        return false;
        }

        return true;
}

/* --- finding ------------------------------------------------------------------- */

const struct cli_symbol *cli_symbols_get(const struct cli_symbols *symbols,
                                         const char *name,
                                         size_t n_name)
{
        for (const struct cli_symbol *symbol = symbols->first; symbol; symbol = symbol->next) {
                if (strlen(symbol->name) == n_name && memcmp(symbol->name, name, n_name) == 0)
                        return symbol;
        }

        return NULL;
}

static bool ends_with(const struct cli_symbol *symbol, const char *name)
{
        size_t n_full = strlen(symbol->name), n_name = strlen(name);
        char separator = symbol->kind == CLI_SYMBOL_FILE ? '/' : '.';

        return n_name > 0 && n_name < n_full && strcmp(symbol->name + n_full - n_name, name) == 0 &&
               symbol->name[n_full - n_name - 1] == separator;
}

/* Fields and values are found with what they are in, "User.name": "name" alone means no field. */
static bool is_found_by_end(const struct cli_symbol *symbol, const char *name)
{
        return strchr(name, '.') ||
               (symbol->kind != CLI_SYMBOL_FIELD && symbol->kind != CLI_SYMBOL_VALUE);
}

static const struct cli_symbol *find_by_end(const struct cli_symbols *symbols,
                                            const char *name,
                                            const char **ret_problem)
{
        const struct cli_symbol *found = NULL;
        const char *names = NULL;

        for (const struct cli_symbol *symbol = symbols->first; symbol; symbol = symbol->next) {
                if (!is_found_by_end(symbol, name) || !ends_with(symbol, name))
                        continue;

                names = found ? pipit_arena_printf(symbols->arena,
                                                   "%s, %s",
                                                   names ? names : found->name,
                                                   symbol->name)
                              : NULL;
                found = symbol;
                if (names)
                        *ret_problem = pipit_arena_printf(
                                symbols->arena, "'%s' fits %s; write one of them", name, names);
        }

        return names ? NULL : found;
}

/* As many words from the end of @full as @name has. */
static const char *end_like(const char *full, const char *name)
{
        const char *end = full + strlen(full);
        size_t n_dots = 0;

        for (; *name; name++)
                n_dots += *name == '.' ? 1 : 0;
        while (end > full && (end[-1] != '.' || n_dots-- > 0))
                end--;

        return end;
}

static const char *nearest_name(const struct cli_symbols *symbols, const char *name)
{
        struct pipit_nearest whole = {.wanted = name}, by_end = {.wanted = name};
        const char *best = NULL;

        for (const struct cli_symbol *symbol = symbols->first; symbol; symbol = symbol->next) {
                const char *before = by_end.name;

                pipit_nearest_consider(&whole, symbol->name);
                if (!is_found_by_end(symbol, name))
                        continue;
                pipit_nearest_consider(&by_end, end_like(symbol->name, name));
                if (by_end.name != before)
                        best = symbol->name;
        }

        return whole.name ? whole.name : best;
}

const struct cli_symbol *cli_symbols_find(const struct cli_symbols *symbols,
                                          const char *name,
                                          const char **ret_problem)
{
        const char *bare = name[0] == '.' ? name + 1 : name;
        const struct cli_symbol *symbol = cli_symbols_get(symbols, bare, strlen(bare));
        char *dotted = pipit_arena_strdup(symbols->arena, bare);
        char *slash = dotted ? strrchr(dotted, '/') : NULL;

        *ret_problem = NULL;
        if (symbol)
                return symbol;

        if (slash && !strstr(slash, ".proto"))
                *slash = '.';
        if (slash)
                symbol = cli_symbols_get(symbols, dotted, strlen(dotted));
        if (!symbol && dotted)
                symbol = find_by_end(symbols, dotted, ret_problem);
        if (symbol || *ret_problem)
                return symbol;

        const char *near = dotted ? nearest_name(symbols, dotted) : NULL;

        if (near)
                *ret_problem = pipit_arena_printf(
                        symbols->arena, "there is no '%s'; did you mean %s?", name, near);
        else
                *ret_problem = pipit_arena_printf(
                        symbols->arena, "there is no '%s'; `pipit list` tells the services", name);
        if (!*ret_problem)
                *ret_problem = "out of memory";
        return NULL;
}

/* --- what they stand for --------------------------------------------------------- */

const Google__Protobuf__DescriptorProto *cli_symbol_message(const struct cli_symbol *symbol)
{
        return symbol->parent ? cli_symbol_message(symbol->parent)->nested_type[symbol->index]
                              : symbol->file->message_type[symbol->index];
}

const Google__Protobuf__EnumDescriptorProto *cli_symbol_enum(const struct cli_symbol *symbol)
{
        return symbol->parent ? cli_symbol_message(symbol->parent)->enum_type[symbol->index]
                              : symbol->file->enum_type[symbol->index];
}

const Google__Protobuf__ServiceDescriptorProto *cli_symbol_service(const struct cli_symbol *symbol)
{
        return symbol->file->service[symbol->index];
}

const Google__Protobuf__MethodDescriptorProto *cli_symbol_method(const struct cli_symbol *symbol)
{
        return cli_symbol_service(symbol->parent)->method[symbol->index];
}

/* --- scopes -------------------------------------------------------------------- */

static bool is_package(const struct cli_symbols *symbols, const char *name, size_t n_name)
{
        for (const struct cli_symbol *symbol = symbols->first; symbol; symbol = symbol->next) {
                const char *package = symbol->file->package;

                if (symbol->kind == CLI_SYMBOL_FILE && package && strlen(package) >= n_name &&
                    memcmp(package, name, n_name) == 0 &&
                    (package[n_name] == '\0' || package[n_name] == '.'))
                        return true;
        }

        return false;
}

/* Fields and methods are passed over where a type is wanted. */
static bool is_type(const struct cli_symbols *symbols, const char *name, size_t n_name)
{
        const struct cli_symbol *symbol = cli_symbols_get(symbols, name, n_name);

        return symbol && (symbol->kind == CLI_SYMBOL_MESSAGE || symbol->kind == CLI_SYMBOL_ENUM);
}

/* What its first word means in the innermost scope that knows it decides. */
static bool means(const struct cli_symbols *symbols,
                  const char *scope,
                  const char *name,
                  const char *full)
{
        size_t n_first = strcspn(name, "."), n_scope = strlen(scope);
        char candidate[512];

        for (;;) {
                int n = snprintf(candidate,
                                 sizeof(candidate),
                                 "%.*s%s%.*s",
                                 (int)n_scope,
                                 scope,
                                 n_scope > 0 ? "." : "",
                                 (int)n_first,
                                 name);

                if (n < 0 || (size_t)n >= sizeof(candidate))
                        return false;
                if (is_type(symbols, candidate, (size_t)n) ||
                    is_package(symbols, candidate, (size_t)n))
                        return strncmp(full, candidate, (size_t)n) == 0 &&
                               strcmp(full + n, name + n_first) == 0;
                if (n_scope == 0)
                        return false;

                while (n_scope > 0 && scope[n_scope - 1] != '.')
                        n_scope--;
                n_scope -= n_scope > 0 ? 1 : 0;
        }
}

const char *cli_symbols_relative(const struct cli_symbols *symbols,
                                 const char *scope,
                                 const char *type)
{
        const char *full = type[0] == '.' ? type + 1 : type;

        for (const char *name = full + strlen(full); name > full; name--) {
                if (name[-1] == '.' && means(symbols, scope, name, full))
                        return name;
        }

        return means(symbols, scope, full, full) ? full : type;
}
