#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "server/runtime/registry.h"

#define N_METHODS 100

static struct pipit_method methods[N_METHODS];
static char names[N_METHODS][32];
static pipit_server_dispatch_fn dispatch[N_METHODS];
static bool blocks[N_METHODS];
static const struct pipit_service service = {
        .name = "test.v1.Many",
        .methods = methods,
        .n_methods = N_METHODS,
};

/* As generated ones: without a call it only tells. @handlers is a bool: whether there is one. */
static bool dispatch_if(const void *handlers,
                        void *self,
                        struct pipit_server_call *call,
                        const ProtobufCMessage *request)
{
        const bool *there = handlers;

        (void)self;
        (void)request;
        assert_null(call);

        return *there;
}

static int set_up(void **state)
{
        (void)state;
        for (size_t i = 0; i < N_METHODS; ++i) {
                (void)snprintf(names[i], sizeof(names[i]), "test.v1.Many/Method%zu", i);
                methods[i].name = names[i];
                dispatch[i] = dispatch_if;
                blocks[i] = i % 2 == 1;
        }

        return 0;
}

static void every_method_is_found_and_no_other(void **state)
{
        const bool there = true;
        const struct registry_service entry = {
                .service = &service,
                .dispatch = dispatch,
                .blocks = blocks,
                .handlers = &there,
        };
        struct registry registry = {};

        (void)state;
        assert_int_equal(PIPIT_OK, registry_add(&registry, &entry));
        assert_int_equal(PIPIT_OK, registry_seal(&registry));
        for (size_t i = 0; i < N_METHODS; ++i) {
                const struct route *route = registry_find(&registry, names[i]);

                assert_non_null(route);
                assert_ptr_equal(&methods[i], route->method);
                assert_int_equal(blocks[i], route->blocks);
                assert_true(route->dispatch == dispatch_if);
        }
        assert_null(registry_find(&registry, ""));
        assert_null(registry_find(&registry, "test.v1.Many"));
        assert_null(registry_find(&registry, "test.v1.Many/Method"));
        assert_null(registry_find(&registry, "test.v1.Many/Method100"));
        assert_null(registry_find(&registry, "test.v1.many/Method1"));
        registry_deinit(&registry);
}

static void a_method_without_a_handler_is_found_without_dispatch(void **state)
{
        const bool there = false;
        const struct registry_service entry = {
                .service = &service,
                .dispatch = dispatch,
                .handlers = &there,
        };
        struct registry registry = {};

        (void)state;
        assert_int_equal(PIPIT_OK, registry_add(&registry, &entry));
        assert_int_equal(PIPIT_OK, registry_seal(&registry));
        assert_non_null(registry_find(&registry, names[7]));
        assert_true(registry_find(&registry, names[7])->dispatch == NULL);
        assert_false(registry_find(&registry, names[7])->blocks);
        registry_deinit(&registry);
}

static void a_service_is_added_once_and_known_by_its_whole_name(void **state)
{
        const struct registry_service entry = {.service = &service, .dispatch = dispatch};
        struct registry registry = {};

        (void)state;
        assert_false(registry_has_service(&registry, "test.v1.Many", 12));
        assert_int_equal(PIPIT_OK, registry_add(&registry, &entry));
        assert_int_equal(PIPIT_ALREADY_EXISTS, registry_add(&registry, &entry));
        assert_true(registry_has_service(&registry, "test.v1.Many/Method1", 12));
        assert_false(registry_has_service(&registry, "test.v1.Many", 11));
        assert_false(registry_has_service(&registry, "test.v1.Many2", 13));
        assert_false(registry_has_service(&registry, "", 0));
        registry_deinit(&registry);
}

struct visited {
        size_t n_visits;
        bool is_wrong;
        bool seen[N_METHODS];
};

static void visit(const char *name, size_t index, void *context)
{
        struct visited *visited = context;

        ++visited->n_visits;
        visited->is_wrong |= index >= N_METHODS || visited->seen[index] ||
                             strncmp(name, "test.v1.Many/", strlen("test.v1.Many/")) != 0;
        if (index < N_METHODS)
                visited->seen[index] = true;
}

static void every_method_has_an_index_of_its_own(void **state)
{
        const bool there = true;
        const struct registry_service entry = {
                .service = &service,
                .dispatch = dispatch,
                .handlers = &there,
        };
        struct registry registry = {};
        struct visited visited = {};

        (void)state;
        registry_each(&registry, visit, &visited);
        assert_int_equal(0, visited.n_visits);
        assert_int_equal(PIPIT_OK, registry_add(&registry, &entry));
        assert_int_equal(PIPIT_OK, registry_seal(&registry));
        assert_int_equal(N_METHODS, registry_n_methods(&registry));
        registry_each(&registry, visit, &visited);
        assert_int_equal(N_METHODS, visited.n_visits);
        assert_false(visited.is_wrong);
        registry_deinit(&registry);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_method_is_found_and_no_other),
                cmocka_unit_test(a_method_without_a_handler_is_found_without_dispatch),
                cmocka_unit_test(a_service_is_added_once_and_known_by_its_whole_name),
                cmocka_unit_test(every_method_has_an_index_of_its_own),
        };

        return cmocka_run_group_tests_name("registry", tests, set_up, NULL);
}
