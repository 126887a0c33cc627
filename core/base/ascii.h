/*
 * Letters of names in code: ASCII, whatever the locale
 */

#ifndef CORE_BASE_ASCII_H
#define CORE_BASE_ASCII_H

static inline char pipit_ascii_upper(char c)
{
        if (c >= 'a' && c <= 'z')
                return (char)(c - 'a' + 'A');

        return c;
}

static inline char pipit_ascii_lower(char c)
{
        if (c >= 'A' && c <= 'Z')
                return (char)(c - 'A' + 'a');

        return c;
}

#endif
