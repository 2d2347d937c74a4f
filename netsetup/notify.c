/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One datagram to the socket that systemd names in the environment; "@" stands for an abstract one. */

#include <sys/socket.h>
#include <sys/un.h>

#include "notify.h"
#include "util.h"

int notify_send(const char *state) {
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = -1;
        socklen_t size;

        if (!path)
                return 0;
        if ((path[0] != '/' && path[0] != '@') ||
                string_copy(address.sun_path, sizeof(address.sun_path), path) < 0)
                return -EINVAL;
        /* An abstract name has no NUL behind it, so its length counts. */
        size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
        if (path[0] == '@')
                address.sun_path[0] = '\0';
        else
                size++;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, size) < 0)
                return -errno;
        return 0;
}
