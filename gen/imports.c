#include "gen/imports.h"

#include <string.h>

#include "gen/memory.h"

struct needs {
        const struct index *index;
        const Google__Protobuf__FileDescriptorProto *file;
        size_t file_index;
        bool *needed;
        bool *is_found; /* whose definer was looked for already, by file */
        bool *reached;  /* scratch of is_visible_through(), by file */
};

static void reach_public_imports(struct needs *needs, size_t at)
{
        const Google__Protobuf__FileDescriptorProto *file = needs->index->files[at];

        for (size_t i = 0; i < file->n_public_dependency; i++) {
                const char *name = file->dependency[file->public_dependency[i]];
                size_t import = index_find_file(needs->index, name);

                if (import != INDEX_NONE)
                        needs->reached[import] = true;
        }
}

/*
 * Whether who imports file @importee sees what file @definer defines. Files stand behind
 * their imports: one way through them suffices, however many lead from one to the other.
 */
static bool is_visible_through(struct needs *needs, size_t importee, size_t definer)
{
        if (importee == INDEX_NONE || importee < definer)
                return false;

        memset(needs->reached, 0, needs->index->n_files * sizeof(*needs->reached));
        needs->reached[importee] = true;
        for (size_t at = importee; at > definer; at--)
                if (needs->reached[at])
                        reach_public_imports(needs, at);

        return needs->reached[definer];
}

static void need_type(struct needs *needs, const char *type_name)
{
        const Google__Protobuf__FileDescriptorProto *file = needs->file;
        size_t definer = type_name ? index_find_type(needs->index, type_name) : INDEX_NONE;

        if (definer == INDEX_NONE || definer == needs->file_index || needs->is_found[definer])
                return;

        needs->is_found[definer] = true;
        for (size_t i = 0; i < file->n_dependency; i++) {
                size_t importee = index_find_file(needs->index, file->dependency[i]);

                if (is_visible_through(needs, importee, definer)) {
                        needs->needed[i] = true;
                        return;
                }
        }
}

static void need_message(struct needs *needs, const Google__Protobuf__DescriptorProto *message)
{
        for (size_t i = 0; i < message->n_field; i++)
                need_type(needs, message->field[i]->type_name);
        for (size_t i = 0; i < message->n_nested_type; i++)
                need_message(needs, message->nested_type[i]);
}

static void need_service(struct needs *needs,
                         const Google__Protobuf__ServiceDescriptorProto *service)
{
        for (size_t i = 0; i < service->n_method; i++) {
                need_type(needs, service->method[i]->input_type);
                need_type(needs, service->method[i]->output_type);
        }
}

/* Who imports this file may count on its public imports, unless they only define options. */
static void need_public(struct needs *needs)
{
        const Google__Protobuf__FileDescriptorProto *file = needs->file;

        for (size_t i = 0; i < file->n_public_dependency; i++) {
                int32_t at = file->public_dependency[i];
                size_t importee = index_find_file(needs->index, file->dependency[at]);
                const Google__Protobuf__FileDescriptorProto *dependency;

                if (importee == INDEX_NONE)
                        continue;
                dependency = needs->index->files[importee];
                if (!index_is_proto3(needs->index, importee))
                        continue;
                if (dependency->n_message_type > 0 || dependency->n_enum_type > 0 ||
                    dependency->n_public_dependency > 0)
                        needs->needed[at] = true;
        }
}

const bool *imports_needed(struct pipit_arena *arena, const struct index *index, size_t file)
{
        struct needs needs = {
                .index = index,
                .file = index->files[file],
                .file_index = file,
                .needed = gen_alloc_array(
                        arena, index->files[file]->n_dependency, sizeof(*needs.needed)),
                .is_found = gen_alloc_array(arena, index->n_files, sizeof(*needs.is_found)),
                .reached = gen_alloc_array(arena, index->n_files, sizeof(*needs.reached)),
        };

        for (size_t i = 0; i < needs.file->n_message_type; i++)
                need_message(&needs, needs.file->message_type[i]);
        for (size_t i = 0; i < needs.file->n_service; i++)
                need_service(&needs, needs.file->service[i]);
        need_public(&needs);

        return needs.needed;
}

static size_t filter_indices(int32_t *indices, size_t n, const bool *needed, const int32_t *moved)
{
        size_t n_kept = 0;

        for (size_t i = 0; i < n; i++)
                if (needed[indices[i]])
                        indices[n_kept++] = moved[indices[i]];

        return n_kept;
}

void imports_filter(struct pipit_arena *arena,
                    Google__Protobuf__FileDescriptorProto *file,
                    const bool *needed)
{
        int32_t *moved = gen_alloc_array(arena, file->n_dependency, sizeof(*moved));
        size_t n_kept = 0;

        for (size_t i = 0; i < file->n_dependency; i++) {
                if (!needed[i])
                        continue;
                moved[i] = (int32_t)n_kept;
                file->dependency[n_kept++] = file->dependency[i];
        }

        file->n_dependency = n_kept;
        file->n_public_dependency =
                filter_indices(file->public_dependency, file->n_public_dependency, needed, moved);
        file->n_weak_dependency =
                filter_indices(file->weak_dependency, file->n_weak_dependency, needed, moved);
}
