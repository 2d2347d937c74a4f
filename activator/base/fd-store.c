/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sd_notify(3), FDSTORE= and FDSTOREREMOVE=. */

#include <systemd/sd-daemon.h>

#include "fd-store.h"
#include "protocol.h"

void fd_store_keep(const char *lease_id, int fd) {
        char state[LEASE_ID_SIZE + 32];

        (void)snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=%s", lease_id);
        (void)sd_pid_notify_with_fds(0, false, state, &fd, 1);
}

void fd_store_drop(const char *lease_id) {
        (void)sd_notifyf(false, "FDSTOREREMOVE=1\nFDNAME=%s", lease_id);
}
