/*
 * Compiler attributes, in one place
 *
 * Public: installed, compiles alone, in C and C++.
 */

#ifndef PIPIT_MACROS_H
#define PIPIT_MACROS_H

#include <stddef.h>

#ifdef __cplusplus
#define PIPIT_BEGIN_DECLS extern "C" {
#define PIPIT_END_DECLS   }
#else
#define PIPIT_BEGIN_DECLS
#define PIPIT_END_DECLS
#endif

#define PIPIT_PUBLIC             __attribute__((visibility("default")))
#define PIPIT_MUST_CHECK         __attribute__((warn_unused_result))
#define PIPIT_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define PIPIT_DEPRECATED         __attribute__((deprecated))

#endif
