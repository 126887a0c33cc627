#include "gen/diagnostics.h"

#include "gen/memory.h"

static void start_line(struct diagnostics *diagnostics)
{
        if (diagnostics->text.n_bytes > 0)
                text_add(&diagnostics->text, "\n");
}

/* What protoc made up, a map's entry say, stands nowhere: then where that is in which it is. */
static const Google__Protobuf__SourceCodeInfo__Location *find_nearest(
        const Google__Protobuf__FileDescriptorProto *file, struct source_path path)
{
        const Google__Protobuf__SourceCodeInfo__Location *location = NULL;

        for (; !location && path.n_elements > 0; path.n_elements--)
                location = source_find(file, path);

        return location;
}

char *diagnostics_place(struct pipit_arena *arena,
                        const Google__Protobuf__FileDescriptorProto *file,
                        struct source_path path)
{
        const Google__Protobuf__SourceCodeInfo__Location *location = find_nearest(file, path);

        if (!location || location->n_span < 2)
                return gen_strdup(arena, file->name);

        return gen_printf(arena,
                          "%s:%ld:%ld",
                          file->name,
                          (long)location->span[0] + 1,
                          (long)location->span[1] + 1);
}

void diagnostics_add_at(struct diagnostics *diagnostics,
                        const Google__Protobuf__FileDescriptorProto *file,
                        struct source_path path,
                        const char *format,
                        ...)
{
        va_list arguments;

        start_line(diagnostics);
        text_add(
                &diagnostics->text, "%s: ", diagnostics_place(diagnostics->text.arena, file, path));

        va_start(arguments, format);
        text_add_va(&diagnostics->text, format, arguments);
        va_end(arguments);
}

void diagnostics_add(struct diagnostics *diagnostics, const char *format, ...)
{
        va_list arguments;

        start_line(diagnostics);

        va_start(arguments, format);
        text_add_va(&diagnostics->text, format, arguments);
        va_end(arguments);
}
