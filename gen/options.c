#include "gen/options.h"

#include <string.h>

#include "gen/memory.h"

static const char protoc_gen_c_key[] = "protoc_gen_c=";

static void parse_one(struct gen_options *options, char *word, struct diagnostics *diagnostics)
{
        const size_t n_key = sizeof(protoc_gen_c_key) - 1;

        if (strcmp(word, "long_names") == 0)
                options->long_names = true;
        else if (strcmp(word, "descriptors_only") == 0)
                options->descriptors_only = true;
        else if (strncmp(word, protoc_gen_c_key, n_key) == 0 && word[n_key])
                options->protoc_gen_c = word + n_key;
        else
                diagnostics_add(diagnostics,
                                "unknown option \"%s\"; there are long_names, descriptors_only and "
                                "protoc_gen_c=PATH",
                                word);
}

struct gen_options gen_options_parse(struct pipit_arena *arena,
                                     const char *parameter,
                                     struct diagnostics *diagnostics)
{
        struct gen_options options = {.protoc_gen_c = "protoc-gen-c"};
        char *rest;
        char *word;

        if (!parameter)
                return options;

        /* protoc writes nothing between the commas of an option that was given empty */
        for (word = strtok_r(gen_strdup(arena, parameter), ",", &rest); word;
             word = strtok_r(NULL, ",", &rest))
                parse_one(&options, word, diagnostics);

        return options;
}
