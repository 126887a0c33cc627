/*
 * Intrusive doubly linked list
 *
 * A node that is in no list points to itself, so that removing it twice is
 * harmless.
 */

#ifndef CORE_BASE_LIST_H
#define CORE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
        struct list *next;
        struct list *previous;
};

static inline void list_init(struct list *list)
{
        list->next = list;
        list->previous = list;
}

static inline bool list_is_empty(const struct list *list)
{
        return list->next == list;
}

static inline void list_append(struct list *list, struct list *node)
{
        node->previous = list->previous;
        node->next = list;
        list->previous->next = node;
        list->previous = node;
}

static inline void list_prepend(struct list *list, struct list *node)
{
        list_append(list->next, node);
}

static inline void list_remove(struct list *node)
{
        node->previous->next = node->next;
        node->next->previous = node->previous;
        list_init(node);
}

/* The first node, taken out; NULL when there is none. */
static inline struct list *list_take(struct list *list)
{
        struct list *node = list->next;

        if (node == list)
                return NULL;
        list_remove(node);

        return node;
}

/* Moves all of @from to the front of @list. */
static inline void list_prepend_all(struct list *list, struct list *from)
{
        if (list_is_empty(from))
                return;
        from->previous->next = list->next;
        list->next->previous = from->previous;
        list->next = from->next;
        from->next->previous = list;
        list_init(from);
}

/* Walks @list; the current node may be removed. */
#define list_for_each(node, after, list)                                                           \
        for ((node) = (list)->next, (after) = (node)->next; (node) != (list);                      \
             (node) = (after), (after) = (node)->next)

#endif
