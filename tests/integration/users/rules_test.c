/*
 * The user table, rule by rule, through the generated client and a real usersd
 *
 *      rules-test USERSD STORE-URL
 *
 * Every field at and around its bounds, at create and at update: what is valid
 * comes back as it went in, what is not is INVALID_ARGUMENT (FIELD_INVALID) with
 * the field's path, and all violations come at once.
 */

#include <pipit/client.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/macros.h"
#include "tests/harness/harness.h"
#include "users/v1/users.pipit.h"

#define TEXT_SIZE 512
#define NO_AGE    UINT32_MAX

static struct pipit_channel *channel;
static unsigned int serial; /* makes emails new */

/* --- texts ------------------------------------------------------------------- */

/* @count times @piece. */
static const char *times(char text[TEXT_SIZE], const char *piece, size_t count)
{
        text[0] = '\0';
        for (size_t i = 0; i < count; i++)
                (void)strcat(text, piece);

        return text;
}

/*
 * An email of exactly @n_bytes that nobody has: a local part of 9 bytes, then
 * labels of up to 63.
 */
static const char *email_of(char text[TEXT_SIZE], size_t n_bytes)
{
        size_t length = (size_t)snprintf(text, TEXT_SIZE, "u%08u@", serial++);

        while (length < n_bytes) {
                size_t label = n_bytes - length;

                if (label > 63)
                        label = label == 64 ? 62 : 63; /* never end with a dot */
                (void)memset(text + length, 'd', label);
                length += label;
                if (length < n_bytes)
                        text[length++] = '.';
        }
        text[length] = '\0';

        return text;
}

static const char *new_email(char text[TEXT_SIZE])
{
        (void)snprintf(text, TEXT_SIZE, "u%08u-%d@example.com", serial++, (int)getpid());

        return text;
}

/* --- calls ------------------------------------------------------------------- */

static void user_init(Users__V1__User *user, const char *email, const char *name, uint32_t age)
{
        users__v1__user__init(user);
        user->email = (char *)email;
        user->name = (char *)name;
        if (age != NO_AGE) {
                user->_age_case = USERS__V1__USER___AGE_AGE;
                user->age = age;
        }
}

static bool same_user(const Users__V1__User *user, const Users__V1__User *sent)
{
        return strcmp(user->email, sent->email) == 0 && strcmp(user->name, sent->name) == 0 &&
               user->_age_case == USERS__V1__USER___AGE_AGE && user->age == sent->age;
}

static bool has_violation(const struct pipit_call *call, const char *field)
{
        const struct pipit_error *error = pipit_call_error(call);

        for (size_t i = 0; i < error->n_violations; i++) {
                if (strcmp(error->violations[i].field, field) == 0)
                        return true;
        }

        return false;
}

/* Whether the call ended as FIELD_INVALID in @field alone. */
static bool is_refused(const struct pipit_call *call, const char *field)
{
        const struct pipit_error *error = pipit_call_error(call);

        return error->status == PIPIT_INVALID_ARGUMENT &&
               strcmp(error->reason, "FIELD_INVALID") == 0 && error->n_violations == 1 &&
               has_violation(call, field);
}

/* The id of a new user, to change. */
static void make_user(char ret_id[64])
{
        struct pipit_call call = {0};
        Users__V1__CreateUserRequest request = USERS__V1__CREATE_USER_REQUEST__INIT;
        const Users__V1__User *created;
        Users__V1__User user;
        char email[TEXT_SIZE];

        user_init(&user, new_email(email), "Before", 1);
        request.user = &user;
        if (users_v1_create_user(channel, &call, &request, &created) != PIPIT_OK)
                die("no user: %s", pipit_call_error(&call)->message);
        (void)snprintf(ret_id, 64, "%s", created->id);
        pipit_call_deinit(&call);
}

/* Creates @user. Valid: it comes back, now and when it is read. Else: refused in @field. */
static bool try_create(const Users__V1__User *user, const char *field)
{
        struct pipit_call call = {0};
        Users__V1__CreateUserRequest request = USERS__V1__CREATE_USER_REQUEST__INIT;
        Users__V1__GetUserRequest get = USERS__V1__GET_USER_REQUEST__INIT;
        const Users__V1__User *back = NULL;
        bool good;

        request.user = (Users__V1__User *)user;
        if (users_v1_create_user(channel, &call, &request, &back) != PIPIT_OK) {
                good = field && is_refused(&call, field);
        } else {
                good = !field && same_user(back, user);
                pipit_call_reset(&call);
                get.key_case = USERS__V1__GET_USER_REQUEST__KEY_EMAIL;
                get.email = user->email;
                good = good && users_v1_get_user(channel, &call, &get, &back) == PIPIT_OK &&
                       same_user(back, user);
        }
        if (!good)
                note("create: %s %s",
                     pipit_status_name(pipit_call_error(&call)->status),
                     pipit_call_error(&call)->message ? pipit_call_error(&call)->message : "");
        pipit_call_deinit(&call);

        return good;
}

