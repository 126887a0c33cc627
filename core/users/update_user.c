#include "core/users/update_user.h"

#include <string.h>

#include "core/users/errors.h"

static bool is_set(const char *string)
{
        return string && string[0] != '\0';
}

/* False: the path is none of ours. What others name counts all the same. */
static bool add_path(const char *path, struct users_changes *changes)
{
        bool all = strcmp(path, "*") == 0;
        bool email = all || strcmp(path, "email") == 0;
        bool name = all || strcmp(path, "name") == 0;
        bool age = all || strcmp(path, "age") == 0;

        changes->email |= email;
        changes->name |= name;
        changes->age |= age;
        return email || name || age;
}

static bool read_mask(struct update_user *op)
{
        struct users_changes *changes = &op->changes;
        bool good = true;

        for (size_t i = 0; i < op->n_mask_paths; i++)
                good &= add_path(op->mask_paths[i], changes);
        if (op->n_mask_paths == 0) {
                changes->email = is_set(op->email);
                changes->name = is_set(op->name);
                changes->age = op->has_age;
        }
        return good && (changes->email || changes->name || changes->age);
}

static bool check(struct update_user *op)
{
        struct users_violations *violations = &op->violations;
        bool mask_is_good = read_mask(op);

        if (!mask_is_good)
                users_violations_add(violations,
                                     "update_mask",
                                     op->n_mask_paths == 0
                                             ? "must be given where no field is set"
                                             : "must name email, name or age, or be \"*\"");
        (void)users_rule_id(op->id, "user.id", violations, &op->draft.id);
        (void)users_rule_etag(op->etag, "user.etag", violations, &op->want_version);
        if (op->changes.email)
                (void)users_rule_email(op->email, "user.email", violations, &op->draft);
        if (op->changes.name)
                (void)users_rule_name(op->name, "user.name", violations, &op->draft);
        if (op->changes.age)
                (void)users_rule_age(op->has_age, op->age, "user.age", violations, &op->draft);
        (void)users_rule_request_id(op->request_id,
                                    "request_id",
                                    violations,
                                    &op->write.has_request_id,
                                    op->write.request_id);
        if (violations->n == 0)
                return true;

        op->error = users_violations_error(violations);
        if (!mask_is_good) {
                struct pipit_error mask = users_error_make(USERS_ERROR_MASK_INVALID, PIPIT_NOT_RUN);

                op->error.reason = mask.reason;
                op->error.message = mask.message;
        }
        return false;
}

static void update_done(struct users_request *request)
{
        struct update_user *op = pipit_container_of(request, struct update_user, request);

        op->error = request->error;
        op->done(op);
}

static void finish_validate(struct update_user *op, struct pipit_error error)
{
        op->error = error;
        if (error.status == PIPIT_OK) {
                op->user = op->found;
                op->user.id = (struct pipit_uuid){0};
                op->user.create_time_us = 0;
                op->user.update_time_us = 0;
                op->user.version = 0;
        }
        op->done(op);
}

static void apply(const struct user *draft, const struct users_changes *changes, struct user *user)
{
        if (changes->email) {
                memcpy(user->email, draft->email, sizeof(user->email));
                memcpy(user->email_key, draft->email_key, sizeof(user->email_key));
        }
        if (changes->name)
                memcpy(user->name, draft->name, sizeof(user->name));
        if (changes->age)
                user->age = draft->age;
}

static void validate_email_done(struct users_request *request)
{
        struct update_user *op = pipit_container_of(request, struct update_user, request);
        struct pipit_error error = request->error;

        if (error.status == PIPIT_NOT_FOUND)
                error = (struct pipit_error){0};
        else if (error.status == PIPIT_OK &&
                 memcmp(&op->user.id, &op->draft.id, sizeof(op->draft.id)) != 0)
                error = users_error_make(USERS_ERROR_EMAIL_TAKEN, PIPIT_RAN);
        finish_validate(op, error);
}

static void validate_found_done(struct users_request *request)
{
        struct update_user *op = pipit_container_of(request, struct update_user, request);

        if (request->error.status != PIPIT_OK) {
                finish_validate(op, request->error);
                return;
        }
        if (op->want_version != 0 && op->want_version != op->found.version) {
                finish_validate(op, users_error_make(USERS_ERROR_ETAG_MISMATCH, PIPIT_RAN));
                return;
        }

        apply(&op->draft, &op->changes, &op->found);
        if (!op->changes.email) {
                finish_validate(op, (struct pipit_error){0});
                return;
        }
        request->done = validate_email_done;
        users_repository_find_by_email(
                op->ports->repository, request, op->draft.email_key, &op->user);
}

void update_user_start(struct update_user *op, const struct users_ports *ports)
{
        op->ports = ports;
        op->request.deadline_us = op->deadline_us;
        op->request.cancelled = op->cancelled;

        if (!check(op)) {
                op->done(op);
                return;
        }
        if (op->validate_only) {
                op->request.done = validate_found_done;
                users_repository_find_by_id(
                        ports->repository, &op->request, &op->draft.id, &op->found);
                return;
        }

        op->draft.update_time_us = ports->clock->wall_us(ports->clock->context);
        op->request.done = update_done;
        users_repository_update(ports->repository,
                                &op->request,
                                &op->write,
                                &op->draft,
                                &op->changes,
                                op->want_version,
                                &op->user);
}
