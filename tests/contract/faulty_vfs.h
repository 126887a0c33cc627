/*
 * A faulty VFS: SQLite's default one, with writes and syncs of the write-ahead
 * log that fail or wait when told so
 */

#ifndef TESTS_CONTRACT_FAULTY_VFS_H
#define TESTS_CONTRACT_FAULTY_VFS_H

#include <stdatomic.h>

struct faulty_vfs {
        atomic_int write_result; /* SQLITE_OK, or what each write of the log fails with */
        atomic_int sync_result;
        atomic_int writes_left; /* that still succeed before write_result counts */
        atomic_int n_syncs;     /* of the log, so far */
};

extern struct faulty_vfs faulty_vfs;

/* From now on it is the process's default VFS. Call it before anything is opened. */
void faulty_vfs_install(void);

/* All well again. */
void faulty_vfs_reset(void);

/* Each sync of the log waits from now until faulty_vfs_open_gate(). */
void faulty_vfs_close_gate(void);
/* Returns when a sync waits at the gate. */
void faulty_vfs_wait_at_gate(void);
void faulty_vfs_open_gate(void);

#endif
