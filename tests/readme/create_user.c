#include <pipit/client.h>
#include <stdio.h>

#include "users/v1/users.pipit.h"

int main(int argc, char **argv)
{
        struct pipit_channel *channel = pipit_channel_new(argc > 1 ? argv[1] : "", NULL, NULL);
        struct pipit_call call = {.timeout_ms = 1000};
        Users__V1__CreateUserRequest request = USERS__V1__CREATE_USER_REQUEST__INIT;
        Users__V1__User user = USERS__V1__USER__INIT;
        const Users__V1__User *created;
        enum pipit_status status;

        if (!channel)
                return 2;

        user.email = "grace@example.com";
        user.name = "Grace Hopper";
        user._age_case = USERS__V1__USER___AGE_AGE;
        user.age = 85;
        request.user = &user;

        status = users_v1_create_user(channel, &call, &request, &created);
        if (status == PIPIT_OK)
                printf("%s is %s\n", created->email, created->id);
        else
                fprintf(stderr,
                        "%s: %s (%s)\n",
                        pipit_status_name(status),
                        pipit_call_error(&call)->message,
                        pipit_ran_name(pipit_call_error(&call)->ran));

        pipit_call_deinit(&call);
        pipit_channel_free(channel);

        return status == PIPIT_OK ? 0 : 1;
}
