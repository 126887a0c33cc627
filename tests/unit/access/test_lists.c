#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/access/authorized_keys.h"
#include "core/access/known_servers.h"
#include "core/base/clock.h"
#include "tests/unit/access/fixture.h"

static struct pipit_authorized_keys *authorize(const char *text,
                                               struct pipit_access_problem *ret_problem)
{
        return pipit_authorized_keys_parse("keys", text, strlen(text), ret_problem);
}

static const uint8_t *key_of(unsigned int number)
{
        static uint8_t key[PIPIT_KEY_BYTES];

        assert_null(pipit_key_parse(
                PIPIT_KEY_PUBLIC, key_text(number), PIPIT_KEY_TEXT_BYTES, key, NULL));
        return key;
}

/* --- authorized_keys ---------------------------------------------------------------------- */

static void keys_have_names_roles_and_an_end(void **state)
{
        const struct pipit_authorized_key *key;
        struct pipit_authorized_keys *keys;
        struct pipit_access_problem problem;
        char text[1024];

        (void)state;
        (void)snprintf(text,
                       sizeof(text),
                       "# who may call\n\n"
                       "%s alice roles=admin,reader expires=2027-01-01 # until then\n"
                       "\t%s  bob@example.com\t\r\n"
                       "%s x",
                       key_text(1),
                       key_text(2),
                       key_text(3));
        keys = authorize(text, &problem);
        assert_non_null(keys);
        assert_int_equal(pipit_authorized_keys_count(keys), 3);
        key = pipit_authorized_keys_find(keys, key_of(1));
        assert_ptr_equal(key, pipit_authorized_keys_get(keys, 0));
        assert_ptr_equal(key, pipit_authorized_keys_find_name(keys, "alice"));
        assert_int_equal(key->line, 3);
        assert_int_equal(key->n_roles, 2);
        assert_string_equal(key->roles[0], "admin");
        assert_string_equal(key->roles[1], "reader");
        assert_false(pipit_authorized_key_has_expired(key, INT64_C(1798761599999999)));
        assert_true(pipit_authorized_key_has_expired(key, INT64_C(1798761600000000)));
        key = pipit_authorized_keys_find(keys, key_of(2));
        assert_string_equal(key->name, "bob@example.com");
        assert_int_equal(key->n_roles, 0);
        assert_false(pipit_authorized_key_has_expired(key, INT64_MAX - 1));
        assert_non_null(pipit_authorized_keys_find(keys, key_of(3)));
        assert_null(pipit_authorized_keys_find(keys, key_of(4)));
        assert_null(pipit_authorized_keys_find_name(keys, "carol"));
        keys = pipit_authorized_keys_free(keys);
}

static void a_list_of_nobody_knows_nobody(void **state)
{
        struct pipit_access_problem problem;
        struct pipit_authorized_keys *keys = authorize("# nobody\n", &problem);

        (void)state;
        assert_non_null(keys);
        assert_int_equal(pipit_authorized_keys_count(keys), 0);
        assert_null(pipit_authorized_keys_find(keys, key_of(1)));
        assert_null(pipit_authorized_keys_find_name(keys, "alice"));
        keys = pipit_authorized_keys_free(keys);
}

static void thousands_of_keys_are_found(void **state)
{
        struct pipit_access_problem problem;
        struct pipit_authorized_keys *keys;
        char *text = malloc(10001 * 100);
        size_t n = 0;

        (void)state;
        assert_non_null(text);
        for (unsigned int i = 0; i < 10000; i++)
                n += (size_t)sprintf(text + n, "%s name-%u\n", key_text(i), i);
        keys = pipit_authorized_keys_parse("keys", text, n, &problem);
        assert_non_null(keys);
        for (unsigned int i = 0; i < 10000; i++)
                assert_int_equal(pipit_authorized_keys_find(keys, key_of(i))->line, i + 1);
        assert_null(pipit_authorized_keys_find(keys, key_of(10000)));
        keys = pipit_authorized_keys_free(keys);

        n += (size_t)sprintf(text + n, "%s one-more\n", key_text(10000));
        assert_null(pipit_authorized_keys_parse("keys", text, n, &problem));
        assert_string_equal(problem.text, "keys:10001:1: there are more than 10000 keys");
        free(text);
}

/* "K1" and so on stand for keys. */
static void expand(const char *pattern, char *ret_text)
{
        for (; *pattern; pattern++) {
                if (*pattern == 'K')
                        ret_text += sprintf(ret_text, "%s", key_text((unsigned int)*++pattern));
                else
                        *ret_text++ = *pattern;
        }
        *ret_text = '\0';
}

struct refusal {
        const char *pattern, *expected;
};

