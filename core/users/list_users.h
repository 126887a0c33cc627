/*
 * Use case: list users, page by page, by id
 *
 * Page tokens are the delivery's: here a page starts after an id.
 */

#ifndef CORE_USERS_LIST_USERS_H
#define CORE_USERS_LIST_USERS_H

#include "core/users/ports.h"
#include "core/users/rules.h"

#define LIST_USERS_PAGE_DEFAULT 50
#define LIST_USERS_PAGE_MAX     1000

struct list_users;

typedef void (*list_users_done_fn)(struct list_users *op);

/* As struct create_user: the caller's, zero-initialised. */
struct list_users {
        /* in */
        bool has_after;
        struct pipit_uuid after;
        int32_t page_size;  /* 0: the default; over the maximum: the maximum */
        struct user *users; /* room for list_users_room(page_size) */
        int64_t deadline_us;
        const atomic_bool *cancelled;
        list_users_done_fn done;

        /* out, valid inside done() */
        struct pipit_error error;
        size_t n_users; /* of this page */
        bool has_more;  /* the next page starts after users[n_users - 1].id */

        /* private */
        struct users_request request;
        struct users_violations violations;
        size_t page;
};

/* How many entries op->users must have: one more than the page. 1 for a negative page_size. */
size_t list_users_room(int32_t page_size);

/* PIPIT_INVALID_ARGUMENT    FIELD_INVALID: page_size is negative */
void list_users_start(struct list_users *op, const struct users_ports *ports);

#endif
