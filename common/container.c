/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Knows where distributions and administrators put the runtimes, and what systemd's results mean. */

#include "container.h"
#include "protocol.h"

const char *container_find_runtime(void) {
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

static const char *explain(const char *result) {
        static const struct {
                const char *result, *text;
        } texts[] = {
                {"timeout", "it did not start in time"},
                {"oom-kill", "it needed more memory than it may have"},
                {"resources", "the server lacks what is needed to start it"},
                {"success", "it has ended"},
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (string_equal(texts[i].result, result))
                        return texts[i].text;
        return NULL;
}

/* Prefers the reason that the start itself gave to what systemd saw. */
void container_format_failure(
        const char *status, const char *result, char ret[static CONTAINER_FAILURE_SIZE]) {
        const char *text = status[0] ? status : explain(result);
        char whole[CONTAINER_FAILURE_SIZE];

        if (!text) {
                (void)snprintf(whole, sizeof(whole), "its unit failed before it could say why (%s)",
                        result[0] ? result : "unknown");
                text = whole;
        }
        protocol_copy_text(ret, CONTAINER_FAILURE_SIZE, text);
}
