/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A descriptor that goes along with a message. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "activator-client.h"
#include "message-fd.h"

static int ends[2];

static ssize_t send_with(const int *fds, size_t n) {
        union {
                char buffer[CMSG_SPACE(4 * sizeof(int))];
                struct cmsghdr align;
        } control = {0};
        char text[] = "hello";
        struct iovec iovec = {.iov_base = text, .iov_len = sizeof(text)};
        struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1};
        struct message_fd room;

        if (n == 1)
                message_attach_fd(&message, &room, fds[0]);
        else {
                message.msg_control = control.buffer;
                message.msg_controllen = CMSG_SPACE(n * sizeof(int));
                *CMSG_FIRSTHDR(&message) = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                        .cmsg_type = SCM_RIGHTS,
                        .cmsg_len = CMSG_LEN(n * sizeof(int))};
                memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), fds, n * sizeof(int));
        }
        return sendmsg(ends[0], &message, 0);
}

static int receive(int *ret_flags) {
        char text[16];
        struct iovec iovec = {.iov_base = text, .iov_len = sizeof(text)};
        struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1};
        struct message_fd room;

        message_expect_fd(&message, &room);
        assert_int_equal(recvmsg(ends[1], &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT), sizeof("hello"));
        assert_string_equal(text, "hello");
        *ret_flags = message.msg_flags;
        return message_take_fd(&message);
}

static ino_t inode(int fd) {
        struct stat st;

        assert_int_equal(fstat(fd, &st), 0);
        return st.st_ino;
}

static int count_fds(void) {
        int n = 0;

        for (int fd = 0; fd < 1024; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

static void a_descriptor_arrives(void **state) {
        int flags, fd;

        (void)state;
        assert_true(send_with(&ends[0], 1) > 0);
        fd = receive(&flags);
        assert_true(fd >= 0);
        assert_int_equal(inode(fd), inode(ends[0]));
        assert_false(flags & MSG_CTRUNC);
        (void)close(fd);
}

static void a_message_may_come_alone(void **state) {
        const int none = -1;
        int flags;

        (void)state;
        assert_true(send_with(&none, 1) > 0);
        assert_int_equal(receive(&flags), -1);
        assert_false(flags & MSG_CTRUNC);
}

/* Nobody fills the table of descriptors by sending more than one. */
static void of_several_descriptors_one_is_taken_and_none_is_left_open(void **state) {
        const int many[] = {ends[0], STDERR_FILENO, STDIN_FILENO};
        int before = count_fds(), flags, fd;

        (void)state;
        assert_true(send_with(many, 3) > 0);
        fd = receive(&flags);
        assert_true(fd >= 0);
        assert_int_equal(inode(fd), inode(ends[0]));
        assert_true(flags & MSG_CTRUNC);
        (void)close(fd);
        assert_int_equal(count_fds(), before);
}

/* In the words of the client: a peer that was gone before it had read everything is one that hung up. */
static void a_peer_that_is_gone_is_no_other_error(void **state) {
        struct reply reply;
        char byte = 'x';

        (void)state;
        assert_int_equal(send(ends[0], &byte, 1, 0), 1);
        (void)close(ends[1]);
        ends[1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_int_equal(activator_receive(ends[0], &reply, deadline_after_ms(10000)), -EPIPE);
        assert_int_equal(activator_receive(ends[0], &reply, deadline_after_ms(10000)), -ECONNRESET);
}

static int set_up(void **state) {
        (void)state;
        return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

static int tear_down(void **state) {
        (void)state;
        (void)close(ends[0]);
        return close(ends[1]);
}

#define fd_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                fd_test(a_descriptor_arrives),
                fd_test(a_message_may_come_alone),
                fd_test(a_peer_that_is_gone_is_no_other_error),
                fd_test(of_several_descriptors_one_is_taken_and_none_is_left_open),
        };

        return cmocka_run_group_tests_name("message-fd", tests, NULL, NULL);
}
