#include "core/users/delete_user.h"

static void delete_done(struct users_request *request)
{
        struct delete_user *op = pipit_container_of(request, struct delete_user, request);

        op->error = request->error;
        op->done(op);
}

void delete_user_start(struct delete_user *op, const struct users_ports *ports)
{
        struct users_violations *violations = &op->violations;

        op->request.deadline_us = op->deadline_us;
        op->request.cancelled = op->cancelled;
        op->request.done = delete_done;

        (void)users_rule_id(op->id, "id", violations, &op->key_id);
        (void)users_rule_etag(op->etag, "etag", violations, &op->want_version);
        (void)users_rule_request_id(op->request_id,
                                    "request_id",
                                    violations,
                                    &op->write.has_request_id,
                                    op->write.request_id);
        if (violations->n > 0) {
                op->error = users_violations_error(violations);
                op->done(op);
                return;
        }
        users_repository_delete(
                ports->repository, &op->request, &op->write, &op->key_id, op->want_version);
}
