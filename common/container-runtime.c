/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where distributions and administrators put the runtimes. */

#include "container-runtime.h"

const char *container_runtime_find(void) {
        static const char *const paths[] = {
                "/usr/bin/apptainer",
                "/usr/local/bin/apptainer",
                "/usr/bin/singularity",
                "/usr/local/bin/singularity",
        };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                if (access(paths[i], X_OK) == 0)
                        return paths[i];
        return NULL;
}
