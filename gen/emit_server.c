#include "gen/emit.h"

#include "gen/memory.h"

static void add_dispatch(struct text *text,
                         const struct model_service *service,
                         const struct model_method *method)
{
        static const char *const parameters[] = {
                "const void *handlers",
                "void *self",
                "struct pipit_server_call *call",
                "const ProtobufCMessage *request",
        };

        text_add(text, "\n");
        emit_function(text,
                      "",
                      gen_printf(text->arena, "static bool %s", method->dispatch),
                      parameters,
                      PIPIT_N_ELEMENTS(parameters),
                      "");
        /* the parentheses keep a macro of that name from being taken for it */
        text_add(text,
                 "{\n"
                 "        const struct %s *typed = handlers;\n"
                 "\n"
                 "        if (!typed->%s)\n"
                 "                return false;\n"
                 "\n"
                 "        if (call)\n"
                 "                (*typed->%s)(self, call, (const void *)request);\n"
                 "\n"
                 "        return true;\n"
                 "}\n",
                 service->name,
                 method->member,
                 method->member);
}

static void add_reply(struct text *text, const struct model_method *method)
{
        text_add(text, "\n");
        emit_reply(text, method, "");
        text_add(text,
                 "{\n"
                 "        pipit_server_call_reply(call, &response->base);\n"
                 "}\n");
}

static void add_dispatch_table(struct text *text, const struct model_service *service)
{
        text_add(
                text, "\nstatic const pipit_server_dispatch_fn %s_dispatch[] = {\n", service->name);
        for (size_t i = 0; i < service->n_methods; i++)
                text_add(text, "        %s,\n", service->methods[i].dispatch);
        text_add(text, "};\n");

        /* only bool members, so that the server can read them as an array in the order of methods */
        text_add(text,
                 "\n_Static_assert(sizeof(((struct %s *)0)->blocks) == %zu * sizeof(bool),\n"
                 "               \"one flag a method, without gaps\");\n",
                 service->name,
                 service->n_methods);
}

static void add_register(struct text *text, const struct model_service *service)
{
        text_add(text, "\n");
        emit_register(text, service, "");
        if (service->n_methods == 0)
                text_add(text,
                         "{\n"
                         "        return pipit_server_register(server, &%s, NULL, NULL, handlers, "
                         "self);\n"
                         "}\n",
                         service->table);
        else
                text_add(text,
                         "{\n"
                         "        return pipit_server_register(server,\n"
                         "                                     &%s,\n"
                         "                                     %s_dispatch,\n"
                         "                                     (const void *)&handlers->blocks,\n"
                         "                                     handlers,\n"
                         "                                     self);\n"
                         "}\n",
                         service->table,
                         service->name);
}

static void add_service(struct text *text, const struct model_service *service)
{
        for (size_t i = 0; i < service->n_methods; i++) {
                add_dispatch(text, service, &service->methods[i]);
                add_reply(text, &service->methods[i]);
        }
        if (service->n_methods > 0)
                add_dispatch_table(text, service);
        add_register(text, service);
}

void emit_server(struct text *text, const struct model_file *file)
{
        emit_notice(text, file);
        text_add(text, "\n#include \"%s.pipit.h\"\n", file->stem);

        for (size_t i = 0; i < file->n_services; i++)
                add_service(text, &file->services[i]);
}
