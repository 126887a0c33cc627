#include "server/store/memory/request_log.h"

#include <stdlib.h>
#include <string.h>

/* Two for each that is added: the log shrinks, and no write pays for all of them. */
#define DROP_MAX 2

static int compare_keys(const void *key, const struct treap_node *node)
{
        const struct request_log_key *a = key;
        const struct request_log_key *b =
                &pipit_container_of(node, struct request_log_record, node)->key;
        int order = strcmp(a->principal, b->principal);

        return order != 0 ? order : memcmp(a->request_id, b->request_id, sizeof(a->request_id));
}

void request_log_init(struct request_log *log)
{
        *log = (struct request_log){.by_key.compare = compare_keys};
        TAILQ_INIT(&log->by_age);
}

static void drop(struct request_log *log, struct request_log_record *record)
{
        TAILQ_REMOVE(&log->by_age, record, by_age);
        treap_remove(&log->by_key, &record->key);
        free(record);
}

void request_log_deinit(struct request_log *log)
{
        while (!TAILQ_EMPTY(&log->by_age))
                drop(log, TAILQ_FIRST(&log->by_age));
}

struct request_log_record *request_log_record_new(const struct users_write *write,
                                                  enum write_kind kind)
{
        struct request_log_record *record = calloc(1, sizeof(*record));

        if (!record)
                return NULL;
        strcpy(record->key.principal, write->principal);
        memcpy(record->key.request_id, write->request_id, sizeof(write->request_id));
        memcpy(record->request_hash, write->request_hash, sizeof(write->request_hash));
        record->kind = kind;
        return record;
}

static bool is_too_old(const struct request_log_record *record, int64_t now_us)
{
        return record->created_us <= now_us - USERS_REQUEST_LOG_TTL_US;
}

struct request_log_record *request_log_find(const struct request_log *log,
                                            const struct request_log_record *record,
                                            int64_t now_us)
{
        struct treap_node *node = treap_find(&log->by_key, &record->key);
        struct request_log_record *found;

        if (!node)
                return NULL;
        found = pipit_container_of(node, struct request_log_record, node);
        return is_too_old(found, now_us) ? NULL : found;
}

void request_log_add(struct request_log *log, struct request_log_record *record, int64_t now_us)
{
        struct treap_node *node = treap_find(&log->by_key, &record->key);

        if (node)
                drop(log, pipit_container_of(node, struct request_log_record, node));
        for (int i = 0; i < DROP_MAX; i++) {
                struct request_log_record *oldest = TAILQ_FIRST(&log->by_age);

                if (!oldest || !is_too_old(oldest, now_us))
                        break;
                drop(log, oldest);
        }

        record->created_us = now_us;
        treap_insert(&log->by_key, &record->key, &record->node);
        TAILQ_INSERT_TAIL(&log->by_age, record, by_age);
}
