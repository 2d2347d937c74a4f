/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A datagram of fields: a name, a line feed, the size of the value in 64 bits, little endian, the value, a
 * line feed.
 */

#include <endian.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "journal-message.h"

static void add_field(FILE *file, const struct journal_field *field) {
        uint64_t size = htole64(strlen(field->value));

        (void)fprintf(file, "%s\n", field->name);
        (void)fwrite(&size, sizeof(size), 1, file);
        (void)fprintf(file, "%s\n", field->value);
}

/*
 * Without credentials the kernel would say who the real user is: in su, the user who has typed it. What such
 * a program logs is root's.
 */
static void add_credentials(struct msghdr *message, void *control, size_t size) {
        const struct ucred credentials = {.pid = getpid(), .uid = geteuid(), .gid = getegid()};
        struct cmsghdr *header;

        memset(control, 0, size);
        message->msg_control = control;
        message->msg_controllen = size;
        header = CMSG_FIRSTHDR(message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_CREDENTIALS;
        header->cmsg_len = CMSG_LEN(sizeof(credentials));
        memcpy(CMSG_DATA(header), &credentials, sizeof(credentials));
}

static int send_datagram(const char *path, char *bytes, size_t size) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(struct ucred))];
        } control;
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct iovec part = {.iov_base = bytes, .iov_len = size};
        struct msghdr message = {
                .msg_name = &address, .msg_namelen = sizeof(address), .msg_iov = &part, .msg_iovlen = 1};
        _cleanup_close_ int fd = -1;

        if (string_copy(address.sun_path, sizeof(address.sun_path), path) < 0)
                return -ENAMETOOLONG;
        add_credentials(&message, &control, sizeof(control));
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        return fd < 0 || sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int journal_message_send(const char *socket_path, const struct journal_field *fields, size_t n_fields) {
        _cleanup_free_ char *bytes = NULL;
        size_t size = 0;
        FILE *file = open_memstream(&bytes, &size);

        if (!file)
                return -ENOMEM;
        for (size_t i = 0; i < n_fields; i++)
                add_field(file, &fields[i]);
        if (fclose(file) != 0)
                return -ENOMEM;
        return send_datagram(socket_path, bytes, size);
}
