/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * libnftables takes every uid for a name first and asks the user database for it, "5001" no less: a directory
 * that hangs would hang the fence, thousands of uids would be as many queries, and an account with such a
 * name would be fenced in place of the uid. glibc can be told where accounts are to be looked for, but not
 * untold; so a child is.
 */

#include <nss.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "failure.h"
#include "fence-apply.h"
#include "firewall.h"

/* There is no such service, and so no account. */
#define NO_SERVICE "coursenet_none"

/* What the child has to say. */
struct report {
        char text[1024];
};

static void apply_in_child(const char *rules, const char *what, struct report *report) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        if (__nss_configure_lookup("passwd", NO_SERVICE) != 0)
                (void)snprintf(report->text, sizeof(report->text), "the user database cannot be left out");
        else if (firewall_apply(rules, what, &diagnostics) < 0 && diagnostics.n_items > 0)
                (void)snprintf(report->text, sizeof(report->text), "%s", diagnostics.items[0].text);
        else
                _exit(diagnostics.n_errors > 0 ? EXIT_FAILURE : EXIT_SUCCESS);
        _exit(EXIT_FAILURE);
}

static int wait_for(pid_t pid) {
        int status;

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS ? 0 : -EIO;
}

int fence_apply(const char *rules, const char *what, struct diagnostics *diagnostics) {
        struct report *report =
                mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pid_t pid;
        int r;

        if (report == MAP_FAILED)
                return failure(diagnostics, what, -errno, "cannot be set up");
        pid = fork();
        if (pid == 0)
                apply_in_child(rules, what, report);
        r = pid < 0 ? -errno : wait_for(pid);
        if (r < 0 && report->text[0])
                diagnostics_error(diagnostics, what, 0, "%s", report->text);
        else if (r < 0)
                (void)failure(diagnostics, what, r, "cannot be set up");
        (void)munmap(report, sizeof(*report));
        return r;
}
