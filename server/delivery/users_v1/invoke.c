#include "server/delivery/users_v1/invoke.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/json/input.h"
#include "core/json/json.h"
#include "core/json/status_json.h"
#include "server/delivery/users_v1/operation.h"

#define SERVICE_NAME    "users.v1.UsersService"
#define EXIT_INTERNAL   1
#define EXIT_USAGE      2
#define EXIT_RPC_BASE   64
#define INPUT_NAME      "standard input"
#define OUTPUT_NAME     "standard output"
#define INPUT_BYTES_MAX ((size_t)1024 * 1024) /* of one request, as on the wire */

/* One run; the calling thread waits for `done`. */
struct invocation {
        struct users_v1_operation operation;
        struct pipit_arena arena;
        const struct users_v1_invoke_options *options;
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        bool done;
        int status; /* to exit with */
};

/* How a method is started, from its untyped request. */
typedef void (*run_fn)(struct users_v1_operation *operation, const ProtobufCMessage *request);

static void run_create_user(struct users_v1_operation *operation, const ProtobufCMessage *request)
{
        users_v1_create_user_run(operation, (const void *)request);
}

static void run_get_user(struct users_v1_operation *operation, const ProtobufCMessage *request)
{
        users_v1_get_user_run(operation, (const void *)request);
}

static void run_update_user(struct users_v1_operation *operation, const ProtobufCMessage *request)
{
        users_v1_update_user_run(operation, (const void *)request);
}

static void run_delete_user(struct users_v1_operation *operation, const ProtobufCMessage *request)
{
        users_v1_delete_user_run(operation, (const void *)request);
}

static void run_list_users(struct users_v1_operation *operation, const ProtobufCMessage *request)
{
        users_v1_list_users_run(operation, (const void *)request);
}

static const struct {
        const char *name;
        const ProtobufCMessageDescriptor *request;
        run_fn run;
} methods[] = {
        {"CreateUser", &users__v1__create_user_request__descriptor, run_create_user},
        {"GetUser", &users__v1__get_user_request__descriptor, run_get_user},
        {"UpdateUser", &users__v1__update_user_request__descriptor, run_update_user},
        {"DeleteUser", &users__v1__delete_user_request__descriptor, run_delete_user},
        {"ListUsers", &users__v1__list_users_request__descriptor, run_list_users},
};

/* The index of the method, or PIPIT_N_ELEMENTS(methods). */
static size_t find_method(const char *name)
{
        size_t index = 0;

        if (strncmp(name, SERVICE_NAME, strlen(SERVICE_NAME)) == 0 &&
            (name[strlen(SERVICE_NAME)] == '/' || name[strlen(SERVICE_NAME)] == '.'))
                name += strlen(SERVICE_NAME) + 1;
        while (index < PIPIT_N_ELEMENTS(methods) && strcmp(methods[index].name, name) != 0)
                index++;

        return index;
}

bool users_v1_invoke_check(const char *method, FILE *errors)
{
        if (find_method(method) < PIPIT_N_ELEMENTS(methods))
                return true;

        (void)fprintf(errors, "usersd: unknown method '%s': one of", method);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(methods); i++)
                (void)fprintf(errors, " %s", methods[i].name);
        (void)fprintf(errors, "\n");

        return false;
}

/* Prints the outcome here, where response and error still live. */
static int print_outcome(struct invocation *invocation,
                         const ProtobufCMessage *response,
                         const struct pipit_error *error)
{
        const struct pipit_json_style style = {.pretty = true};
        struct pipit_error problem = {0};
        char *text = NULL;

        if (!response) {
                if (pipit_json_write_status(error, &style, &invocation->arena, &text, &problem) ==
                    PIPIT_OK)
                        (void)fprintf(invocation->options->errors, "%s\n", text);
                return EXIT_RPC_BASE + (int)error->status;
        }
        if (pipit_json_write(response, NULL, &style, &invocation->arena, &text, &problem) !=
            PIPIT_OK) {
                (void)fprintf(invocation->options->errors, "usersd: %s\n", problem.message);
                return EXIT_INTERNAL;
        }

        if (fprintf(invocation->options->output, "%s\n", text) >= 0 &&
            fflush(invocation->options->output) == 0)
                return EXIT_SUCCESS;
        (void)fprintf(invocation->options->errors,
                      "usersd: cannot write to " OUTPUT_NAME ": %s\n",
                      strerror(errno));

        return EXIT_INTERNAL;
}

static void *invocation_alloc(struct users_v1_operation *operation, size_t n_bytes)
{
        struct invocation *invocation = pipit_container_of(operation, struct invocation, operation);

        return pipit_arena_zalloc(&invocation->arena, n_bytes);
}

static void invocation_done(struct users_v1_operation *operation,
                            const ProtobufCMessage *response,
                            const struct pipit_error *error)
{
        struct invocation *invocation = pipit_container_of(operation, struct invocation, operation);
        int status = print_outcome(invocation, response, error);

        (void)pthread_mutex_lock(&invocation->mutex);
        invocation->status = status;
        invocation->done = true;
        (void)pthread_cond_signal(&invocation->changed);
        (void)pthread_mutex_unlock(&invocation->mutex);
}

static void invocation_wait(struct invocation *invocation)
{
        (void)pthread_mutex_lock(&invocation->mutex);
        while (!invocation->done)
                (void)pthread_cond_wait(&invocation->changed, &invocation->mutex);
        (void)pthread_mutex_unlock(&invocation->mutex);
}

/* Reads the request; NULL: what is wrong has been written. */
static ProtobufCMessage *read_request(struct invocation *invocation, size_t method)
{
        const struct users_v1_invoke_options *options = invocation->options;
        struct pipit_arena *arena = &invocation->arena;
        ProtobufCMessage *request = NULL;
        struct pipit_error error = {0};
        size_t n_bytes = 0;
        char *text = NULL;

        if (pipit_json_input(options->input_fd,
                             INPUT_NAME,
                             INPUT_BYTES_MAX,
                             arena,
                             &text,
                             &n_bytes,
                             &error) != PIPIT_OK)
                (void)fprintf(options->errors, "usersd: %s\n", error.message);
        else if (pipit_json_read(
                         methods[method].request, text, n_bytes, NULL, arena, &request, &error) !=
                 PIPIT_OK)
                (void)fprintf(options->errors, "usersd: " INPUT_NAME ": %s\n", error.message);

        return request;
}

int users_v1_invoke(const struct users_ports *ports, const struct users_v1_invoke_options *options)
{
        struct invocation invocation = {.options = options, .status = EXIT_USAGE};
        size_t method = find_method(options->method);
        ProtobufCMessage *request;

        if (!users_v1_invoke_check(options->method, options->errors))
                return EXIT_USAGE;

        (void)pthread_mutex_init(&invocation.mutex, NULL);
        (void)pthread_cond_init(&invocation.changed, NULL);
        invocation.operation.ports = ports;
        invocation.operation.principal = options->principal;
        invocation.operation.alloc = invocation_alloc;
        invocation.operation.done = invocation_done;

        request = read_request(&invocation, method);
        if (request) {
                /* From here on: how long the request took to be typed is nobody's timeout. */
                invocation.operation.deadline_us =
                        pipit_clock_now_us() + options->timeout_ms * PIPIT_US_PER_MS;
                methods[method].run(&invocation.operation, request);
                invocation_wait(&invocation);
        }

        (void)pthread_cond_destroy(&invocation.changed);
        (void)pthread_mutex_destroy(&invocation.mutex);
        pipit_arena_deinit(&invocation.arena);

        return invocation.status;
}
