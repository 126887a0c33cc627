#include "server/runtime/guard.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <nng/nng.h>
#include <pipit/macros.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/runtime/backlog.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GUARD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GUARD_SANITIZED 1
#endif
#endif
#ifndef GUARD_SANITIZED
#define GUARD_SANITIZED 0
#endif

typedef int (*close_fn)(int fd);
typedef int (*epoll_wait_fn)(int fd, struct epoll_event *events, int n_events, int timeout_ms);

/* What these names would be without us. */
static struct {
        close_fn close;
        backlog_send_fn sendmsg;
        epoll_wait_fn epoll_wait;
} next;
static pthread_once_t looked_up = PTHREAD_ONCE_INIT;

static pthread_once_t armed = PTHREAD_ONCE_INIT;
static atomic_uintptr_t nng_begin;
static atomic_uintptr_t nng_end;
static atomic_bool is_disabled;
static _Thread_local int written_fd = -1;

/* The one way POSIX has to make a function of a symbol. */
static void look_up(void)
{
        *(void **)&next.close = dlsym(RTLD_NEXT, "close");
        *(void **)&next.sendmsg = dlsym(RTLD_NEXT, "sendmsg");
        *(void **)&next.epoll_wait = dlsym(RTLD_NEXT, "epoll_wait");
}

/* The executable segment of the module that holds @info->inside. */
struct search {
        uintptr_t inside;
        uintptr_t begin;
        uintptr_t end;
};

static int find_module(struct dl_phdr_info *info, size_t n_bytes, void *context)
{
        struct search *search = context;

        (void)n_bytes;
        for (size_t i = 0; i < info->dlpi_phnum; ++i) {
                const ElfW(Phdr) *header = &info->dlpi_phdr[i];
                uintptr_t begin = (uintptr_t)info->dlpi_addr + (uintptr_t)header->p_vaddr;
                uintptr_t end = begin + (uintptr_t)header->p_memsz;

                if (header->p_type == PT_LOAD && (header->p_flags & PF_X) &&
                    search->inside >= begin && search->inside < end) {
                        search->begin = begin;
                        search->end = end;
                        return 1;
                }
        }

        return 0;
}

bool guard_is_needed(void)
{
        const char *version = nng_version();
        char *dot;
        long major = strtol(version, &dot, 10);
        long minor = *dot == '.' ? strtol(dot + 1, NULL, 10) : 0;

        return major < 1 || (major == 1 && minor < 6);
}

static void arm(void)
{
        void *symbol = dlsym(RTLD_DEFAULT, "nng_listener_start");
        struct search search = {.inside = (uintptr_t)symbol};

        pthread_once(&looked_up, look_up);
        if (!symbol || !guard_is_needed() || !dl_iterate_phdr(find_module, &search))
                return;

        atomic_store(&nng_end, search.end);
        atomic_store(&nng_begin, search.begin);
}

void guard_arm(void)
{
        pthread_once(&armed, arm);
}

void guard_watch_begin(void)
{
        written_fd = -1;
}

int guard_watch_end(void)
{
        return written_fd;
}

void guard_disable(bool disabled)
{
        atomic_store(&is_disabled, disabled);
}

/* Sanitizers put a function of theirs between: then every caller may be nng. */
static bool is_nng(uintptr_t caller)
{
        uintptr_t begin = atomic_load_explicit(&nng_begin, memory_order_relaxed);

        if (begin == 0 || atomic_load_explicit(&is_disabled, memory_order_relaxed))
                return false;

        return GUARD_SANITIZED ||
               (caller >= begin && caller < atomic_load_explicit(&nng_end, memory_order_relaxed));
}

static size_t total_bytes(const struct msghdr *message)
{
        size_t n_bytes = 0;

        for (size_t i = 0; i < message->msg_iovlen; i++)
                n_bytes += message->msg_iov[i].iov_len;

        return n_bytes;
}

/* The greeting that both sides of a connection begin with: no message of nng's is as short. */
static bool is_greeting(const struct msghdr *message)
{
        static const char start[] = {'\0', 'S', 'P', '\0'};

        return message->msg_iovlen > 0 && total_bytes(message) <= 8 &&
               message->msg_iov[0].iov_len >= sizeof(start) &&
               memcmp(message->msg_iov[0].iov_base, start, sizeof(start)) == 0;
}

PIPIT_PUBLIC ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
        uintptr_t caller = (uintptr_t)__builtin_return_address(0);
        ssize_t result;

        pthread_once(&looked_up, look_up);
        if (!is_nng(caller))
                return next.sendmsg(fd, message, flags);

        written_fd = fd;
        if (is_greeting(message))
                result = next.sendmsg(fd, message, flags);
        else
                result = backlog_send(next.sendmsg, fd, message, flags);
        if (result >= 0 || errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
                return result;

        if (!is_greeting(message)) {
                (void)shutdown(fd,
                               SHUT_RDWR); /* where the connection lives, the message is missing */
                return (ssize_t)total_bytes(message);
        }
        errno = ECONNRESET;

        return result;
}

PIPIT_PUBLIC int close(int fd)
{
        uintptr_t caller = (uintptr_t)__builtin_return_address(0);

        pthread_once(&looked_up, look_up);
        if (fd >= 0 && is_nng(caller))
                backlog_drop(fd);

        return next.close(fd);
}

/* The C library names them as only it may. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
PIPIT_PUBLIC int epoll_wait(int fd, struct epoll_event *events, int n_events, int timeout_ms)
{
        uintptr_t caller = (uintptr_t)__builtin_return_address(0);
        int n;

        pthread_once(&looked_up, look_up);
        n = next.epoll_wait(fd, events, n_events, timeout_ms);
        if (n <= 0 || !is_nng(caller))
                return n;

        for (int i = 0; i < n; i++) {
                if (events[i].events & EPOLLERR)
                        events[i].events =
                                (events[i].events & ~(uint32_t)EPOLLERR) | EPOLLIN | EPOLLOUT;
        }

        return n;
}
