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

/* Whether this is built with a sanitizer: gcc defines the first, clang has the feature. */
#if defined(__has_feature)
#define PIPIT_HAS_FEATURE(feature) __has_feature(feature)
#else
#define PIPIT_HAS_FEATURE(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || PIPIT_HAS_FEATURE(address_sanitizer)
#define PIPIT_ADDRESS_SANITIZER 1
#else
#define PIPIT_ADDRESS_SANITIZER 0
#endif
#if defined(__SANITIZE_THREAD__) || PIPIT_HAS_FEATURE(thread_sanitizer)
#define PIPIT_THREAD_SANITIZER 1
#else
#define PIPIT_THREAD_SANITIZER 0
#endif

#endif
