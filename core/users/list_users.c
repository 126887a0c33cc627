#include "core/users/list_users.h"

static size_t page_of(int32_t page_size)
{
        if (page_size == 0)
                return LIST_USERS_PAGE_DEFAULT;
        return page_size > LIST_USERS_PAGE_MAX ? LIST_USERS_PAGE_MAX : (size_t)page_size;
}

size_t list_users_room(int32_t page_size)
{
        return page_size < 0 ? 1 : page_of(page_size) + 1;
}

/* One more than the page was asked for: whether it came says if there is a next page. */
static void list_done(struct users_request *request)
{
        struct list_users *op = pipit_container_of(request, struct list_users, request);

        op->error = request->error;
        if (op->error.status == PIPIT_OK) {
                op->has_more = request->n_users > op->page;
                op->n_users = op->has_more ? op->page : request->n_users;
        }
        op->done(op);
}

void list_users_start(struct list_users *op, const struct users_ports *ports)
{
        op->request.deadline_us = op->deadline_us;
        op->request.cancelled = op->cancelled;
        op->request.done = list_done;

        if (op->page_size < 0) {
                users_violations_add(&op->violations, "page_size", "must not be negative");
                op->error = users_violations_error(&op->violations);
                op->done(op);
                return;
        }

        op->page = page_of(op->page_size);
        users_repository_list(ports->repository,
                              &op->request,
                              op->has_after ? &op->after : NULL,
                              op->page + 1,
                              op->users);
}