/* Changes one field of a user to that of @user; as try_create(). */
static bool try_update(const Users__V1__User *user, const char *path, const char *field)
{
        struct pipit_call call = {0};
        Users__V1__UpdateUserRequest request = USERS__V1__UPDATE_USER_REQUEST__INIT;
        Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
        char *paths[] = {(char *)path};
        const Users__V1__User *back = NULL;
        Users__V1__User changed = *user;
        char id[64];
        bool good;

        make_user(id);
        changed.id = id;
        mask.paths = paths;
        mask.n_paths = 1;
        request.user = &changed;
        request.update_mask = &mask;
        if (users_v1_update_user(channel, &call, &request, &back) != PIPIT_OK)
                good = field && is_refused(&call, field);
        else if (strcmp(path, "email") == 0)
                good = !field && strcmp(back->email, user->email) == 0;
        else if (strcmp(path, "name") == 0)
                good = !field && strcmp(back->name, user->name) == 0;
        else
                good = !field && back->age == user->age;
        if (!good)
                note("update: %s %s",
                     pipit_status_name(pipit_call_error(&call)->status),
                     pipit_call_error(&call)->message ? pipit_call_error(&call)->message : "");
        pipit_call_deinit(&call);

        return good;
}

/* --- the table ----------------------------------------------------------------- */

static void check_name(const char *what, const char *name, bool valid)
{
        const char *field = valid ? NULL : "user.name";
        Users__V1__User user;
        char email[TEXT_SIZE];
        bool created;

        user_init(&user, new_email(email), name, 36);
        created = try_create(&user, field);
        user.email = (char *)"";
        (void)check(created && try_update(&user, "name", field),
                    "a name of %s is %s",
                    what,
                    valid ? "kept as it is" : "refused");
}

static void check_names(void)
{
        static const struct {
                const char *text;
                const char *what;
        } pieces[] = {
                {"a", "1 byte"},
                {"\xc3\xa4", "2 bytes"},
                {"\xe2\x82\xac", "3 bytes"},
                {"\xf0\x9f\x90\xa6", "4 bytes"},
        };
        char text[TEXT_SIZE];
        char what[64];

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(pieces); i++) {
                for (size_t n = 1; n <= 51; n += n == 1 ? 48 : 1) {
                        (void)snprintf(what, sizeof(what), "%zu x %s", n, pieces[i].what);
                        check_name(what, times(text, pieces[i].text, n), n <= 50);
                }
        }
        check_name("no code point", "", false);
        check_name("a newline", "Ada\nKing", false);
        check_name("U+007F", "Ada\x7f", false);
        check_name("U+0085", "Ada\xc2\x85", false);
        check_name("U+00A0, which is no control character", "Ada\xc2\xa0King", true);
        check_name("quotes, braces and NULL", "\" \\ , { } NULL 'x'; -- %s $1", true);
        check_name("the word NULL", "NULL", true);
        check_name("braces", "{a,\"b\"}", true);
        check_name("a backslash", "\\", true);
        check_name("a space", " ", true);
}

static void check_email(const char *what, const char *email, bool valid)
{
        const char *field = valid ? NULL : "user.email";
        Users__V1__User user;

        user_init(&user, email, "Ada", 36);
        (void)check(try_create(&user, field),
                    "an email of %s is %s",
                    what,
                    valid ? "kept as it is" : "refused");
}

