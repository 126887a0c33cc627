#include "tests/contract/faulty_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

struct faulty_vfs faulty_vfs;

static struct {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        bool is_closed;
        unsigned n_waiting;
} gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0};

/* The real file's memory follows; only files of the log are wrapped. */
struct faulty_file {
        sqlite3_file base;
        sqlite3_file *real;
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs our_vfs;

static sqlite3_file *real_of(sqlite3_file *file)
{
        return ((struct faulty_file *)(void *)file)->real;
}

static int file_close(sqlite3_file *file)
{
        return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 offset)
{
        return real_of(file)->pMethods->xRead(real_of(file), bytes, n, offset);
}

static int file_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 offset)
{
        int result = atomic_load(&faulty_vfs.write_result);

        if (result != SQLITE_OK && atomic_fetch_sub(&faulty_vfs.writes_left, 1) <= 0)
                return result;
        return real_of(file)->pMethods->xWrite(real_of(file), bytes, n, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
        return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
        int result = atomic_load(&faulty_vfs.sync_result);

        atomic_fetch_add(&faulty_vfs.n_syncs, 1);
        pthread_mutex_lock(&gate.lock);
        gate.n_waiting++;
        pthread_cond_broadcast(&gate.changed);
        while (gate.is_closed)
                pthread_cond_wait(&gate.changed, &gate.lock);
        gate.n_waiting--;
        pthread_mutex_unlock(&gate.lock);

        if (result != SQLITE_OK)
                return result;
        return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
        return real_of(file)->pMethods->xFileSize(real_of(file), ret_size);
}

static int file_lock(sqlite3_file *file, int level)
{
        return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
        return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_check_reserved_lock(sqlite3_file *file, int *ret_is_reserved)
{
        return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret_is_reserved);
}

static int file_control(sqlite3_file *file, int operation, void *argument)
{
        return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int file_sector_size(sqlite3_file *file)
{
        return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_characteristics(sqlite3_file *file)
{
        return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

/* Version 1: what a log needs. Shared memory belongs to the database file, which is not wrapped. */
static const sqlite3_io_methods methods = {
        .iVersion = 1,
        .xClose = file_close,
        .xRead = file_read,
        .xWrite = file_write,
        .xTruncate = file_truncate,
        .xSync = file_sync,
        .xFileSize = file_size,
        .xLock = file_lock,
        .xUnlock = file_unlock,
        .xCheckReservedLock = file_check_reserved_lock,
        .xFileControl = file_control,
        .xSectorSize = file_sector_size,
        .xDeviceCharacteristics = file_characteristics,
};

static int vfs_open(
        sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
        struct faulty_file *faulty = (struct faulty_file *)(void *)file;
        int rc;

        (void)vfs;
        if (!(flags & SQLITE_OPEN_WAL))
                return real_vfs->xOpen(real_vfs, name, file, flags, ret_flags);

        faulty->base.pMethods = NULL;
        faulty->real = (sqlite3_file *)(void *)(faulty + 1);
        rc = real_vfs->xOpen(real_vfs, name, faulty->real, flags, ret_flags);
        if (rc == SQLITE_OK)
                faulty->base.pMethods = &methods;
        return rc;
}

void faulty_vfs_install(void)
{
        real_vfs = sqlite3_vfs_find(NULL);
        our_vfs = *real_vfs;
        our_vfs.zName = "faulty";
        our_vfs.szOsFile = (int)sizeof(struct faulty_file) + real_vfs->szOsFile;
        our_vfs.xOpen = vfs_open;
        (void)sqlite3_vfs_register(&our_vfs, 1);
}

void faulty_vfs_reset(void)
{
        atomic_store(&faulty_vfs.write_result, SQLITE_OK);
        atomic_store(&faulty_vfs.sync_result, SQLITE_OK);
        atomic_store(&faulty_vfs.writes_left, 0);
        faulty_vfs_open_gate();
}

void faulty_vfs_close_gate(void)
{
        pthread_mutex_lock(&gate.lock);
        gate.is_closed = true;
        pthread_mutex_unlock(&gate.lock);
}

void faulty_vfs_wait_at_gate(void)
{
        pthread_mutex_lock(&gate.lock);
        while (gate.n_waiting == 0)
                pthread_cond_wait(&gate.changed, &gate.lock);
        pthread_mutex_unlock(&gate.lock);
}

void faulty_vfs_open_gate(void)
{
        pthread_mutex_lock(&gate.lock);
        gate.is_closed = false;
        pthread_cond_broadcast(&gate.changed);
        pthread_mutex_unlock(&gate.lock);
}
