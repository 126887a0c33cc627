/* All of them link: what the file imports is in the library. */

#include <stdio.h>
#include <string.h>

#include "known/v1/known.pipit.h"

static size_t count(const struct pipit_file *file)
{
        size_t n = 1;

        for (size_t i = 0; i < file->n_dependencies; i++)
                n += count(file->dependencies[i]);

        return n;
}

int main(void)
{
        Known__V1__Known known = KNOWN__V1__KNOWN__INIT;
        Google__Protobuf__Timestamp timestamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        uint8_t bytes[64];

        known.timestamp = &timestamp;
        timestamp.seconds = 1;
        if (known__v1__known__pack(&known, bytes) != 4)
                return printf("not packed as expected\n"), 1;
        if (known_v1_known_proto.n_dependencies != 10 || count(&known_v1_known_proto) < 11)
                return printf("a file is missing\n"), 1;

        return 0;
}
