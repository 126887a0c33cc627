#include "gen/generator.h"

#include <string.h>

#include "gen/check.h"
#include "gen/child.h"
#include "gen/diagnostics.h"
#include "gen/emit.h"
#include "gen/filter.h"
#include "gen/identifiers.h"
#include "gen/index.h"
#include "gen/memory.h"
#include "gen/mend.h"
#include "gen/model.h"
#include "gen/nesting.h"
#include "gen/options.h"
#include "gen/types.h"
#include "google/protobuf/compiler/plugin.pb-c.h"

typedef Google__Protobuf__Compiler__CodeGeneratorRequest request_message;
typedef Google__Protobuf__Compiler__CodeGeneratorResponse response_message;
typedef Google__Protobuf__Compiler__CodeGeneratorResponse__File response_file;

#define FILES_A_PROTO_MAX 4 /* .pipit.h, .pipit.c, .client.pipit.c, .server.pipit.c */

struct generator {
        struct pipit_arena *arena;
        const void *bytes; /* the request */
        size_t n_bytes;
        const request_message *request;
        struct gen_options options;
        struct diagnostics diagnostics;
        struct index index;
        struct model_file *files; /* as request->proto_file */
        bool *is_wanted;
        response_message response;
};

static enum nesting check_nesting(const void *bytes, size_t n_bytes)
{
        return nesting_check(
                &google__protobuf__compiler__code_generator_request__descriptor, bytes, n_bytes);
}

/* Each use changes what it gets, so each has its own. NULL: no request, or nested too deep. */
static request_message *unpack_request(struct pipit_arena *arena, const void *bytes, size_t n_bytes)
{
        ProtobufCAllocator allocator = gen_allocator(arena);
        request_message *request;

        if (check_nesting(bytes, n_bytes) != NESTING_OK)
                return NULL;

        request = google__protobuf__compiler__code_generator_request__unpack(
                &allocator, n_bytes, bytes);

        if (request && !check_well_formed(request->proto_file, request->n_proto_file))
                return NULL;

        return request;
}

static void add_file(struct generator *generator, const char *name, const char *content)
{
        response_file *file = gen_alloc(generator->arena, sizeof(*file));

        google__protobuf__compiler__code_generator_response__file__init(file);
        file->name = gen_strdup(generator->arena, name);
        file->content = gen_strdup(generator->arena, content);
        generator->response.file[generator->response.n_file++] = file;
}

static void add_text(struct generator *generator,
                     const struct model_file *file,
                     const char *suffix,
                     const struct text *text)
{
        add_file(generator, gen_printf(generator->arena, "%s%s", file->stem, suffix), text->bytes);
}

static void generate_file(struct generator *generator, const struct model_file *file)
{
        struct text header = {.arena = generator->arena};
        struct text tables = {.arena = generator->arena};
        struct text client = {.arena = generator->arena};
        struct text server = {.arena = generator->arena};

        emit_header(&header, file, &generator->index);
        add_text(generator, file, ".pipit.h", &header);
        emit_tables(&tables, file);
        add_text(generator, file, ".pipit.c", &tables);

        if (file->n_services == 0)
                return;

        emit_client(&client, file);
        add_text(generator, file, ".client.pipit.c", &client);
        emit_server(&server, file);
        add_text(generator, file, ".server.pipit.c", &server);
}

/* --- what is embedded ------------------------------------------------------- */

static void fill_embedded(struct generator *generator)
{
        request_message *copy =
                unpack_request(generator->arena, generator->bytes, generator->n_bytes);
        struct index index = index_make(generator->arena, copy->proto_file, copy->n_proto_file);

        for (size_t i = 0; i < copy->n_proto_file; i++) {
                Google__Protobuf__FileDescriptorProto *descriptor = copy->proto_file[i];
                struct model_file *file = &generator->files[i];
                unsigned char *bytes;

                filter_for_embedding(generator->arena, &index, i);
                file->n_bytes =
                        google__protobuf__file_descriptor_proto__get_packed_size(descriptor);
                bytes = gen_alloc(generator->arena, file->n_bytes);
                (void)google__protobuf__file_descriptor_proto__pack(descriptor, bytes);
                file->bytes = bytes;
                file->imports = (const char *const *)descriptor->dependency;
                file->n_imports = descriptor->n_dependency;
        }
}

