#include "server/store/memory/treap.h"

#include <stddef.h>

#include "core/base/uuid.h"

struct treap_node *treap_find(const struct treap *treap, const void *key)
{
        struct treap_node *node = treap->root;

        while (node) {
                int order = treap->compare(key, node);

                if (order == 0)
                        return node;
                node = order < 0 ? node->left : node->right;
        }
        return NULL;
}

struct treap_node *treap_after(const struct treap *treap, const void *key)
{
        struct treap_node *node = treap->root, *best = NULL;

        while (node) {
                if (treap->compare(key, node) < 0) {
                        best = node;
                        node = node->left;
                } else {
                        node = node->right;
                }
        }
        return best;
}

struct treap_node *treap_first(const struct treap *treap)
{
        struct treap_node *node = treap->root;

        while (node && node->left)
                node = node->left;
        return node;
}

/* Parts @node's tree at @key: what is below it into *less, the rest into *more. */
static void split(const struct treap *treap,
                  struct treap_node *node,
                  const void *key,
                  struct treap_node **less,
                  struct treap_node **more)
{
        while (node) {
                if (treap->compare(key, node) < 0) {
                        *more = node;
                        more = &node->left;
                        node = node->left;
                } else {
                        *less = node;
                        less = &node->right;
                        node = node->right;
                }
        }
        *less = NULL;
        *more = NULL;
}

void treap_insert(struct treap *treap, const void *key, struct treap_node *node)
{
        struct treap_node **link = &treap->root;

        node->priority = pipit_random_u64();
        while (*link && (*link)->priority >= node->priority)
                link = treap->compare(key, *link) < 0 ? &(*link)->left : &(*link)->right;

        split(treap, *link, key, &node->left, &node->right);
        *link = node;
}

/* Everything in @less is below everything in @more. */
static void join(struct treap_node *less, struct treap_node *more, struct treap_node **link)
{
        while (less && more) {
                if (less->priority >= more->priority) {
                        *link = less;
                        link = &less->right;
                        less = less->right;
                } else {
                        *link = more;
                        link = &more->left;
                        more = more->left;
                }
        }
        *link = less ? less : more;
}

void treap_remove(struct treap *treap, const void *key)
{
        struct treap_node **link = &treap->root;

        for (;;) {
                int order = treap->compare(key, *link);

                if (order == 0)
                        break;
                link = order < 0 ? &(*link)->left : &(*link)->right;
        }
        join((*link)->left, (*link)->right, link);
}
