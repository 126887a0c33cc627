#include "gen/index.h"

#include <stdlib.h>
#include <string.h>

#include "gen/memory.h"

struct walk {
        struct pipit_arena *arena;
        struct index_entry *entries; /* NULL: only count */
        size_t n_entries;
        size_t file;
};

static const char *visit(struct walk *walk, const char *scope, const char *name)
{
        const char *full_name = gen_printf(walk->arena, "%s.%s", scope, name);

        if (walk->entries)
                walk->entries[walk->n_entries] = (struct index_entry){full_name, walk->file};
        walk->n_entries++;

        return full_name;
}

static void walk_message(struct walk *walk,
                         const char *scope,
                         const Google__Protobuf__DescriptorProto *message)
{
        const char *full_name = visit(walk, scope, message->name);

        for (size_t i = 0; i < message->n_nested_type; i++)
                walk_message(walk, full_name, message->nested_type[i]);
        for (size_t i = 0; i < message->n_enum_type; i++)
                (void)visit(walk, full_name, message->enum_type[i]->name);
}

static void walk_file(struct walk *walk, const Google__Protobuf__FileDescriptorProto *file)
{
        const char *scope = "";

        if (file->package && file->package[0])
                scope = gen_printf(walk->arena, ".%s", file->package);

        for (size_t i = 0; i < file->n_message_type; i++)
                walk_message(walk, scope, file->message_type[i]);
        for (size_t i = 0; i < file->n_enum_type; i++)
                (void)visit(walk, scope, file->enum_type[i]->name);
}

static size_t walk_all(struct pipit_arena *arena,
                       const struct index *index,
                       struct index_entry *entries)
{
        struct walk walk = {.arena = arena, .entries = entries};

        for (walk.file = 0; walk.file < index->n_files; walk.file++)
                walk_file(&walk, index->files[walk.file]);

        return walk.n_entries;
}

static int compare_entries(const void *a, const void *b)
{
        const struct index_entry *left = a;
        const struct index_entry *right = b;

        return strcmp(left->full_name, right->full_name);
}

struct index index_make(struct pipit_arena *arena,
                        Google__Protobuf__FileDescriptorProto *const *files,
                        size_t n_files)
{
        struct index index = {.files = files, .n_files = n_files};

        index.n_entries = walk_all(arena, &index, NULL);
        index.entries = gen_alloc_array(arena, index.n_entries, sizeof(*index.entries));
        (void)walk_all(arena, &index, index.entries);
        qsort(index.entries, index.n_entries, sizeof(*index.entries), compare_entries);

        return index;
}

size_t index_find_file(const struct index *index, const char *name)
{
        for (size_t i = 0; i < index->n_files; i++)
                if (strcmp(index->files[i]->name, name) == 0)
                        return i;

        return INDEX_NONE;
}

size_t index_find_type(const struct index *index, const char *full_name)
{
        struct index_entry key = {.full_name = full_name};
        const struct index_entry *entry = bsearch(
                &key, index->entries, index->n_entries, sizeof(*index->entries), compare_entries);

        return entry ? entry->file : INDEX_NONE;
}

bool index_is_proto3(const struct index *index, size_t file)
{
        const char *syntax = index->files[file]->syntax;

        return syntax && strcmp(syntax, "proto3") == 0;
}
