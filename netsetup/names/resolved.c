/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* systemd-resolved forgets the settings of a bridge when the bridge is removed. */

#include <sys/socket.h>
#include <sys/un.h>

#include "base/program.h"
#include "kernel/link.h"
#include "resolved.h"

#define RECORD_PATH_SIZE 64U

/* The socket may exist after systemd-resolved has ended. To run resolvectl would make D-Bus start it. */
static bool is_running(void) {
        struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = RESOLVED_SOCKET};
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) >= 0;
}

/* systemd-resolved keeps the settings of a link there, also over its own restarts. */
static void record_path(int index, char ret[static RECORD_PATH_SIZE]) {
        (void)snprintf(ret, RECORD_PATH_SIZE, "/run/systemd/resolve/netif/%d", index);
}

void resolved_forget(struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_links_ struct links bridges = {0};

        if (!is_running() || link_open(&socket) < 0 || link_list_ours(&socket, "bridge", &bridges) < 0)
                return;
        for (size_t i = 0; i < bridges.n_items; i++) {
                const struct link *bridge = &bridges.items[i];
                char path[RECORD_PATH_SIZE];

                record_path(bridge->index, path);
                if (access(path, F_OK) >= 0 &&
                        program_run((const char *[]){"resolvectl", "revert", bridge->name, NULL}) != 0)
                        diagnostics_warning(diagnostics, bridge->name, 0,
                                "systemd-resolved still uses our name service, and tells everybody the names "
                                "of the course: run `resolvectl revert %s`",
                                bridge->name);
        }
}