/* --- messages ---------------------------------------------------------------- */

static struct text pack_message_request(struct generator *generator)
{
        struct text packed = {.arena = generator->arena};
        request_message *copy =
                unpack_request(generator->arena, generator->bytes, generator->n_bytes);
        request_message request = GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_REQUEST__INIT;
        struct index index = index_make(generator->arena, copy->proto_file, copy->n_proto_file);
        size_t n_bytes;

        for (size_t i = 0; i < copy->n_proto_file; i++)
                filter_for_messages(generator->arena, &index, i);

        request.file_to_generate = copy->file_to_generate;
        request.n_file_to_generate = copy->n_file_to_generate;
        request.proto_file = copy->proto_file;
        request.n_proto_file = copy->n_proto_file;
        request.compiler_version = copy->compiler_version;

        n_bytes = google__protobuf__compiler__code_generator_request__get_packed_size(&request);
        (void)google__protobuf__compiler__code_generator_request__pack(
                &request, (uint8_t *)text_reserve(&packed, n_bytes));
        text_advance(&packed, n_bytes);

        return packed;
}

/* NULL: it is in the diagnostics why. */
static const response_message *ask_protoc_c(struct generator *generator)
{
        ProtobufCAllocator allocator = gen_allocator(generator->arena);
        struct text request = pack_message_request(generator);
        struct text answer = {.arena = generator->arena};
        const char *program = generator->options.protoc_gen_c;
        const response_message *response;
        const char *error;

        if (!child_run(program, request.bytes, request.n_bytes, &answer, &error)) {
                diagnostics_add(&generator->diagnostics, "%s", error);
                return NULL;
        }

        response = google__protobuf__compiler__code_generator_response__unpack(
                &allocator, answer.n_bytes, (const uint8_t *)answer.bytes);
        if (!response)
                diagnostics_add(&generator->diagnostics,
                                "%s answered something that is no CodeGeneratorResponse",
                                program);
        else if (response->error && response->error[0])
                diagnostics_add(&generator->diagnostics, "%s: %s", program, response->error);
        else if (response->n_file == 0 && generator->request->n_file_to_generate > 0)
                diagnostics_add(&generator->diagnostics, "%s wrote no files", program);
        else
                return response;

        return NULL;
}

/* Adds the files of @messages. */
static void add_messages(struct generator *generator, const response_message *messages)
{
        for (size_t i = 0; i < messages->n_file; i++)
                generator->response.file[generator->response.n_file++] = messages->file[i];
}

static response_file *find_added(struct generator *generator,
                                 const struct model_file *file,
                                 const char *suffix)
{
        const char *name = gen_printf(generator->arena, "%s%s", file->stem, suffix);

        for (size_t i = 0; i < generator->response.n_file; i++) {
                response_file *added = generator->response.file[i];

                if (added->name && added->content && strcmp(added->name, name) == 0)
                        return added;
        }

        return NULL;
}

static void mend_messages(struct generator *generator, const struct model_file *file)
{
        struct pipit_arena *arena = generator->arena;
        response_file *source = find_added(generator, file, ".pb-c.c");
        response_file *header = find_added(generator, file, ".pb-c.h");

        if (source)
                source->content = gen_strdup(
                        arena, mend_source(&file->types, source->content, &generator->diagnostics));
        if (header)
                header->content = gen_strdup(
                        arena, mend_header(&file->types, header->content, &generator->diagnostics));
}

/* --- the whole ----------------------------------------------------------------- */

