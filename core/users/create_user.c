#include "core/users/create_user.h"

#include "core/users/errors.h"

static void check(struct create_user *op)
{
        struct users_violations *violations = &op->violations;

        (void)users_rule_email(op->email, "user.email", violations, &op->draft);
        (void)users_rule_name(op->name, "user.name", violations, &op->draft);
        (void)users_rule_age(op->has_age, op->age, "user.age", violations, &op->draft);
        (void)users_rule_request_id(op->request_id,
                                    "request_id",
                                    violations,
                                    &op->write.has_request_id,
                                    op->write.request_id);
}

static void insert_done(struct users_request *request)
{
        struct create_user *op = pipit_container_of(request, struct create_user, request);

        op->error = request->error;
        op->done(op);
}

/* What was read only tells whether the email is free: the answer is the draft. */
static void validate_done(struct users_request *request)
{
        struct create_user *op = pipit_container_of(request, struct create_user, request);

        if (request->error.status == PIPIT_OK)
                op->error = users_error_make(USERS_ERROR_EMAIL_TAKEN, PIPIT_RAN);
        else if (request->error.status == PIPIT_NOT_FOUND)
                op->error = (struct pipit_error){0};
        else
                op->error = request->error;

        op->user = op->draft;
        op->done(op);
}

static void insert(struct create_user *op)
{
        int64_t now_us = op->ports->clock->wall_us(op->ports->clock->context);

        op->draft.id = op->ports->new_id(now_us);
        op->draft.create_time_us = now_us;
        op->draft.update_time_us = now_us;
        op->draft.version = 1;
        op->request.done = insert_done;
        users_repository_insert(
                op->ports->repository, &op->request, &op->write, &op->draft, &op->user);
}

void create_user_start(struct create_user *op, const struct users_ports *ports)
{
        op->ports = ports;
        op->request.deadline_us = op->deadline_us;
        op->request.cancelled = op->cancelled;

        check(op);
        if (op->violations.n > 0) {
                op->error = users_violations_error(&op->violations);
                op->done(op);
                return;
        }
        if (!op->validate_only) {
                insert(op);
                return;
        }
        op->request.done = validate_done;
        users_repository_find_by_email(
                ports->repository, &op->request, op->draft.email_key, &op->user);
}
