#include "server/runtime/reflection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "pipit/reflection/v1/reflection.pipit.h"
#include "server/runtime/call.h"
#include "server/runtime/symbols.h"

/* FileDescriptorSet.file */
#define TAG_FILE 0x0a

/* A file of a registered service, or one that such a file imports. */
struct reflected {
        const struct pipit_file *file;
        const size_t *imports; /* indexes; all lower than its own */
        ProtobufCBinaryData set;
};

struct reflection {
        struct reflected *files; /* each name once; imports before those that import them */
        size_t n_files;
        size_t n_slots;
        struct symbols symbols;
        struct pipit_arena arena; /* of the answers */
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

/* Marks what the file at @index needs, itself included: an import's index is lower than its importer's. */
static void mark_needed(const struct reflection *reflection, size_t index, bool *needed)
{
        memset(needed, 0, reflection->n_files * sizeof(*needed));
        needed[index] = true;
        for (size_t i = index + 1; i-- > 0;) {
                const struct reflected *one = &reflection->files[i];

                for (size_t j = 0; needed[i] && j < one->file->n_dependencies; ++j)
                        needed[one->imports[j]] = true;
        }
}

static size_t length_bytes(size_t length)
{
        size_t n = 1;

        for (; length >= 0x80; length >>= 7)
                ++n;

        return n;
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

static bool make_set(struct reflection *reflection, size_t index, bool *needed)
{
        struct reflected *files = reflection->files;
        size_t n_bytes = 0;
        uint8_t *to;

        mark_needed(reflection, index, needed);
        for (size_t i = 0; i <= index; ++i) {
                if (needed[i])
                        n_bytes +=
                                1 + length_bytes(files[i].file->n_bytes) + files[i].file->n_bytes;
        }

        to = pipit_arena_alloc(&reflection->arena, n_bytes);
        if (!to)
                return false;
        files[index].set = (ProtobufCBinaryData){.len = n_bytes, .data = to};
        for (size_t i = 0; i <= index; ++i) {
                if (needed[i])
                        to = write_file(to, files[i].file);
        }

        return true;
}

static enum pipit_status make_sets(struct reflection *reflection)
{
        bool *needed = pipit_arena_alloc(&reflection->arena, reflection->n_files * sizeof(*needed));

        if (!needed)
                return PIPIT_RESOURCE_EXHAUSTED;
        for (size_t i = 0; i < reflection->n_files; ++i) {
                if (!make_set(reflection, i, needed))
                        return PIPIT_RESOURCE_EXHAUSTED;
        }
        symbols_sort(&reflection->symbols);

        return PIPIT_OK;
}

/* --- descriptors ----------------------------------------------------------- */

static void fail_unknown(const struct reflection *reflection,
                         struct pipit_server_call *call,
                         const char *name)
{
        const char *nearest = symbols_nearest(&reflection->symbols, name);
        struct pipit_error error = runtime_error_make(RUNTIME_ERROR_SYMBOL_NOT_FOUND);
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

static void handle_get_descriptors(void *self,
                                   struct pipit_server_call *call,
                                   const Pipit__Reflection__V1__GetDescriptorsRequest *request)
{
        const struct reflection *reflection = self;
        const char *name = request->symbol[0] == '.' ? request->symbol + 1 : request->symbol;
        const struct symbol *symbol = symbols_find(&reflection->symbols, name);
        Pipit__Reflection__V1__GetDescriptorsResponse response =
                PIPIT__REFLECTION__V1__GET_DESCRIPTORS_RESPONSE__INIT;

        if (!symbol) {
                fail_unknown(reflection, call, name);
                return;
        }

        response.file_descriptor_set = reflection->files[symbol->file].set;
        pipit_reflection_v1_get_descriptors_reply(call, &response);
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

        return status == PIPIT_OK ? make_sets(reflection) : status;
}
