/* Page tokens: the ones that were made are read, and no others. */

#include <string.h>

#include "server/delivery/users_v1/page_token.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
        static const uint8_t key[USERS_V1_PAGE_TOKEN_KEY_BYTES] = {1};
        struct fuzz_input input = {.at = bytes, .n_left = n_bytes};
        char made[USERS_V1_PAGE_TOKEN_SIZE], changed[USERS_V1_PAGE_TOKEN_SIZE];
        struct pipit_uuid after, read;
        size_t at;
        char *text;

        for (size_t i = 0; i < sizeof(after.bytes); i++)
                after.bytes[i] = fuzz_byte(&input);
        users_v1_page_token_write(key, &after, made);
        FUZZ_CHECK(users_v1_page_token_read(key, made, &read));
        FUZZ_CHECK(memcmp(&read, &after, sizeof(read)) == 0);

        memcpy(changed, made, sizeof(made));
        at = fuzz_byte(&input) % (sizeof(made) - 1);
        changed[at] = (char)fuzz_byte(&input);
        if (strcmp(changed, made) != 0)
                FUZZ_CHECK(!users_v1_page_token_read(key, changed, &read));

        text = strndup((const char *)input.at, input.n_left);
        FUZZ_CHECK(text);
        if (users_v1_page_token_read(key, text, &read)) {
                /* The fuzzer sees what is compared here, so it may come with one that was made before. */
                users_v1_page_token_write(key, &read, made);
                FUZZ_CHECK(strcmp(text, made) == 0);
        }
        free(text);

        return 0;
}
