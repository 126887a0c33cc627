#include <stdlib.h>
#include <string.h>

#include "gen/emit.h"
#include "gen/memory.h"
#include "gen/names.h"

struct headers {
        const char **names;
        size_t n;
};

static int compare_strings(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_header(struct headers *headers, const char *stem)
{
        for (size_t i = 0; i < headers->n; i++)
                if (strcmp(headers->names[i], stem) == 0)
                        return;

        headers->names[headers->n++] = stem;
}

static void add_type_header(struct headers *headers,
                            struct pipit_arena *arena,
                            const struct index *index,
                            const char *type)
{
        size_t file = index_find_type(index, type);

        if (file != INDEX_NONE)
                add_header(headers, names_stem(arena, index->files[file]->name));
}

static size_t count_methods(const struct model_file *file)
{
        size_t n = 0;

        for (size_t i = 0; i < file->n_services; i++)
                n += file->services[i].n_methods;

        return n;
}

/* The file's own messages, and those of others that its methods speak of. */
static struct headers collect_headers(struct pipit_arena *arena,
                                      const struct model_file *file,
                                      const struct index *index)
{
        struct headers headers = {
                .names =
                        gen_alloc_array(arena, count_methods(file) * 2 + 1, sizeof(*headers.names)),
        };

        add_header(&headers, file->stem);
        for (size_t i = 0; i < file->n_services; i++) {
                const struct model_service *service = &file->services[i];

                for (size_t k = 0; k < service->n_methods; k++) {
                        const Google__Protobuf__MethodDescriptorProto *method =
                                service->methods[k].descriptor;

                        add_type_header(&headers, arena, index, method->input_type);
                        add_type_header(&headers, arena, index, method->output_type);
                }
        }
        qsort(headers.names, headers.n, sizeof(*headers.names), compare_strings);

        return headers;
}

static void add_includes(struct text *text,
                         const struct model_file *file,
                         const struct index *index)
{
        struct headers headers;

        if (file->n_services == 0) {
                text_add(text, "#include <pipit/service.h>\n");
                return;
        }

        text_add(text, "#include <pipit/client.h>\n");
        text_add(text, "#include <pipit/server.h>\n");
        text_add(text, "#include <stdbool.h>\n\n");
        headers = collect_headers(text->arena, file, index);
        for (size_t i = 0; i < headers.n; i++)
                text_add(text, "#include \"%s.pb-c.h\"\n", headers.names[i]);
}

static void add_handler(struct text *text, const struct model_method *method)
{
        static const char indent[] = "        ";
        const char *parameters[] = {
                "void *self",
                "struct pipit_server_call *call",
                gen_printf(text->arena, "const %s *request", method->request_type),
        };

        emit_comments(text, indent, &method->comments);
        emit_function(text,
                      "",
                      gen_printf(text->arena, "%svoid (*%s)", indent, method->member),
                      parameters,
                      PIPIT_N_ELEMENTS(parameters),
                      ";");
        text_add(text, "\n");
}

static void add_handlers(struct text *text, const struct model_service *service)
{
        text_add(text,
                 "/*\n"
                 " * Handlers of %s; @self is what was registered with them. Each\n"
                 " * answers its call exactly once, now or later and from any thread, with the\n"
                 " * reply function of its method or with pipit_server_call_fail(). @request is\n"
                 " * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.\n"
                 " */\n",
                 service->wire_name);
        text_add(text, "struct %s {\n", service->name);

        if (service->n_methods == 0) {
                text_add(text, "        char unused; /* there are no methods */\n};\n");
                return;
        }

        for (size_t i = 0; i < service->n_methods; i++)
                add_handler(text, &service->methods[i]);

        text_add(text, "        /* Those that block, and so run on the worker pool. */\n");
        text_add(text, "        struct {\n");
        for (size_t i = 0; i < service->n_methods; i++)
                text_add(text, "                bool %s;\n", service->methods[i].member);
        text_add(text, "        } blocks;\n};\n");
}

static void add_server(struct text *text, const struct model_service *service)
{
        text_add(text, "\n/* --- %s: server --- */\n\n", service->wire_name);
        add_handlers(text, service);

        text_add(text,
                 "\n"
                 "/*\n"
                 " * Before the server starts; @handlers is borrowed until it is freed.\n"
                 " * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.\n"
                 " */\n");
        emit_register(text, service, ";");

        for (size_t i = 0; i < service->n_methods; i++) {
                text_add(text, "\n");
                emit_reply(text, &service->methods[i], ";");
        }
}

static void add_client_method(struct text *text, const struct model_method *method)
{
        text_add(text, "\n");
        emit_detached(text, "", &method->comments);
        emit_comments(text, "", &method->comments);
        emit_call(text, method, ";");
        emit_start(text, method, ";");
        emit_response(text, method, ";");
}

static void add_client(struct text *text, const struct model_service *service)
{
        text_add(
                text,
                "\n/* --- %s: client --- */\n\n"
                "/*\n"
                " * Of each method there are three functions. The first blocks until the reply or\n"
                " * the call's timeout; *ret_response (may be NULL) then lives in @call until its\n"
                " * reset, and is untouched on failure, of which pipit_call_error() tells all.\n"
                " *\n"
                " * _start() returns at once, and call->done() runs exactly once, on any thread.\n"
                " * _response() is the response of a finished call, or NULL: it failed, or was of\n"
                " * another method.\n"
                " */\n",
                service->wire_name);
        for (size_t i = 0; i < service->n_methods; i++)
                add_client_method(text, &service->methods[i]);
}

/* Often the only ones: who may use the file. */
static void add_file_comments(struct text *text, const struct model_file *file)
{
        if (file->comments.n_detached > 0)
                text_add(text, "\n");
        emit_detached(text, "", &file->comments);
        emit_comments(text, "", &file->comments);
}

void emit_header(struct text *text, const struct model_file *file, const struct index *index)
{
        emit_notice(text, file);
        add_file_comments(text, file);
        text_add(text, "\n#ifndef %s\n#define %s\n\n", file->guard, file->guard);
        add_includes(text, file, index);
        text_add(text, "\nPIPIT_BEGIN_DECLS\n\n");

        text_add(text,
                 "/* The .proto file itself, for reflection. */\n"
                 "extern const struct pipit_file %s;\n",
                 file->symbol);

        for (size_t i = 0; i < file->n_services; i++) {
                const struct model_service *service = &file->services[i];

                text_add(text, "\n/* --- %s --- */\n\n", service->wire_name);
                emit_detached(text, "", &service->comments);
                emit_comments(text, "", &service->comments);
                text_add(text, "extern const struct pipit_service %s;\n", service->table);
                add_server(text, service);
                if (service->n_methods > 0)
                        add_client(text, service);
        }

        text_add(text, "\nPIPIT_END_DECLS\n\n#endif\n");
}
