#include <pipit/client.h>
#include <pipit/queue.h>
#include <poll.h>
#include <stdio.h>

#include "users/v1/users.pipit.h"

#define N_CALLS 3

static void on_users(struct pipit_call *call)
{
        const Users__V1__ListUsersResponse *response = users_v1_list_users_response(call);

        if (response)
                printf("%zu users\n", response->n_users);
        else
                printf("%s\n", pipit_status_name(pipit_call_error(call)->status));
}

int main(int argc, char **argv)
{
        struct pipit_channel *channel = pipit_channel_new(argc > 1 ? argv[1] : "", NULL, NULL);
        struct pipit_queue *queue = pipit_queue_new(NULL);
        Users__V1__ListUsersRequest request = USERS__V1__LIST_USERS_REQUEST__INIT;
        struct pipit_call calls[N_CALLS] = {{0}};
        struct pollfd fds[1]; /* and those of everything else that the program does */

        if (!channel || !queue)
                return 2;

        for (int i = 0; i < N_CALLS; i++) {
                calls[i].queue = queue;
                calls[i].done = on_users;
                users_v1_list_users_start(channel, &calls[i], &request);
        }

        fds[0] = (struct pollfd){.fd = pipit_queue_fd(queue), .events = POLLIN};
        while (pipit_queue_n_calls(queue) > 0)
                if (poll(fds, 1, -1) > 0 && fds[0].revents)
                        pipit_queue_run(queue, 0); /* on_users() runs here, in this thread */

        for (int i = 0; i < N_CALLS; i++)
                pipit_call_deinit(&calls[i]);
        pipit_queue_free(queue);
        pipit_channel_free(channel);

        return 0;
}
