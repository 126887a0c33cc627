#include "server/runtime/reflection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "pipit/reflection/v1/reflection.pipit.h"
#include "server/runtime/call.h"
#include "server/runtime/runtime.h"
#include "server/runtime/symbols.h"

/* FileDescriptorSet.file */
#define TAG_FILE 0x0a

/* A file of a registered service, or one that such a file imports. */
struct reflected {
        const struct pipit_file *file;
        const size_t *imports; /* indexes; all lower than its own */
};

struct reflection {
        struct reflected *files; /* each name once; imports before those that import them */
        size_t n_files;
        size_t n_slots;
        struct symbols symbols;
        struct pipit_arena arena; /* of the services, and of imports */
        Pipit__Reflection__V1__ListServicesResponse services;
};

/* --- services -------------------------------------------------------------- */

static void handle_list_services(void *self,
                                 struct pipit_server_call *call,
                                 const Pipit__Reflection__V1__ListServicesRequest *request)
{
        const struct reflection *reflection = self;

        (void)request;
        pipit_reflection_v1_list_services_reply(call, &reflection->services);
}

static int compare_services(const void *a, const void *b)
{
        const Pipit__Reflection__V1__ServiceSummary *const *left = a;
        const Pipit__Reflection__V1__ServiceSummary *const *right = b;

        return strcmp((*left)->name, (*right)->name);
}

/* protobuf-c's strings are not const; these are only read. */
static char *borrow(const char *text)
{
        return (char *)(uintptr_t)text;
}

static Pipit__Reflection__V1__ServiceSummary *summary_new(struct pipit_arena *arena,
                                                          const struct pipit_service *service)
{
        Pipit__Reflection__V1__ServiceSummary *summary = pipit_arena_alloc(arena, sizeof(*summary));
        char **methods = pipit_arena_alloc(arena, service->n_methods * sizeof(*methods));

        if (!summary || !methods)
                return NULL;

        for (size_t i = 0; i < service->n_methods; ++i) {
                const char *slash = strrchr(service->methods[i].name, '/');

                methods[i] = borrow(slash ? slash + 1 : service->methods[i].name);
        }
        pipit__reflection__v1__service_summary__init(summary);
        summary->name = borrow(service->name);
        summary->methods = methods;
        summary->n_methods = service->n_methods;

        return summary;
}

static enum pipit_status make_services(struct reflection *reflection,
                                       const struct registry *registry)
{
        Pipit__Reflection__V1__ServiceSummary **summaries = pipit_arena_alloc(
                &reflection->arena, registry->n_services * sizeof(struct registry_service *));

        if (!summaries)
                return PIPIT_RESOURCE_EXHAUSTED;

        for (size_t i = 0; i < registry->n_services; ++i) {
                summaries[i] = summary_new(&reflection->arena, registry->services[i].service);
                if (!summaries[i])
                        return PIPIT_RESOURCE_EXHAUSTED;
        }
        qsort(summaries, registry->n_services, sizeof(summaries[0]), compare_services);
        reflection->services.services = summaries;
        reflection->services.n_services = registry->n_services;

        return PIPIT_OK;
}

/* --- files ----------------------------------------------------------------- */

static bool find_file(const struct reflection *reflection, const char *name, size_t *ret_index)
{
        for (size_t i = 0; i < reflection->n_files; ++i) {
                if (strcmp(reflection->files[i].file->name, name) == 0) {
                        *ret_index = i;
                        return true;
                }
        }

        return false;
}

static bool reserve_file(struct reflection *reflection)
{
        size_t n_slots = reflection->n_slots ? reflection->n_slots * 2 : 16;
        struct reflected *files;

        if (reflection->n_files < reflection->n_slots)
                return true;

        files = realloc(reflection->files, n_slots * sizeof(*files));
        if (!files)
                return false;
        reflection->files = files;
        reflection->n_slots = n_slots;

        return true;
}

