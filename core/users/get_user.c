#include "core/users/get_user.h"

#include <string.h>

static void find_done(struct users_request *request)
{
        struct get_user *op = pipit_container_of(request, struct get_user, request);

        op->error = request->error;
        op->done(op);
}

static void check(struct get_user *op)
{
        struct user found;

        if (op->id)
                (void)users_rule_id(op->id, "id", &op->violations, &op->key_id);
        else if (!op->email)
                users_violations_add(&op->violations, "key", "one of id and email is required");
        else if (users_rule_email(op->email, "email", &op->violations, &found))
                memcpy(op->key_email, found.email_key, sizeof(op->key_email));
}

void get_user_start(struct get_user *op, const struct users_ports *ports)
{
        op->request.deadline_us = op->deadline_us;
        op->request.cancelled = op->cancelled;
        op->request.done = find_done;

        check(op);
        if (op->violations.n > 0) {
                op->error = users_violations_error(&op->violations);
                op->done(op);
                return;
        }
        if (op->id)
                users_repository_find_by_id(
                        ports->repository, &op->request, &op->key_id, &op->user);
        else
                users_repository_find_by_email(
                        ports->repository, &op->request, op->key_email, &op->user);
}
