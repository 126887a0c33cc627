/*
 * usersd's command line and environment
 *
 * Each flag may be given as an environment variable, too (--store is
 * USERSD_STORE); the command line wins. Knows nothing of what is done with them.
 */

#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/log.h"

#define USERSD_URLS_MAX  16
#define USERSD_FLAGS_MAX 32

enum usersd_command {
        USERSD_SERVE,
        USERSD_MIGRATE,
        USERSD_INVOKE,
        USERSD_VERSION,
        USERSD_HELP,
};

/* Strings point into argv, the environment, or into this struct. */
struct usersd_options {
        enum usersd_command command;
        const char *method; /* invoke */

        const char *urls[USERSD_URLS_MAX]; /* serve: at least one */
        size_t n_urls;
        const char *store;
        enum pipit_log_level log_level;
        enum pipit_log_format log_format;
        bool insecure_plaintext;
        /* serve: NULL is none; those that were not given are in their usual places, or not there */
        const char *key_path;
        const char *authorized_keys_path;
        const char *policy_path;
        bool key_given;
        bool authorized_keys_given;
        bool policy_given;
        bool no_reflection;
        bool allow_data_loss;
        bool no_named_statements;
        uint32_t n_connections; /* 0: the store's default */
        uint32_t drain_ms;      /* 0: the server's default */
        uint32_t timeout_ms;    /* invoke */

        /* private */
        bool given[USERSD_FLAGS_MAX]; /* on the command line: the environment is not asked */
        char default_url[256];
        char default_key[512];
        char default_authorized_keys[512];
        char default_policy[512];
        char default_store[512];
        char listen_text[4096]; /* what urls point into */
        size_t n_listen_bytes;
};

/*
 * Reads @argv and the environment. False: what is wrong, and what would be
 * right, has been written to @errors; of a store's URL no more than the scheme,
 * for a password may be in it.
 */
bool usersd_options_read(struct usersd_options *ret_options, int argc, char **argv, FILE *errors);

void usersd_options_help(FILE *output);

#endif
