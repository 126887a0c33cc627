#include "tools/cli/highlight.h"

#include <string.h>

#define KEY     "\x1b[1;34m"
#define STRING  "\x1b[32m"
#define LITERAL "\x1b[33m"
#define FAINT   "\x1b[2m"
#define KEYWORD "\x1b[1;34m"
#define NORMAL  "\x1b[0m"

const struct cli_proto_colours cli_proto_colours = {
        .comment = FAINT,
        .keyword = KEYWORD,
        .normal = NORMAL,
};

/* Behind the string that begins at @text. */
static const char *end_of_string(const char *text)
{
        for (text++; *text && *text != '"'; text++) {
                if (*text == '\\' && text[1])
                        text++;
        }

        return *text ? text + 1 : text;
}

/* C1 control characters are U+0080 to U+009f: two bytes, of which the first is 0xc2. */
static void print_string(FILE *file, const char *text, const char *end)
{
        for (; text < end; text++) {
                const unsigned char *bytes = (const unsigned char *)text;

                if (bytes[0] == 0xc2 && text + 1 < end && bytes[1] >= 0x80 && bytes[1] < 0xa0) {
                        (void)fprintf(file, "\\u%04x", bytes[1]);
                        text++;
                } else {
                        (void)fputc(*text, file);
                }
        }
}

static const char *print_token(FILE *file, const char *text)
{
        const char *end = text;

        if (*text == '"') {
                end = end_of_string(text);
                (void)fputs(*end == ':' ? KEY : STRING, file);
                print_string(file, text, end);
        } else {
                end += strcspn(text, "{}[],: \n");
                (void)fputs(LITERAL, file);
                (void)fwrite(text, 1, (size_t)(end - text), file);
        }

        (void)fputs(NORMAL, file);
        return end;
}

void cli_print_json(FILE *file, const char *text, bool in_colours)
{
        if (!in_colours) {
                (void)fprintf(file, "%s\n", text);
                return;
        }

        while (*text) {
                if (strchr("{}[],: \n", *text))
                        (void)fputc(*text++, file);
                else
                        text = print_token(file, text);
        }
        (void)fputc('\n', file);
}
