/*
 * The request log in memory: which write a principal's request_id was, and what
 * it left
 *
 * Not thread-safe: the store's lock guards it.
 */

#ifndef SERVER_STORE_MEMORY_REQUEST_LOG_H
#define SERVER_STORE_MEMORY_REQUEST_LOG_H

#include <sys/queue.h>

#include "core/users/repository.h"
#include "server/store/memory/treap.h"

enum write_kind {
        WRITE_INSERT,
        WRITE_UPDATE,
        WRITE_DELETE,
};

struct request_log_key {
        char principal[USERS_PRINCIPAL_BYTES_MAX + 1];
        uint8_t request_id[16];
};

/* struct request_log_record - one write; heap, the log's once it is added */
struct request_log_record {
        struct treap_node node;
        TAILQ_ENTRY(request_log_record) by_age;
        struct request_log_key key;
        uint8_t request_hash[32];
        enum write_kind kind;
        int64_t created_us;
        struct user user; /* unused for a delete */
};

struct request_log {
        struct treap by_key;
        TAILQ_HEAD(, request_log_record) by_age; /* oldest first */
};

void request_log_init(struct request_log *log);
void request_log_deinit(struct request_log *log);

/* A record of @write that is not yet in the log. NULL: out of memory. */
struct request_log_record *request_log_record_new(const struct users_write *write,
                                                  enum write_kind kind);

/* The record under the same key as @record, if it is younger than 24 hours; else NULL. */
struct request_log_record *request_log_find(const struct request_log *log,
                                            const struct request_log_record *record,
                                            int64_t now_us);

/*
 * Takes @record, whose key request_log_find() did not know, and drops a few of
 * those that are too old.
 */
void request_log_add(struct request_log *log, struct request_log_record *record, int64_t now_us);

#endif
