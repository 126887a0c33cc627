#include "gen/source.h"

#include <string.h>

struct source_path source_path_field(struct source_path path, int32_t number)
{
        if (path.n_elements < SOURCE_PATH_MAX)
                path.elements[path.n_elements++] = number;

        return path;
}

struct source_path source_path_at(struct source_path path, int32_t number, size_t index)
{
        return source_path_field(source_path_field(path, number), (int32_t)index);
}

const Google__Protobuf__SourceCodeInfo__Location *source_find(
        const Google__Protobuf__FileDescriptorProto *file, struct source_path path)
{
        const Google__Protobuf__SourceCodeInfo *info = file->source_code_info;

        for (size_t i = 0; info && i < info->n_location; i++) {
                const Google__Protobuf__SourceCodeInfo__Location *location = info->location[i];

                if (location->n_path == path.n_elements &&
                    (path.n_elements == 0 ||
                     memcmp(location->path, path.elements, path.n_elements * sizeof(int32_t)) == 0))
                        return location;
        }

        return NULL;
}

struct source_comments source_comments(const Google__Protobuf__FileDescriptorProto *file,
                                       struct source_path path)
{
        const Google__Protobuf__SourceCodeInfo__Location *location = source_find(file, path);

        if (!location)
                return (struct source_comments){.n_detached = 0};

        return (struct source_comments){
                .leading = location->leading_comments,
                .trailing = location->trailing_comments,
                .detached = location->leading_detached_comments,
                .n_detached = location->n_leading_detached_comments,
        };
}
