/*
 * Treap: a sorted set of what embeds its nodes
 *
 * A search tree that random priorities keep balanced: no peer's choice of keys
 * can make it slow, as it could a hash table. Not thread-safe. Allocates nothing.
 */

#ifndef SERVER_STORE_MEMORY_TREAP_H
#define SERVER_STORE_MEMORY_TREAP_H

#include <stdint.h>

struct treap_node {
        struct treap_node *left;
        struct treap_node *right;
        uint64_t priority;
};

/* As memcmp: where @key stands to that of @node. */
typedef int (*treap_compare_fn)(const void *key, const struct treap_node *node);

/* Empty with root NULL. */
struct treap {
        treap_compare_fn compare;
        struct treap_node *root;
};

/* NULL: there is none. */
struct treap_node *treap_find(const struct treap *treap, const void *key);

/* The first node above @key, which need not be there; NULL: there is none. */
struct treap_node *treap_after(const struct treap *treap, const void *key);

/* The first of all; NULL: the treap is empty. */
struct treap_node *treap_first(const struct treap *treap);

/* @key is that of @node, and not in the treap. */
void treap_insert(struct treap *treap, const void *key, struct treap_node *node);

/* @key is in the treap. */
void treap_remove(struct treap *treap, const void *key);

#endif
