/*
 * The users that benchmarks ask for, as the contestants and tools/bench know them
 */

#ifndef TESTS_BENCH_USERS_H
#define TESTS_BENCH_USERS_H

/*
 * The id of the n-th user that is there before a run, from 1 (an unsigned int): a UUID of version 7
 * whose last digits are decimal, so that pgbench can make it from a number, too.
 */
#define BENCH_USER_ID_FORMAT "01900000-0000-7000-8000-%012u"

#define BENCH_LIST_SIZE 10 /* users on the page that `list` asks for */

#endif