/* After what it imports; no import leads back, or protoc would have refused it. */
static enum pipit_status add_file(struct reflection *reflection,
                                  const struct pipit_file *file,
                                  size_t *ret_index)
{
        size_t *imports;

        if (find_file(reflection, file->name, ret_index))
                return PIPIT_OK;

        imports = pipit_arena_alloc(&reflection->arena, file->n_dependencies * sizeof(*imports));
        if (!imports)
                return PIPIT_RESOURCE_EXHAUSTED;
        for (size_t i = 0; i < file->n_dependencies; ++i) {
                enum pipit_status status = add_file(reflection, file->dependencies[i], &imports[i]);

                if (status != PIPIT_OK)
                        return status;
        }
        if (!reserve_file(reflection))
                return PIPIT_RESOURCE_EXHAUSTED;

        *ret_index = reflection->n_files++;
        reflection->files[*ret_index] = (struct reflected){.file = file, .imports = imports};

        return symbols_add(&reflection->symbols, file, *ret_index);
}

/* --- sets ------------------------------------------------------------------ */

/* Marks what the file at @index needs: an import's index is lower than its importer's. */
static void mark_imports(const struct reflection *reflection, size_t index, bool *marks)
{
        for (size_t i = index + 1; i-- > 0;) {
                const struct reflected *one = &reflection->files[i];

                for (size_t j = 0; marks[i] && j < one->file->n_dependencies; ++j)
                        marks[one->imports[j]] = true;
        }
}

static size_t length_bytes(size_t length)
{
        size_t n = 1;

        for (; length >= 0x80; length >>= 7)
                ++n;

        return n;
}

static size_t set_bytes(const struct reflection *reflection, size_t index, const bool *marks)
{
        size_t n_bytes = 0;

        for (size_t i = 0; i <= index; ++i) {
                size_t n_file = reflection->files[i].file->n_bytes;

                n_bytes += marks[i] ? 1 + length_bytes(n_file) + n_file : 0;
        }

        return n_bytes;
}

static uint8_t *write_file(uint8_t *to, const struct pipit_file *file)
{
        size_t length = file->n_bytes;

        *to++ = TAG_FILE;
        for (; length >= 0x80; length >>= 7)
                *to++ = (uint8_t)(length | 0x80);
        *to++ = (uint8_t)length;
        memcpy(to, file->bytes, file->n_bytes);

        return to + file->n_bytes;
}

static void write_set(const struct reflection *reflection,
                      size_t index,
                      const bool *marks,
                      uint8_t *to)
{
        for (size_t i = 0; i <= index; ++i) {
                if (marks[i])
                        to = write_file(to, reflection->files[i].file);
        }
}

/* --- descriptors ----------------------------------------------------------- */

static void fail_unknown(struct pipit_server_call *call,
                         enum runtime_error reason,
                         const char *name,
                         const char *nearest)
{
        struct pipit_error error = runtime_error_make(reason);
        char text[128 + 3 * SYMBOLS_NEAREST_BYTES_MAX];

        if (strlen(name) <= SYMBOLS_NEAREST_BYTES_MAX) {
                (void)snprintf(text,
                               sizeof(text),
                               "%s: '%s'%s%.*s%s",
                               error.message,
                               name,
                               nearest ? "; the nearest is '" : "",
                               2 * SYMBOLS_NEAREST_BYTES_MAX,
                               nearest ? nearest : "",
                               nearest ? "'" : "");
                error.message = text;
        }
        pipit_server_call_fail(call, &error);
}

static void fail_too_large(struct pipit_server_call *call, const struct pipit_file *file)
{
        struct pipit_error error = runtime_error_make(RUNTIME_ERROR_RESPONSE_TOO_LARGE);
        char text[256];

        (void)snprintf(text,
                       sizeof(text),
                       "%.160s and what it imports do not fit a frame; each file can be asked for "
                       "without_imports",
                       file->name);
        error.message = text;
        pipit_server_call_fail(call, &error);
}