static void every_mistake_is_told_with_its_line_and_column(void **state)
{
        static const struct refusal refusals[] = {
                {"alice",
                 "keys:1:1: this is no public key: one begins with pipit-pk1_; `pipit pubkey FILE` "
                 "prints the key of a key file"},
                {"\n pipit-pk1_abc alice",
                 "keys:2:15: this is a key that was cut: one has 68 characters; `pipit pubkey "
                 "FILE` "
                 "prints the key of a key file"},
                {"K1",
                 "keys:1:1: the key has no name: write KEY NAME, or `pipit authorize NAME KEY`"},
                {"K1 # alice",
                 "keys:1:1: the key has no name: write KEY NAME, or `pipit authorize NAME KEY`"},
                {"K1 al/ice",
                 "keys:1:70: 'al/ice' is no name: one has 1 to 63 letters, digits, and . _ - @, "
                 "and "
                 "begins with a letter or digit"},
                {"K1 -x",
                 "keys:1:70: '-x' is no name: one has 1 to 63 letters, digits, and . _ - @, and "
                 "begins with a letter or digit"},
                {"K1 a\nK2 b\nK1 c", "keys:3:1: this key is listed in line 1 already, as a"},
                {"K1 a\nK2 a",
                 "keys:2:70: the name a is of the key in line 1 already, and a name is of one key: "
                 "choose another one, or `pipit revoke a`"},
                {"K1 a admin",
                 "keys:1:72: 'admin' is not known here: after the name come roles=ROLE,ROLE and "
                 "expires=YYYY-MM-DD, once each"},
                {"K1 a roles=b roles=c",
                 "keys:1:80: 'roles=c' is not known here: after the name come roles=ROLE,ROLE and "
                 "expires=YYYY-MM-DD, once each"},
                {"K1 a expires=2027-01-01 expires=2028-01-01",
                 "keys:1:91: 'expires=2028-01-01' is not known here: after the name come "
                 "roles=ROLE,ROLE and expires=YYYY-MM-DD, once each"},
                {"K1 a roles=", "keys:1:78: '' is no role: write roles=NAME,NAME"},
                {"K1 a roles=b,,c", "keys:1:80: '' is no role: write roles=NAME,NAME"},
                {"K1 a roles=b,c!", "keys:1:80: 'c!' is no role: write roles=NAME,NAME"},
                {"K1 a roles=a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q",
                 "keys:1:110: a key has at most 16 roles: let the policy allow key:a what it "
                 "needs"},
                {"K1 a expires=tomorrow",
                 "keys:1:80: 'tomorrow' is no day: write expires=2027-01-31"},
                {"K1 a expires=2027-02-29",
                 "keys:1:80: '2027-02-29' is no day: write expires=2027-01-31"},
                {"K1 a expires=2027-13-01",
                 "keys:1:80: '2027-13-01' is no day: write expires=2027-01-31"},
                {"K1 a expires=2027-1-01",
                 "keys:1:80: '2027-1-01' is no day: write expires=2027-01-31"},
        };

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(refusals); i++) {
                struct pipit_access_problem problem = {""};
                char text[1024];

                expand(refusals[i].pattern, text);
                assert_null(authorize(text, &problem));
                assert_string_equal(problem.text, refusals[i].expected);
        }
}

static void a_key_file_of_the_other_kind_is_refused_without_being_shown(void **state)
{
        struct pipit_access_problem problem;
        uint8_t key[PIPIT_KEY_BYTES] = {1};
        char text[PIPIT_KEY_TEXT_SIZE];

        (void)state;
        pipit_key_format(PIPIT_KEY_SECRET, key, text);
        assert_null(authorize(text, &problem));
        assert_non_null(strstr(problem.text, "is a secret key where a public one belongs"));
        assert_null(strstr(problem.text, text + 12));
}

static void days_begin_at_midnight_utc(void **state)
{
        int64_t us = 0;

        (void)state;
        assert_true(pipit_access_date_parse("1970-01-01", 10, &us));
        assert_true(us == 0);
        assert_true(pipit_access_date_parse("2028-02-29", 10, &us));
        assert_true(us == INT64_C(1835395200) * PIPIT_US_PER_S);
        assert_false(pipit_access_date_parse("2027-00-01", 10, &us));
        assert_false(pipit_access_date_parse("2027-01-00", 10, &us));
        assert_false(pipit_access_date_parse("2027-04-31", 10, &us));
        assert_false(pipit_access_date_parse("2027-01-01 ", 11, &us));
        assert_false(pipit_access_date_parse("", 0, &us));
        assert_true(us == INT64_C(1835395200) * PIPIT_US_PER_S);
}

/* --- known_servers -------------------------------------------------------------------------- */

static struct pipit_known_servers *know(const char *pattern, struct pipit_access_problem *problem)
{
        char text[1024];

        expand(pattern, text);
        return pipit_known_servers_parse("servers", text, strlen(text), problem);
}