static void check_emails(void)
{
        static const char *const invalid[] = {"",
                                              "ada",
                                              "ada@",
                                              "@example.com",
                                              "ada@@example.com",
                                              "ada@-example.com",
                                              "ada@example-.com",
                                              "ada@exam ple.com",
                                              "ada king@example.com",
                                              "ada@example..com",
                                              "ada@.example.com",
                                              "ada@example.com.",
                                              "\xc3\xa4@example.com",
                                              "ada@\xc3\xa4.com",
                                              "ada(x)@example.com",
                                              "ada\"x\"@example.com"};
        char text[TEXT_SIZE];
        Users__V1__User user;

        check_email("254 bytes", email_of(text, 254), true);
        check_email("255 bytes", email_of(text, 255), false);
        check_email("253 bytes", email_of(text, 253), true);
        check_email("12 bytes", email_of(text, 12), true);
        check_email("every sign that may be there", "a.!#$%&'*+/=?^_`{|}~-9@Example.COM", true);
        check_email("a host without a dot", "ada@localhost", true);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(invalid); i++)
                check_email(invalid[i], invalid[i], false);

        user_init(&user, email_of(text, 254), "", NO_AGE);
        (void)check(try_update(&user, "email", NULL), "an email of 254 bytes is kept at update");
        user.email = (char *)email_of(text, 255);
        (void)check(try_update(&user, "email", "user.email"), "one of 255 is refused at update");
}

static void check_age(const char *what, uint32_t age, bool valid)
{
        const char *field = valid ? NULL : "user.age";
        Users__V1__User user;
        char email[TEXT_SIZE];
        bool created;

        user_init(&user, new_email(email), "Ada", age);
        created = try_create(&user, field);
        user.email = (char *)"";
        (void)check(created && try_update(&user, "age", field),
                    "an age of %s is %s",
                    what,
                    valid ? "kept" : "refused");
}

static void check_all_at_once(void)
{
        struct pipit_call call = {0};
        Users__V1__CreateUserRequest request = USERS__V1__CREATE_USER_REQUEST__INIT;
        Users__V1__User user;

        user_init(&user, "nobody", "", 131);
        request.user = &user;
        request.request_id = (char *)"1";
        (void)check(
                users_v1_create_user(channel, &call, &request, NULL) == PIPIT_INVALID_ARGUMENT &&
                        pipit_call_error(&call)->n_violations == 4 &&
                        has_violation(&call, "user.email") && has_violation(&call, "user.name") &&
                        has_violation(&call, "user.age") && has_violation(&call, "request_id"),
                "four violations are reported at once");
        pipit_call_deinit(&call);
}

/* The email is unique without regard to case, and comes back as it was given. */
static void check_case(void)
{
        struct pipit_call call = {0};
        Users__V1__CreateUserRequest request = USERS__V1__CREATE_USER_REQUEST__INIT;
        Users__V1__GetUserRequest get = USERS__V1__GET_USER_REQUEST__INIT;
        const Users__V1__User *back = NULL;
        Users__V1__User user;

        user_init(&user, "Grace@Example.COM", "Grace", 0);
        request.user = &user;
        if (users_v1_create_user(channel, &call, &request, &back) != PIPIT_OK)
                die("%s", pipit_call_error(&call)->message);
        pipit_call_reset(&call);
        user.email = (char *)"gRACE@example.com";
        (void)check(users_v1_create_user(channel, &call, &request, &back) == PIPIT_ALREADY_EXISTS &&
                            strcmp(pipit_call_error(&call)->reason, "EMAIL_TAKEN") == 0,
                    "the same email in other case is taken");
        pipit_call_reset(&call);
        get.key_case = USERS__V1__GET_USER_REQUEST__KEY_EMAIL;
        get.email = (char *)"GRACE@EXAMPLE.COM";
        (void)check(users_v1_get_user(channel, &call, &get, &back) == PIPIT_OK &&
                            strcmp(back->email, "Grace@Example.COM") == 0,
                    "and found in any, as it was given");
        pipit_call_deinit(&call);
}

int main(int argc, char **argv)
{
        struct process server;
        char folder[64];
        char url[128];
        char log[128];

        if (argc < 3)
                die("usage: rules-test USERSD STORE-URL");

        temporary_folder_make(folder);
        (void)snprintf(url, sizeof(url), "ipc://%s/s", folder);
        (void)snprintf(log, sizeof(log), "%s/log", folder);
        process_start(&server,
                      (const char *[]){argv[1], "serve", "--listen", url, "--store", argv[2], NULL},
                      log);
        channel = pipit_channel_new(url, NULL, NULL);
        if (!channel)
                die("no channel");

        check_names();
        check_emails();
        check_age("0", 0, true);
        check_age("130", 130, true);
        check_age("131", 131, false);
        check_age("4294967294", NO_AGE - 1, false);
        check_age("none", NO_AGE, false);
        check_all_at_once();
        check_case();

        channel = pipit_channel_free(channel);
        (void)check(process_end(&server, SIGTERM) == 0, "usersd exits 0");
        temporary_folder_remove(folder);

        return finish();
}
