#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/access/key_file.h"
#include "core/access/text_file.h"
#include "tests/unit/access/fixture.h"

static struct access_folder folder;

static int set_up(void **state)
{
        (void)state;
        access_folder_make(&folder);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        access_folder_remove(&folder);
        return 0;
}

static const char *secret_text(void)
{
        static char text[PIPIT_KEY_TEXT_SIZE];
        uint8_t key[PIPIT_KEY_BYTES] = {1, 2, 3};

        pipit_key_format(PIPIT_KEY_SECRET, key, text);
        return text;
}

static void refuse(const char *path, const char *expected)
{
        struct pipit_access_problem problem = {""};

        assert_null(pipit_key_pair_load(path, &problem));
        assert_problem(&folder, &problem, expected);
        assert_null(strstr(problem.text, "pipit-sk1_a"));
}

static void a_saved_key_is_loaded_and_is_for_nobody_else(void **state)
{
        struct pipit_noise_keys *made = pipit_key_pair_new(), *loaded;
        struct pipit_access_problem problem;
        const char *path = access_folder_path(&folder, "id.key");
        struct stat status;

        (void)state;
        assert_non_null(made);
        (void)umask(0);
        assert_true(pipit_key_pair_save(made, path, &problem));
        (void)umask(022);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
        loaded = pipit_key_pair_load(path, &problem);
        assert_non_null(loaded);
        assert_memory_equal(loaded, made, sizeof(*made));

        assert_false(pipit_key_pair_save(made, path, &problem));
        assert_problem(&folder, &problem, "DIR/id.key: is there already, and is not overwritten");
        loaded = pipit_key_pair_free(loaded);
        made = pipit_key_pair_free(made);
}

static void a_key_that_others_could_read_is_refused(void **state)
{
        static const mode_t refused[] = {0640, 0604, 0620, 0602, 0610, 0700, 04600, 0666, 01600};
        struct pipit_access_problem problem;
        struct pipit_noise_keys *keys;

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(refused); i++) {
                const char *path =
                        access_folder_write(&folder, "id.key", refused[i], secret_text());
                char expected[200];

                (void)snprintf(expected,
                               sizeof(expected),
                               "DIR/id.key: has mode %04o, and a secret key is for you alone: "
                               "chmod 600 DIR/id.key",
                               refused[i]);
                refuse(path, expected);
        }
        keys = pipit_key_pair_load(access_folder_write(&folder, "id.key", 0400, secret_text()),
                                   &problem);
        assert_non_null(keys);
        keys = pipit_key_pair_free(keys);
}

static void what_is_no_regular_file_of_ours_is_refused(void **state)
{
        char link[128];

        (void)state;
        refuse(access_folder_path(&folder, "none"),
               "DIR/none: there is no such file: `pipit keygen DIR/none` makes it");
        refuse(folder.path, "DIR: is no regular file");
        assert_int_equal(mkfifo(access_folder_path(&folder, "pipe"), 0600), 0);
        refuse(folder.file, "DIR/pipe: is no regular file");
        refuse("/dev/null", "/dev/null: is no regular file");

        (void)strcpy(link, access_folder_path(&folder, "link"));
        assert_int_equal(symlink(access_folder_write(&folder, "id.key", 0600, secret_text()), link),
                         0);
        refuse(link,
               "DIR/link: is a symbolic link, which a secret key is not read through: name the "
               "file itself");
}

static void a_key_of_somebody_else_is_refused(void **state)
{
        const char *path = access_folder_write(&folder, "id.key", 0600, secret_text());
        char expected[256];

        (void)state;
        if (geteuid() != 0) {
                (void)fprintf(stderr, "SKIPPED: only root can give a file away\n");
                skip();
        }
        assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
        (void)snprintf(expected,
                       sizeof(expected),
                       "DIR/id.key: belongs to uid 12345, and a secret key is read only by whom it "
                       "belongs to: chown %u DIR/id.key",
                       geteuid());
        refuse(path, expected);
}

