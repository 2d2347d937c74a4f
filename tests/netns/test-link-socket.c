/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A system call of the socket to the kernel fails, because memory or descriptors have run out. The request
 * fails with that errno, and the next one gets its own answer, so that what was done can be undone.
 */

#include "link-world.h"

#include <dlfcn.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "mac.h"

/* The next call fails with that errno, if it is not 0. */
static int send_error, receive_error;

static bool fails(int *error) {
        if (*error == 0)
                return false;
        errno = *error;
        *error = 0;
        return true;
}

__attribute__((visibility("default"))) ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
        ssize_t (*next)(int fd, const struct msghdr *message, int flags);

        *(void **)&next = dlsym(RTLD_NEXT, "sendmsg");
        return fails(&send_error) ? -1 : next(fd, message, flags);
}

__attribute__((visibility("default"))) ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
        ssize_t (*next)(int fd, struct msghdr *message, int flags);

        *(void **)&next = dlsym(RTLD_NEXT, "recvmsg");
        return fails(&receive_error) ? -1 : next(fd, message, flags);
}

static void make_bridges(struct link_socket *socket) {
        static const struct mac mac = {{2, 0, 0, 0, 0, 1}};

        assert_int_equal(link_create_bridge(socket, "br-1", &mac), 0);
        assert_int_equal(link_create_bridge(socket, "br-2", &mac), 0);
}

static void assert_found(struct link_socket *socket, const char *name) {
        struct link link;

        assert_int_equal(link_find(socket, name, "bridge", &link), LINK_OURS);
        assert_string_equal(link.name, name);
        assert_int_equal(link.index, index_of(name));
}

static void an_answer_that_is_lost_is_not_taken_for_the_next_one(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_links_ struct links links = {0};
        struct link link;

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_bridges(&socket);

        receive_error = ENOMEM;
        assert_int_equal(link_find(&socket, "br-1", "bridge", &link), -ENOMEM);
        assert_found(&socket, "br-2");

        receive_error = ENOMEM;
        assert_int_equal(link_list_ours(&socket, "bridge", &links), -ENOMEM);
        assert_found(&socket, "br-1");

        /* The kernel has deleted it. */
        receive_error = ENOMEM;
        assert_int_equal(link_delete(&socket, index_of("br-1")), -ENOMEM);
        assert_found(&socket, "br-2");
        assert_int_equal(link_find(&socket, "br-1", "bridge", &link), LINK_ABSENT);
}

static void a_request_that_is_not_sent_does_not_spoil_the_next_one(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        int index;

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_bridges(&socket);
        index = index_of("br-1");

        send_error = ENOBUFS;
        assert_int_equal(link_delete(&socket, index), -ENOMEM);
        assert_int_equal(link_delete(&socket, index), 0);
        assert_no_shell("ip link show br-1");
        assert_found(&socket, "br-2");
}

static void a_socket_stays_in_its_namespace(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        struct link link;

        (void)state;
        make_course();
        open_socket_in("ns12310", &socket);
        for (unsigned i = 0; i < 2; i++) {
                receive_error = ENOMEM;
                assert_int_equal(link_find(&socket, "vr-12310", "veth", &link), -ENOMEM);
                assert_int_equal(link_find(&socket, "vr-12310", "veth", &link), LINK_OURS);
                assert_int_equal(link_find(&socket, "vl-12310", "veth", &link), LINK_ABSENT);
        }
        assert_true(index_of("vl-12310") > 0); /* this process is where it was */
}

static void keep_net_admin_only(void) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct sets[2] = {
                {.effective = 1U << CAP_NET_ADMIN, .permitted = 1U << CAP_NET_ADMIN}};

        if (syscall(SYS_capset, &header, sets) < 0 ||
                setns(open("/proc/self/ns/net", O_RDONLY), CLONE_NEWNET) == 0)
                _exit(2);
}

/* As netbr@ runs: it may not join a namespace. */
static void it_needs_no_right_to_join_a_namespace(void **state) {
        pid_t child;
        int status;

        (void)state;
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                struct link_socket socket = {0};
                struct link link;
                bool right;

                (void)link_open(&socket);
                make_bridges(&socket);
                keep_net_admin_only();
                receive_error = ENOMEM;
                right = link_find(&socket, "br-1", "bridge", &link) == -ENOMEM &&
                        link_find(&socket, "br-2", "bridge", &link) == LINK_OURS &&
                        link.index == index_of("br-2");
                _exit(right ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
}

static void too_many_descriptors_are_reported_as_such(void **state) {
        struct link_socket socket = {0};
        struct rlimit before, none = {0};

        (void)state;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        none.rlim_max = before.rlim_max;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        assert_int_equal(link_open(&socket), -EMFILE);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_null(socket.nl);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(an_answer_that_is_lost_is_not_taken_for_the_next_one),
                sandbox_test(a_request_that_is_not_sent_does_not_spoil_the_next_one),
                sandbox_test(a_socket_stays_in_its_namespace),
                sandbox_test(it_needs_no_right_to_join_a_namespace),
                sandbox_test(too_many_descriptors_are_reported_as_such),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