static void make_models(struct generator *generator)
{
        const request_message *request = generator->request;
        size_t n = request->n_proto_file;

        generator->index = index_make(generator->arena, request->proto_file, n);
        generator->files = gen_alloc_array(generator->arena, n, sizeof(*generator->files));
        generator->is_wanted = gen_alloc_array(generator->arena, n, sizeof(*generator->is_wanted));

        for (size_t i = 0; i < n; i++)
                generator->files[i] =
                        model_make(generator->arena, request->proto_file[i], &generator->options);

        for (size_t i = 0; i < request->n_file_to_generate; i++) {
                size_t file = index_find_file(&generator->index, request->file_to_generate[i]);

                if (file == INDEX_NONE)
                        diagnostics_add(&generator->diagnostics,
                                        "%s: not in the request",
                                        request->file_to_generate[i]);
                else
                        generator->is_wanted[file] = true;
        }
}

static void check_all(struct generator *generator)
{
        for (size_t i = 0; i < generator->request->n_proto_file; i++)
                if (generator->is_wanted[i])
                        check_supported(&generator->files[i],
                                        &generator->index,
                                        &generator->options,
                                        &generator->diagnostics);

        identifiers_check(generator->arena,
                          generator->files,
                          generator->is_wanted,
                          generator->request->n_proto_file,
                          &generator->options,
                          &generator->diagnostics);
}

static bool is_clean(const struct generator *generator)
{
        return generator->diagnostics.text.n_bytes == 0;
}

static void generate(struct generator *generator)
{
        static const response_message nothing =
                GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_RESPONSE__INIT;
        const response_message *messages = &nothing;

        make_models(generator);
        check_all(generator);
        if (is_clean(generator) && !generator->options.descriptors_only)
                messages = ask_protoc_c(generator);
        if (!is_clean(generator))
                return;

        generator->response.file = gen_alloc_array(
                generator->arena,
                messages->n_file + generator->request->n_proto_file * FILES_A_PROTO_MAX,
                sizeof(*generator->response.file));
        add_messages(generator, messages);

        fill_embedded(generator);
        for (size_t i = 0; i < generator->request->n_proto_file; i++) {
                if (!generator->is_wanted[i])
                        continue;
                mend_messages(generator, &generator->files[i]);
                generate_file(generator, &generator->files[i]);
        }
}

static void pack_response(struct generator *generator, struct text *text)
{
        response_message *response = &generator->response;
        size_t n_bytes;

        response->has_supported_features = true;
        response->supported_features =
                GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_RESPONSE__FEATURE__FEATURE_PROTO3_OPTIONAL;
        if (!is_clean(generator)) {
                response->error = generator->diagnostics.text.bytes;
                response->n_file = 0;
        }

        n_bytes = google__protobuf__compiler__code_generator_response__get_packed_size(response);
        (void)google__protobuf__compiler__code_generator_response__pack(
                response, (uint8_t *)text_reserve(text, n_bytes));
        text_advance(text, n_bytes);
}

bool generator_run(struct pipit_arena *arena,
                   const void *bytes,
                   size_t n_bytes,
                   struct text *response)
{
        struct generator generator = {
                .arena = arena,
                .bytes = bytes,
                .n_bytes = n_bytes,
                .request = unpack_request(arena, bytes, n_bytes),
                .diagnostics = {.text = {.arena = arena}},
                .response = GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_RESPONSE__INIT,
        };

        if (generator.request)
                generator.options = gen_options_parse(
                        arena, generator.request->parameter, &generator.diagnostics);
        else if (check_nesting(bytes, n_bytes) == NESTING_TOO_DEEP)
                diagnostics_add(&generator.diagnostics,
                                "messages inside messages: the request is more than %d levels deep",
                                NESTING_MAX);
        else
                return false;

        if (is_clean(&generator))
                generate(&generator);
        pack_response(&generator, response);

        return true;
}
