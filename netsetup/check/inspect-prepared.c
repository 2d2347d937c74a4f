/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks for receipts of coursenet-worker that no unit and no discard has removed. */

#include <dirent.h>
#include <sys/stat.h>
#include <time.h>

#include "base/failure.h"
#include "inspect.h"
#include "run-files.h"

/* Ten times what the units of a seat take on a slow machine while a class logs in. */
#define ADOPTION_SECONDS 60

void inspect_prepared(struct inspection *inspection) {
        DIR *directory = opendir(PREPARED_DIRECTORY);
        time_t now = time(NULL);
        struct stat st;

        for (struct dirent *entry; directory && (entry = readdir(directory));)
                if (entry->d_name[0] != '.' && fstatat(dirfd(directory), entry->d_name, &st, 0) >= 0 &&
                        st.st_mtime < now - ADOPTION_SECONDS)
                        diagnostics_warning(inspection->diagnostics, PREPARED_DIRECTORY, 0,
                                "%s was made for a login, and its unit has not been started: systemctl "
                                "try-restart coursenet-activator.service removes it if nobody has the seat",
                                entry->d_name);
        if (directory)
                (void)closedir(directory);
}
