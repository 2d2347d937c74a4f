/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages to the journal of a unit without stderr: what is sent, and of which unit. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

#include <cmocka.h>

#include "base/journal.h"

static void test_the_unit_is_the_last_part_of_the_control_group(void **state) {
        static const struct {
                const char *text, *unit;
        } cases[] = {
                {"0::/system.slice/system-netns.slice/netns@12310.service\n", "netns@12310.service"},
                {"1:name=systemd:/other.service\n0::/nsbr@12310.service\n", "nsbr@12310.service"},
                {"0::/init.scope", "init.scope"},
                {"0::/\n", NULL},
                {"1:name=systemd:/other.service\n", NULL},
                {"", NULL},
                {"0::/a-name-that-is-too-long-for-the-room-there-is.service\n", NULL},
        };
        char unit[32];

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                bool found = journal_parse_unit(cases[i].text, unit, sizeof(unit));

                assert_int_equal(found, cases[i].unit != NULL);
                if (found)
                        assert_string_equal(unit, cases[i].unit);
        }
}

static int listen_at(char path[static 64]) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        (void)snprintf(path, 64, "/tmp/coursenet-journal-%ld", (long)getpid());
        assert_int_equal(string_copy(address.sun_path, sizeof(address.sun_path), path), 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

static void test_a_message_has_its_fields_with_their_sizes(void **state) {
        static const char expected[] = "PRIORITY\n\1\0\0\0\0\0\0\0"
                                       "4\nSYSLOG_IDENTIFIER\n\14\0\0\0\0\0\0\0"
                                       "test-journal\nMESSAGE\n\13\0\0\0\0\0\0\0"
                                       "one\ntwo = 3\n";
        char path[64], bytes[1024];
        int fd = listen_at(path);
        ssize_t n;

        (void)state;
        assert_int_equal(journal_send(path, LOG_WARNING, "one\ntwo = 3"), 0);
        n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        /* Where the test runs in a unit, that comes behind. */
        assert_true(n >= (ssize_t)sizeof(expected) - 1);
        assert_memory_equal(bytes, expected, sizeof(expected) - 1);
        (void)close(fd);
        assert_int_equal(journal_send(path, LOG_WARNING, "one"), -ECONNREFUSED);
        (void)unlink(path);
        assert_int_equal(journal_send(path, LOG_WARNING, "one"), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_unit_is_the_last_part_of_the_control_group),
                cmocka_unit_test(test_a_message_has_its_fields_with_their_sizes),
        };

        return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