static void servers_are_known_by_their_url(void **state)
{
        struct pipit_access_problem problem;
        struct pipit_known_servers *servers =
                know("tcp://db2:7000 K2\ntcp://DB1.example:7000 K1 # first\ntcp://[::1]:7000 K3",
                     &problem);

        (void)state;
        assert_non_null(servers);
        assert_int_equal(pipit_known_servers_count(servers), 3);
        assert_memory_equal(pipit_known_servers_find(servers, "tcp://db1.example:7000")->key,
                            key_of('1'),
                            PIPIT_KEY_BYTES);
        assert_memory_equal(pipit_known_servers_find(servers, "tcp://Db2:7000")->key,
                            key_of('2'),
                            PIPIT_KEY_BYTES);
        assert_non_null(pipit_known_servers_find(servers, "tcp://[::1]:7000"));
        assert_null(pipit_known_servers_find(servers, "tcp://db2:700"));
        assert_null(pipit_known_servers_find(servers, "tcp://db2:70000"));
        assert_string_equal(pipit_known_servers_get(servers, 1)->url, "tcp://db1.example:7000");
        servers = pipit_known_servers_free(servers);
        servers = know("", &problem);
        assert_null(pipit_known_servers_find(servers, "tcp://db2:7000"));
        servers = pipit_known_servers_free(servers);
}

static void every_mistake_about_a_server_is_told_with_its_place(void **state)
{
        static const struct refusal refusals[] = {
                {"db1:7000 K1",
                 "servers:1:1: 'db1:7000' is no URL of a server with a key: one is "
                 "tcp://HOST:PORT"},
                {"ipc:///run/x K1",
                 "servers:1:1: 'ipc:///run/x' is no URL of a server with a key: one is "
                 "tcp://HOST:PORT"},
                {"\n\ntcp://db1 K1",
                 "servers:3:1: 'tcp://db1' is no URL of a server with a key: one is "
                 "tcp://HOST:PORT"},
                {"tcp://:7000 K1",
                 "servers:1:1: 'tcp://:7000' is no URL of a server with a key: one is "
                 "tcp://HOST:PORT"},
                {"tcp://a:65536 K1",
                 "servers:1:1: 'tcp://a:65536' is no URL of a server with a key: one is "
                 "tcp://HOST:PORT"},
                {"tcp://a/b:1 K1",
                 "servers:1:1: 'tcp://a/b:1' is no URL of a server with a key: one is "
                 "tcp://HOST:PORT"},
                {"tcp://a:1",
                 "servers:1:1: the URL has no key: write URL KEY, or `pipit trust URL KEY`"},
                {"tcp://a:1 pipit-pk1_x",
                 "servers:1:22: this is a key that was cut: one has 68 characters; on the server, "
                 "`pipit pubkey FILE` prints it"},
                {"tcp://a:1 K1 a", "servers:1:80: 'a' is one word too many: a line is URL KEY"},
                {"tcp://a:1 K1\ntcp://b:1 K2\ntcp://A:1 K3",
                 "servers:3:1: tcp://a:1 is in line 1 already, and a server has one key: `pipit "
                 "trust URL KEY` replaces it"},
        };

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(refusals); i++) {
                struct pipit_access_problem problem = {""};

                assert_null(know(refusals[i].pattern, &problem));
                assert_string_equal(problem.text, refusals[i].expected);
        }
}

static void both_lists_are_read_from_files(void **state)
{
        struct pipit_access_problem problem;
        struct pipit_authorized_keys *keys;
        struct pipit_known_servers *servers;
        struct access_folder folder;
        char text[256];

        (void)state;
        access_folder_make(&folder);
        expand("K1 alice\n", text);
        keys = pipit_authorized_keys_load(access_folder_write(&folder, "keys", 0644, text),
                                          &problem);
        assert_non_null(keys);
        keys = pipit_authorized_keys_free(keys);
        expand("tcp://a:1 K1\n", text);
        servers = pipit_known_servers_load(access_folder_write(&folder, "servers", 0600, text),
                                           &problem);
        assert_non_null(servers);
        servers = pipit_known_servers_free(servers);
        assert_null(pipit_authorized_keys_load(access_folder_path(&folder, "no"), &problem));
        assert_problem(&folder,
                       &problem,
                       "DIR/no: there is no such file: `pipit authorize NAME KEY` makes it");
        assert_null(pipit_known_servers_load(access_folder_path(&folder, "no"), &problem));
        assert_problem(
                &folder, &problem, "DIR/no: there is no such file: `pipit trust URL KEY` makes it");
        access_folder_remove(&folder);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(keys_have_names_roles_and_an_end),
                cmocka_unit_test(a_list_of_nobody_knows_nobody),
                cmocka_unit_test(thousands_of_keys_are_found),
                cmocka_unit_test(every_mistake_is_told_with_its_line_and_column),
                cmocka_unit_test(a_key_file_of_the_other_kind_is_refused_without_being_shown),
                cmocka_unit_test(days_begin_at_midnight_utc),
                cmocka_unit_test(servers_are_known_by_their_url),
                cmocka_unit_test(every_mistake_about_a_server_is_told_with_its_place),
                cmocka_unit_test(both_lists_are_read_from_files),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
