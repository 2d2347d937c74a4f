/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Knows where the runtimes keep their instances' state. */

#include <ftw.h>
#include <limits.h>
#include <sys/utsname.h>

#include "runtime.h"

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void)st;
        (void)type;
        (void)ftw;
        (void)remove(path);
        return 0;
}

void runtime_forget_instance(const char *home, const char *user, const char *instance) {
        /* HOME/…/HOST/USER/INSTANCE, as `instance list --json` of both shows. */
        static const char *const folders[] = {".apptainer/instances/app", ".singularity/instances/sing"};
        struct utsname host;
        char path[PATH_MAX];

        if (uname(&host) < 0)
                return;
        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                int n = snprintf(path, sizeof(path), "%s/%s/%s/%s/%s", home, folders[i], host.nodename, user,
                        instance);

                if (n > 0 && (size_t)n < sizeof(path))
                        (void)nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
        }
}
