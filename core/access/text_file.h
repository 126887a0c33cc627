/*
 * The text files that say who may call
 *
 * A file is read whole, and only if those who could have written it may decide on
 * access. A new version takes its place at once. What is refused is told with what
 * mends it.
 */

#ifndef CORE_ACCESS_TEXT_FILE_H
#define CORE_ACCESS_TEXT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/access/words.h"
#include "core/base/macros.h"

#define PIPIT_TEXT_FILE_BYTES_MAX   ((size_t)1024 * 1024)
#define PIPIT_SECRET_FILE_BYTES_MAX ((size_t)4096)

/* --- reading ------------------------------------------------------------------- */

enum pipit_text_file_kind {
        /* Regular; ours or root's; nobody else may write to it. */
        PIPIT_TEXT_FILE_SETTINGS,
        /* Regular, itself and no link; ours; readable for nobody else; at most 4 KiB, in guarded memory. */
        PIPIT_TEXT_FILE_SECRET,
};

struct pipit_text_file {
        /* out */
        char *text; /* n_bytes, and a NUL that is none of them */
        size_t n_bytes;

        /* private */
        enum pipit_text_file_kind kind;
};

/* False: it says what is wrong, and with @missing_hint, what makes one where there is none. */
PIPIT_MUST_CHECK bool pipit_text_file_read(const char *path,
                                           enum pipit_text_file_kind kind,
                                           const char *missing_hint,
                                           struct pipit_text_file *ret_file,
                                           struct pipit_access_problem *ret_problem);

void pipit_text_file_deinit(struct pipit_text_file *file);

/* --- writing ------------------------------------------------------------------- */

/*
 * Makes the file, which must not exist yet, with @mode; its bytes are on the disk when
 * this returns. False: there is no new file.
 */
PIPIT_MUST_CHECK bool pipit_text_file_create(const char *path,
                                             mode_t mode,
                                             const char *text,
                                             size_t n_bytes,
                                             struct pipit_access_problem *ret_problem);

/*
 * Puts new content in place of the old, at once: whoever reads sees either, whatever
 * happens. Keeps mode and owner where there was a file, else makes it with 0644. A
 * link is followed. False: the old content stands.
 */
PIPIT_MUST_CHECK bool pipit_text_file_replace(const char *path,
                                              const char *text,
                                              size_t n_bytes,
                                              struct pipit_access_problem *ret_problem);

/*
 * Keeps others that edit in the folder of @path out until the descriptor is closed.
 * Returns it, or -1.
 */
PIPIT_MUST_CHECK int pipit_text_file_lock(const char *path,
                                          struct pipit_access_problem *ret_problem);

#endif
