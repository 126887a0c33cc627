#include "tests/contract/harness.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/store/sqlite/sqlite.h"
#include "tests/contract/sqlite_place.h"

/* How users_sqlite_new() takes what it finds at a path. */

static int set_up(void **state)
{
        static struct sqlite_place place;

        *state = &place;
        return sqlite_place_init(&place) ? 0 : -1;
}

static int tear_down(void **state)
{
        sqlite_place_deinit(*state);
        return 0;
}

static struct users_repository *open_path(const char *path, struct pipit_error *ret_error)
{
        struct users_sqlite_options options = {.path = path, .clock = &pipit_clock_system};

        return users_sqlite_new(&options, ret_error);
}

static void assert_opens(const char *path)
{
        struct pipit_error error = {0};
        struct users_repository *repository = open_path(path, &error);

        if (!repository)
                fail_msg("%s", error.message);
        users_repository_free(repository);
}

static void assert_refused(const char *path, const char *reason, const char *part)
{
        struct pipit_error error = {0};

        assert_null(open_path(path, &error));
        assert_int_equal(error.status, PIPIT_FAILED_PRECONDITION);
        assert_string_equal(error.reason, reason);
        if (!strstr(error.message, part) || !strstr(error.message, path))
                fail_msg("'%s' does not name '%s' and '%s'", error.message, path, part);
}

static void write_file(const char *path, const char *text, size_t n)
{
        FILE *file = fopen(path, "w");

        assert_non_null(file);
        assert_int_equal(fwrite(text, 1, n, file), n);
        assert_int_equal(fclose(file), 0);
}

