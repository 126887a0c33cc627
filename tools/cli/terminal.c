#include "tools/cli/terminal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/utf8.h"

bool cli_has_colours(FILE *file)
{
        const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

        return isatty(fileno(file)) && (!no_color || no_color[0] == '\0') &&
               !(term && strcmp(term, "dumb") == 0);
}

void cli_print_safe(FILE *file, const char *text)
{
        size_t n_left = strlen(text);

        while (n_left > 0) {
                uint32_t code_point;
                size_t n = pipit_utf8_decode((const uint8_t *)text, n_left, &code_point);

                if (n == 0 || pipit_utf8_is_control(code_point)) {
                        (void)fprintf(file, "\\x%02x", (unsigned char)*text);
                        n = 1;
                } else {
                        (void)fwrite(text, 1, n, file);
                }
                text += n;
                n_left -= n;
        }
}
