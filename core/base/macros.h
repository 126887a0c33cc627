/*
 * Helpers of the C language that every layer uses
 *
 * Private to the tree; what users see is in <pipit/macros.h>.
 */

#ifndef CORE_BASE_MACROS_H
#define CORE_BASE_MACROS_H

#include <pipit/macros.h>
#include <stddef.h>

#define PIPIT_N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that holds @member, which @pointer points to. */
#define pipit_container_of(pointer, type, member)                                                  \
        ((type *)(void *)((char *)(1 ? (pointer) : &((type *)0)->member) - offsetof(type, member)))

#define PIPIT_CLEANUP(function) __attribute__((cleanup(function)))

/*
 * Defines `function##_cleanup` for PIPIT_CLEANUP, from a function that frees
 * what a pointer points to: PIPIT_CLEANUP(users_repository_free_cleanup).
 */
#define PIPIT_DEFINE_CLEANUP(type, function)                                                       \
        static inline void function##_cleanup(type **pointer)                                      \
        {                                                                                          \
                if (*pointer)                                                                      \
                        function(*pointer);                                                        \
        }                                                                                          \
        struct function##_cleanup_semicolon

#define PIPIT_UNUSED       __attribute__((unused))
#define PIPIT_LIKELY(x)    __builtin_expect(!!(x), 1)
#define PIPIT_UNLIKELY(x)  __builtin_expect(!!(x), 0)
#define PIPIT_FALLTHROUGH  __attribute__((fallthrough))
#define PIPIT_MALLOC       __attribute__((malloc))
#define PIPIT_NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))

/* Whether this is built with AddressSanitizer, by either compiler. */
#if defined(__SANITIZE_ADDRESS__)
#define PIPIT_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PIPIT_ADDRESS_SANITIZER 1
#endif
#endif
#ifndef PIPIT_ADDRESS_SANITIZER
#define PIPIT_ADDRESS_SANITIZER 0
#endif

#endif