static void a_file_without_exactly_one_secret_key_is_refused(void **state)
{
        static char text[8192];

        (void)state;
        refuse(access_folder_write(&folder, "k", 0600, "# nothing\n\n"),
               "DIR/k: has no key: move it away, and `pipit keygen DIR/k` makes a new one");
        refuse(access_folder_write(&folder, "k", 0600, key_text(1)),
               "DIR/k:1:1: this is a public key where a secret one belongs; `pipit keygen FILE` "
               "makes a key file");
        (void)snprintf(text, sizeof(text), "# mine\n  %.40s\n", secret_text());
        refuse(access_folder_write(&folder, "k", 0600, text),
               "DIR/k:2:43: this is a key that was cut: one has 68 characters; `pipit keygen FILE` "
               "makes a key file");
        (void)snprintf(text, sizeof(text), "%s\n%s\n", secret_text(), secret_text());
        refuse(access_folder_write(&folder, "k", 0600, text),
               "DIR/k:2:1: a key file holds one key, and no more");
        (void)snprintf(text, sizeof(text), "%s twice", secret_text());
        refuse(access_folder_write(&folder, "k", 0600, text),
               "DIR/k:1:70: a key file holds one key, and no more");
        memset(text, '#', 4097);
        text[4097] = '\0';
        refuse(access_folder_write(&folder, "k", 0600, text), "DIR/k: has more than 4096 bytes");
}

/* --- text files ----------------------------------------------------------------------------- */

static bool can_read(const char *path, struct pipit_access_problem *ret_problem)
{
        struct pipit_text_file file;

        if (!pipit_text_file_read(path, PIPIT_TEXT_FILE_SETTINGS, "make it", &file, ret_problem))
                return false;
        pipit_text_file_deinit(&file);
        return true;
}

static void settings_that_others_could_write_are_refused(void **state)
{
        struct pipit_access_problem problem;
        char link[128];

        (void)state;
        assert_true(can_read(access_folder_write(&folder, "policy", 0644, "x"), &problem));
        assert_true(can_read(access_folder_write(&folder, "policy", 0444, "x"), &problem));
        assert_false(can_read(access_folder_write(&folder, "policy", 0664, "x"), &problem));
        assert_problem(&folder,
                       &problem,
                       "DIR/policy: others may write to it (mode 0664), and could let anybody in: "
                       "chmod go-w DIR/policy");
        assert_false(can_read(access_folder_write(&folder, "policy", 0646, "x"), &problem));
        assert_false(can_read(access_folder_path(&folder, "none"), &problem));
        assert_problem(&folder, &problem, "DIR/none: there is no such file: make it");

        (void)strcpy(link, access_folder_path(&folder, "link"));
        assert_int_equal(symlink(access_folder_write(&folder, "policy", 0644, "x"), link), 0);
        assert_true(can_read(link, &problem));
}

static void assert_content(const char *path, mode_t mode, const char *expected)
{
        char text[256] = "";
        struct stat status;
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_true(read(fd, text, sizeof(text) - 1) >= 0);
        assert_int_equal(fstat(fd, &status), 0);
        (void)close(fd);
        assert_string_equal(text, expected);
        assert_int_equal(status.st_mode & 07777, mode);
}

static void replacing_keeps_the_mode_and_the_link_and_leaves_nothing_behind(void **state)
{
        struct pipit_access_problem problem;
        char file[128], link[128];
        int lock;

        (void)state;
        (void)strcpy(file, access_folder_path(&folder, "policy"));
        (void)strcpy(link, access_folder_path(&folder, "link"));
        assert_int_equal(symlink(file, link), 0);
        assert_true(pipit_text_file_replace(file, "one\n", 4, &problem));
        assert_content(file, 0644, "one\n");
        assert_int_equal(chmod(file, 0600), 0);
        lock = pipit_text_file_lock(link, &problem);
        assert_true(lock >= 0);
        assert_true(pipit_text_file_replace(link, "two\n", 4, &problem));
        (void)close(lock);
        assert_content(file, 0600, "two\n");
        assert_int_equal(unlink(file), 0);
        assert_int_equal(unlink(link), 0); /* else the folder would not be empty at the end */
        assert_int_equal(rmdir(folder.path), 0);

        assert_false(pipit_text_file_replace(file, "three\n", 6, &problem));
        assert_problem(
                &folder, &problem, "DIR/policy: cannot be written: No such file or directory");
        assert_int_equal(pipit_text_file_lock(file, &problem), -1);
        assert_int_equal(mkdir(folder.path, 0700), 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(a_saved_key_is_loaded_and_is_for_nobody_else),
                TEST(a_key_that_others_could_read_is_refused),
                TEST(what_is_no_regular_file_of_ours_is_refused),
                TEST(a_key_of_somebody_else_is_refused),
                TEST(a_file_without_exactly_one_secret_key_is_refused),
                TEST(settings_that_others_could_write_are_refused),
                TEST(replacing_keeps_the_mode_and_the_link_and_leaves_nothing_behind),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