/* False: there is none, and the call has failed. */
static bool find_asked(const struct reflection *reflection,
                       struct pipit_server_call *call,
                       const Pipit__Reflection__V1__GetDescriptorsRequest *request,
                       size_t *ret_index)
{
        const char *name = "";
        const struct symbol *symbol;

        if (request->what_case == PIPIT__REFLECTION__V1__GET_DESCRIPTORS_REQUEST__WHAT_FILE) {
                if (find_file(reflection, request->file, ret_index))
                        return true;
                fail_unknown(call, RUNTIME_ERROR_FILE_NOT_FOUND, request->file, NULL);
                return false;
        }

        if (request->what_case == PIPIT__REFLECTION__V1__GET_DESCRIPTORS_REQUEST__WHAT_SYMBOL)
                name = request->symbol[0] == '.' ? request->symbol + 1 : request->symbol;
        symbol = symbols_find(&reflection->symbols, name);
        if (symbol)
                *ret_index = symbol->file;
        else
                fail_unknown(call,
                             RUNTIME_ERROR_SYMBOL_NOT_FOUND,
                             name,
                             symbols_nearest(&reflection->symbols, name));

        return symbol;
}

static void reply_with(const struct reflection *reflection,
                       struct pipit_server_call *call,
                       size_t index,
                       const bool *marks)
{
        Pipit__Reflection__V1__GetDescriptorsResponse response =
                PIPIT__REFLECTION__V1__GET_DESCRIPTORS_RESPONSE__INIT;
        ProtobufCBinaryData *set = &response.file_descriptor_set;

        set->len = set_bytes(reflection, index, marks);
        if (set->len > call->frame->server->options.frame_bytes_max) {
                fail_too_large(call, reflection->files[index].file);
                return;
        }

        set->data = malloc(set->len + 1); /* not 0 */
        if (set->data) {
                write_set(reflection, index, marks, set->data);
                pipit_reflection_v1_get_descriptors_reply(call, &response);
        } else {
                call_fail_with(call, RUNTIME_ERROR_RESPONSE_LOST);
        }
        free(set->data);
}

static void handle_get_descriptors(void *self,
                                   struct pipit_server_call *call,
                                   const Pipit__Reflection__V1__GetDescriptorsRequest *request)
{
        const struct reflection *reflection = self;
        size_t index;
        bool *marks;

        if (!find_asked(reflection, call, request, &index))
                return;

        marks = calloc(index + 1, sizeof(*marks));
        if (!marks) {
                call_fail_with(call, RUNTIME_ERROR_RESPONSE_LOST);
                return;
        }
        marks[index] = true;
        if (!request->without_imports)
                mark_imports(reflection, index, marks);
        reply_with(reflection, call, index, marks);
        free(marks);
}

/* --- life ------------------------------------------------------------------ */

static const struct pipit_reflection_v1_reflection_service handlers = {
        .list_services = handle_list_services,
        .get_descriptors = handle_get_descriptors,
};

struct reflection *reflection_new(void)
{
        struct reflection *reflection = calloc(1, sizeof(*reflection));

        if (reflection)
                pipit__reflection__v1__list_services_response__init(&reflection->services);

        return reflection;
}

struct reflection *reflection_free(struct reflection *reflection)
{
        if (!reflection)
                return NULL;

        symbols_deinit(&reflection->symbols);
        free(reflection->files);
        pipit_arena_deinit(&reflection->arena);
        free(reflection);

        return NULL;
}

enum pipit_status reflection_register(struct reflection *reflection, struct pipit_server *server)
{
        return pipit_reflection_v1_reflection_service_register(server, &handlers, reflection);
}

enum pipit_status reflection_seal(struct reflection *reflection, const struct registry *registry)
{
        enum pipit_status status = make_services(reflection, registry);

        for (size_t i = 0; status == PIPIT_OK && i < registry->n_services; ++i) {
                size_t index;

                if (registry->services[i].service->file)
                        status = add_file(reflection, registry->services[i].service->file, &index);
        }

        if (status == PIPIT_OK)
                symbols_sort(&reflection->symbols);

        return status;
}
