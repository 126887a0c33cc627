#include "gen/emit.h"
#include "gen/names.h"

#define BYTES_A_LINE 16

static void add_bytes(struct text *text, const struct model_file *file)
{
        text_add(text, "static const uint8_t %s_bytes[] = {", file->symbol);
        for (size_t i = 0; i < file->n_bytes; i++)
                text_add(text,
                         "%s0x%02x,",
                         i % BYTES_A_LINE == 0 ? "\n        " : " ",
                         file->bytes[i]);
        text_add(text, "\n};\n\n");
}

static void add_dependencies(struct text *text, const struct model_file *file)
{
        if (file->n_imports == 0)
                return;

        text_add(text,
                 "static const struct pipit_file *const %s_dependencies[] = {\n",
                 file->symbol);
        for (size_t i = 0; i < file->n_imports; i++)
                text_add(text, "        &%s,\n", names_file_symbol(text->arena, file->imports[i]));
        text_add(text, "};\n\n");
}

static void add_file(struct text *text, const struct model_file *file)
{
        add_bytes(text, file);
        add_dependencies(text, file);
        text_add(text,
                 "const struct pipit_file %s = {\n"
                 "        .name = \"%s\",\n"
                 "        .bytes = %s_bytes,\n"
                 "        .n_bytes = sizeof(%s_bytes),\n",
                 file->symbol,
                 file->name,
                 file->symbol,
                 file->symbol);
        if (file->n_imports > 0)
                text_add(text,
                         "        .dependencies = %s_dependencies,\n"
                         "        .n_dependencies = %zu,\n",
                         file->symbol,
                         file->n_imports);
        text_add(text, "};\n");
}

static void add_method(struct text *text, const struct model_method *method)
{
        text_add(text,
                 "        {\n"
                 "                .name = \"%s\",\n"
                 "                .full_name = \"%s\",\n"
                 "                .request = &%s,\n"
                 "                .response = &%s,\n",
                 method->wire_name,
                 method->function,
                 method->request_descriptor,
                 method->response_descriptor);
        if (method->no_side_effects)
                text_add(text, "                .no_side_effects = true,\n");
        text_add(text, "        },\n");
}

static void add_service(struct text *text,
                        const struct model_file *file,
                        const struct model_service *service)
{
        if (service->n_methods > 0) {
                text_add(text,
                         "\nstatic const struct pipit_method %s_methods[] = {\n",
                         service->name);
                for (size_t i = 0; i < service->n_methods; i++)
                        add_method(text, &service->methods[i]);
                text_add(text, "};\n");
        }

        text_add(text,
                 "\nconst struct pipit_service %s = {\n"
                 "        .name = \"%s\",\n",
                 service->table,
                 service->wire_name);
        if (service->n_methods > 0)
                text_add(text,
                         "        .methods = %s_methods,\n"
                         "        .n_methods = %zu,\n",
                         service->name,
                         service->n_methods);
        text_add(text, "        .file = &%s,\n};\n", file->symbol);
}

void emit_tables(struct text *text, const struct model_file *file)
{
        emit_notice(text, file);
        text_add(text, "\n#include \"%s.pipit.h\"\n", file->stem);
        if (file->n_imports > 0)
                text_add(text, "\n");
        for (size_t i = 0; i < file->n_imports; i++)
                text_add(text,
                         "#include \"%s.pipit.h\"\n",
                         names_stem(text->arena, file->imports[i]));
        text_add(text, "\n");

        add_file(text, file);
        for (size_t i = 0; i < file->n_services; i++)
                add_service(text, file, &file->services[i]);
}
