#include "gen/emit.h"

/*
 * Every message starts with its base, so a pointer to that leads back to the
 * whole; the runtime has checked its type.
 */
static void add_call(struct text *text,
                     const struct model_service *service,
                     const struct model_method *method,
                     size_t index)
{
        text_add(text, "\n");
        emit_call(text, method, "");
        text_add(text,
                 "{\n"
                 "        const ProtobufCMessage *response;\n"
                 "        enum pipit_status status;\n"
                 "\n"
                 "        status = pipit_channel_call(channel,\n"
                 "                                    call,\n"
                 "                                    &%s.methods[%zu],\n"
                 "                                    &request->base,\n"
                 "                                    &response);\n"
                 "        if (status == PIPIT_OK && ret_response)\n"
                 "                *ret_response = (const void *)response;\n"
                 "\n"
                 "        return status;\n"
                 "}\n",
                 service->table,
                 index);
}

static void add_start(struct text *text,
                      const struct model_service *service,
                      const struct model_method *method,
                      size_t index)
{
        text_add(text, "\n");
        emit_start(text, method, "");
        text_add(text,
                 "{\n"
                 "        pipit_channel_start(channel,\n"
                 "                            call,\n"
                 "                            &%s.methods[%zu],\n"
                 "                            &request->base);\n"
                 "}\n",
                 service->table,
                 index);
}

static void add_response(struct text *text,
                         const struct model_service *service,
                         const struct model_method *method,
                         size_t index)
{
        text_add(text, "\n");
        emit_response(text, method, "");
        text_add(text,
                 "{\n"
                 "        return (const void *)pipit_call_response(call, &%s.methods[%zu]);\n"
                 "}\n",
                 service->table,
                 index);
}

void emit_client(struct text *text, const struct model_file *file)
{
        emit_notice(text, file);
        text_add(text, "\n#include \"%s.pipit.h\"\n", file->stem);

        for (size_t i = 0; i < file->n_services; i++) {
                const struct model_service *service = &file->services[i];

                for (size_t k = 0; k < service->n_methods; k++) {
                        add_call(text, service, &service->methods[k], k);
                        add_start(text, service, &service->methods[k], k);
                        add_response(text, service, &service->methods[k], k);
                }
        }
}