static void exec(const char *path, const char *sql)
{
        sqlite3 *db = NULL;

        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void read_text(const char *path, const char *sql, char ret_text[128])
{
        sqlite3_stmt *statement = NULL;
        sqlite3 *db = NULL;

        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        (void)snprintf(ret_text, 128, "%s", (const char *)sqlite3_column_text(statement, 0));
        (void)sqlite3_finalize(statement);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void an_absent_file_is_set_up_for_its_owner_only(void **state)
{
        const struct sqlite_place *place = *state;
        char text[128];
        struct stat about;

        assert_opens(place->path);
        assert_int_equal(stat(place->path, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
        read_text(place->path, "pragma journal_mode", text);
        assert_string_equal(text, "wal");
        read_text(place->path, "pragma user_version", text);
        assert_string_equal(text, "1");
        read_text(place->path, "select length(value) from settings", text);
        assert_string_equal(text, "32");
        assert_opens(place->path);
}

static void an_empty_file_is_set_up(void **state)
{
        const struct sqlite_place *place = *state;

        write_file(place->path, "", 0);
        assert_opens(place->path);
        assert_opens(place->path);
}

static void a_newer_schema_is_refused_and_left_alone(void **state)
{
        const struct sqlite_place *place = *state;
        char text[128];

        assert_opens(place->path);
        exec(place->path, "pragma user_version = 99");
        assert_refused(place->path, "SCHEMA_UNKNOWN", "version 99");
        read_text(place->path, "pragma user_version", text);
        assert_string_equal(text, "99");
}

static void another_programs_database_is_refused_and_left_alone(void **state)
{
        const struct sqlite_place *place = *state;
        char text[128];

        exec(place->path, "create table recipes (name text)");
        assert_refused(place->path, "SCHEMA_UNKNOWN", "another program");
        read_text(place->path, "select group_concat(name) from sqlite_schema", text);
        assert_string_equal(text, "recipes");
        read_text(place->path, "pragma journal_mode", text);
        assert_string_equal(text, "delete");
}

static void another_programs_application_id_is_refused(void **state)
{
        const struct sqlite_place *place = *state;

        exec(place->path, "pragma application_id = 7");
        assert_refused(place->path, "SCHEMA_UNKNOWN", "another program");
}

static void a_file_that_is_no_database_is_refused_and_left_alone(void **state)
{
        static const char text[] = "Dear diary, this is no database, and it is long enough to be "
                                   "taken for the header of one, which has a hundred bytes.\n";
        const struct sqlite_place *place = *state;
        char now[sizeof(text)];
        FILE *file;

        write_file(place->path, text, sizeof(text));
        assert_refused(place->path, "STORE_UNUSABLE", "not an SQLite database");
        file = fopen(place->path, "r");
        assert_non_null(file);
        assert_int_equal(fread(now, 1, sizeof(now), file), sizeof(now));
        (void)fclose(file);
        assert_memory_equal(now, text, sizeof(text));
}

static void a_missing_folder_is_named(void **state)
{
        const struct sqlite_place *place = *state;
        char path[320];

        (void)snprintf(path, sizeof(path), "%s/nowhere/users.db", place->folder);
        assert_refused(path, "STORE_UNUSABLE", "No such file or directory");
}

static void what_is_no_regular_file_is_refused(void **state)
{
        const struct sqlite_place *place = *state;

        assert_refused(place->folder, "STORE_UNUSABLE", "not a regular file");
        assert_refused("/dev/null", "STORE_UNUSABLE", "not a regular file");
        assert_refused("", "STORE_UNUSABLE", "not a path");
        assert_refused(":memory:", "STORE_UNUSABLE", "not a path");
}

static void a_store_without_its_page_token_key_is_refused(void **state)
{
        const struct sqlite_place *place = *state;

        assert_opens(place->path);
        exec(place->path, "delete from settings");
        assert_refused(place->path, "STORE_UNUSABLE", "page token key");
}

static void migrate_sets_up_once_and_says_from_where_to_where(void **state)
{
        const struct sqlite_place *place = *state;
        struct pipit_error error;
        uint32_t from = 99, to = 99;
        char before[128], after[128];

        assert_int_equal(users_sqlite_migrate(place->path, &from, &to, &error), PIPIT_OK);
        assert_int_equal(from, 0);
        assert_int_equal(to, 1);
        read_text(place->path, "select hex(value) from settings", before);
        assert_int_equal(users_sqlite_migrate(place->path, &from, &to, &error), PIPIT_OK);
        assert_int_equal(from, 1);
        assert_int_equal(to, 1);
        read_text(place->path, "select hex(value) from settings", after);
        assert_string_equal(before, after);
        assert_opens(place->path);
}

static void migrate_refuses_what_it_does_not_know(void **state)
{
        const struct sqlite_place *place = *state;
        struct pipit_error error;
        uint32_t from = 77, to = 77;

        exec(place->path, "create table recipes (name text)");
        assert_int_equal(users_sqlite_migrate(place->path, &from, &to, &error),
                         PIPIT_FAILED_PRECONDITION);
        assert_string_equal(error.reason, "SCHEMA_UNKNOWN");
        assert_int_equal(from, 77);
        assert_int_equal(to, 77);
}

static void *open_and_free(void *path)
{
        struct pipit_error error;
        struct users_repository *repository = open_path(path, &error);

        if (!repository)
                print_error("%s\n", error.message);
        users_repository_free(repository);
        return repository ? path : NULL;
}

static void many_may_set_up_one_file_at_once(void **state)
{
        enum { N = 8 };
        struct sqlite_place *place = *state;
        pthread_t threads[N];
        char text[128];
        void *result;

        for (size_t i = 0; i < N; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, open_and_free, place->path), 0);
        for (size_t i = 0; i < N; i++) {
                pthread_join(threads[i], &result);
                assert_non_null(result);
        }
        read_text(place->path, "select count(*) from settings", text);
        assert_string_equal(text, "1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                TEST(an_absent_file_is_set_up_for_its_owner_only),
                TEST(an_empty_file_is_set_up),
                TEST(a_newer_schema_is_refused_and_left_alone),
                TEST(another_programs_database_is_refused_and_left_alone),
                TEST(another_programs_application_id_is_refused),
                TEST(a_file_that_is_no_database_is_refused_and_left_alone),
                TEST(a_missing_folder_is_named),
                TEST(what_is_no_regular_file_is_refused),
                TEST(a_store_without_its_page_token_key_is_refused),
                TEST(migrate_sets_up_once_and_says_from_where_to_where),
                TEST(migrate_refuses_what_it_does_not_know),
                TEST(many_may_set_up_one_file_at_once),
        };

        return cmocka_run_group_tests_name("sqlite opening", tests, NULL, NULL);
}
