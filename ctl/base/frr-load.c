/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "frr-load.h"
#include "child.h"

/* What a shell says of a program that is not there, which is what a child of posix_spawn() may end with. */
#define STATUS_NO_PROGRAM 127

static int run(const char *const *arguments, int error, int failed, FILE **ret) {
        const struct child_streams streams = {CHILD_NULL, CHILD_NULL, error};
        _cleanup_fclose_ FILE *output = NULL;
        int r, status;

        r = child_read(arguments, &streams, &status, &output);
        if (r < 0)
                return r;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return WIFEXITED(status) && WEXITSTATUS(status) == STATUS_NO_PROGRAM ? -ENOENT : failed;
        if (ret) {
                *ret = output;
                output = NULL;
        }
        return 0;
}

/* One daemon alone: the others' part is none of coursenet's, and one that hangs delays nothing. */
int frr_ask(const char *daemon, const char *command, FILE **ret) {
        const char *const arguments[] = {"vtysh", "-d", daemon, "-c", command, NULL};

        return run(arguments, CHILD_NULL, -ENOTCONN, ret);
}

int frr_read_running(struct frr_router *ret) {
        _cleanup_fclose_ FILE *output = NULL;
        int r = frr_ask("bgpd", "show running-config", &output);

        return r < 0 ? r : frr_router_read(output, ret);
}

int frr_load(const char *path) {
        const char *const arguments[] = {"vtysh", "-d", "bgpd", "-f", path, NULL};

        return run(arguments, CHILD_INHERIT, -EINVAL, NULL);
}
