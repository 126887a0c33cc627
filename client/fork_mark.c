#include "client/fork_mark.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* On a page that the kernel clears in a child. NULL: it cannot, and the pid is the mark. */
static atomic_uint *current;

/* In this process and those it descends from: a child's is none of theirs. */
static atomic_uint n_marks;

static void map(void)
{
        size_t n_bytes = (size_t)sysconf(_SC_PAGESIZE);
        void *page =
                mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (page == MAP_FAILED)
                return;
        if (madvise(page, n_bytes, MADV_WIPEONFORK) < 0)
                munmap(page, n_bytes);
        else
                current = page;
}

uint32_t fork_mark(void)
{
        unsigned int mark, next;

        (void)pthread_once(&once, map);
        if (!current)
                return (uint32_t)getpid();

        mark = atomic_load(current);
        if (mark)
                return mark;
        next = atomic_fetch_add(&n_marks, 1) + 1;

        return atomic_compare_exchange_strong(current, &mark, next) ? next : mark;
}

bool fork_mark_is_own(uint32_t mark)
{
        if (current)
                return atomic_load_explicit(current, memory_order_relaxed) == mark;

        return (uint32_t)getpid() == mark;
}
