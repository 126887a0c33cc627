#include "client/waiter.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client/transport.h"

#define AWAKE   0
#define ASLEEP  1 /* or about to be */
#define READING 2
#define ENDED   3

void waiter_init(struct waiter *waiter)
{
        atomic_store_explicit(&waiter->word, AWAKE, memory_order_relaxed);
        waiter->socket = NULL;
        list_init(&waiter->node);
}

static void wake(atomic_uint *word)
{
        syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/*
 * The thread may free the waiter as soon as it sees that it has ended: the wake
 * that follows goes to an address that may be gone, which a futex allows.
 */
void waiter_end(struct waiter *waiter)
{
        struct transport_socket *socket = waiter->socket;
        atomic_uint *word = &waiter->word;

        switch (atomic_exchange(word, ENDED)) {
        case ASLEEP:
                wake(word);
                break;
        case READING:
                socket->transport->rouse(socket);
                break;
        default:
                break;
        }
}

bool waiter_has_ended(const struct waiter *waiter)
{
        return atomic_load(&waiter->word) == ENDED;
}

static bool change(struct waiter *waiter, unsigned int from, unsigned int to)
{
        return atomic_compare_exchange_strong(&waiter->word, &from, to);
}

void waiter_lie_down(struct waiter *waiter)
{
        (void)change(waiter, AWAKE, ASLEEP);
}

void waiter_sleep(struct waiter *waiter)
{
        while (atomic_load(&waiter->word) == ASLEEP)
                syscall(SYS_futex, &waiter->word, FUTEX_WAIT_PRIVATE, ASLEEP, NULL, NULL, 0);
}

bool waiter_call(struct waiter *waiter)
{
        if (change(waiter, ASLEEP, AWAKE)) {
                wake(&waiter->word);
                return true;
        }

        return !waiter_has_ended(waiter);
}

bool waiter_read_begin(struct waiter *waiter)
{
        return change(waiter, AWAKE, READING);
}

bool waiter_read_end(struct waiter *waiter)
{
        return change(waiter, READING, AWAKE);
}
