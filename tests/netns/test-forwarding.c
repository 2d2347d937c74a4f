/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Forwarding, with a tree of files instead of /proc/sys: only the switches that seats need are turned on, and
 * all of them are turned off again. Kernels differ in IPv6, so there are trees of both kinds.
 */

#include "sandbox.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "netsetup/firewall/forwarding.h"

#define ROOT "/run/sys"

static const struct forwarding_paths paths = {.root = ROOT, .state = "/run/record"};

/* Instead of libc's: also notes which names were looked up. */
static char looked_up[256];

unsigned if_nametoindex(const char *name) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = {0};
        size_t size = strlen(looked_up);

        (void)snprintf(looked_up + size, sizeof(looked_up) - size, "%s;", name);
        assert_int_equal(string_copy(request.ifr_name, sizeof(request.ifr_name), name), 0);
        return ioctl(fd, SIOCGIFINDEX, &request) < 0 ? 0 : (unsigned)request.ifr_ifindex;
}

static void set(const char *path, const char *value) {
        assert_shell(
                "mkdir -p \"$(dirname " ROOT "/net/%s)\" && echo %s >" ROOT "/net/%s", path, value, path);
}

static void assert_value(const char *path, const char *value) {
        assert_shell("test \"$(cat " ROOT "/net/%s)\" = %s", path, value);
}

static void assert_record(const char *text) {
        assert_shell("test \"$(sort /run/record | sed 's/ 0$//' | tr '\\n' ';')\" = '%s'", text);
}

/* A host with an uplink and a network of its own, which forwards nothing. */
static void make_host(bool force_forwarding) {
        static const char *const links[] = {"all", "default", "lo", "up0", "lab0", "br-123"};

        for (size_t i = 0; i < ELEMENTSOF(links); i++) {
                char path[64];

                (void)snprintf(path, sizeof(path), "ipv4/conf/%s/forwarding", links[i]);
                set(path, "0");
                (void)snprintf(path, sizeof(path), "ipv6/conf/%s/forwarding", links[i]);
                set(path, "0");
                (void)snprintf(path, sizeof(path), "ipv6/conf/%s/accept_ra", links[i]);
                set(path, string_equal(links[i], "lab0") ? "0" : "1");
                (void)snprintf(path, sizeof(path), "ipv6/conf/%s/force_forwarding", links[i]);
                if (force_forwarding)
                        set(path, "0");
        }
}

static struct bridge_plan make_course(bool six) {
        struct bridge_plan plan;

        bridge_plan_name("123", &plan);
        if (six)
                assert_int_equal(address6_parse("fd00::1", 64, &plan.address6), 0);
        return plan;
}

/* What a refresh does with this course, or none. */
static struct forwarding run(struct sandbox *sandbox, const struct bridge_plan *course, const char *uplink) {
        struct forwarding forwarding = {.courses = course, .n_courses = course ? 1 : 0};

        if (uplink)
                link_names_add(&forwarding.uplinks, uplink);
        assert_int_equal(forwarding_plan(&paths, &forwarding, &sandbox->diagnostics), 0);
        assert_int_equal(forwarding_close(&paths, &forwarding, &sandbox->diagnostics), 0);
        assert_int_equal(forwarding_open(&paths, &forwarding, &sandbox->diagnostics), 0);
        return forwarding;
}

static void a_switch_for_each_link(void **state) {
        struct sandbox *sandbox = *state;
        struct bridge_plan course = make_course(true);
        struct forwarding now;

        make_host(true);
        for (unsigned i = 0; i < 2; i++) {
                now = run(sandbox, &course, "up0");
                assert_true(link_names_have(&now.opened4, "up0"));
                assert_true(link_names_have(&now.opened6, "up0"));
                assert_false(now.opened6_all);
                assert_value("ipv4/conf/up0/forwarding", "1");
                assert_value("ipv4/conf/br-123/forwarding", "1");
                assert_value("ipv6/conf/up0/force_forwarding", "1");
                assert_value("ipv6/conf/br-123/force_forwarding", "1");
                assert_value("ipv4/conf/lab0/forwarding", "0");
                assert_value("ipv6/conf/lab0/force_forwarding", "0");
                assert_value("ipv6/conf/up0/accept_ra", "1");
                assert_record("ipv4 up0;ipv6 up0;");
        }

        (void)run(sandbox, NULL, NULL);
        assert_value("ipv4/conf/up0/forwarding", "0");
        assert_value("ipv6/conf/up0/force_forwarding", "0");
        assert_record("");
        assert_silence(sandbox);
}

static void an_older_kernel_forwards_ipv6_as_a_whole(void **state) {
        struct sandbox *sandbox = *state;
        struct bridge_plan course = make_course(true);
        struct forwarding now;

        make_host(false);
        looked_up[0] = '\0';
        for (unsigned i = 0; i < 2; i++) {
                now = run(sandbox, &course, "up0");
                assert_true(now.opened6_all);
                assert_int_equal(now.opened6.n_items, 0);
                assert_value("ipv6/conf/all/forwarding", "1");
                /* A link that took router advertisements goes on to. */
                assert_value("ipv6/conf/up0/accept_ra", "2");
                assert_value("ipv6/conf/lab0/accept_ra", "0");
        }

        /* The kernel would run modprobe(8) for them, while the first login of a course waits. */
        assert_non_null(strstr(looked_up, "up0;"));
        assert_null(strstr(looked_up, "default;"));
        assert_null(strstr(looked_up, "all;"));

        (void)run(sandbox, NULL, NULL);
        assert_value("ipv6/conf/all/forwarding", "0");
        assert_value("ipv6/conf/up0/accept_ra", "1");
        assert_value("ipv6/conf/lab0/accept_ra", "0");
        assert_record("");
        assert_silence(sandbox);
}

static void a_course_without_ipv6_leaves_ipv6_alone(void **state) {
        struct sandbox *sandbox = *state;
        struct bridge_plan course = make_course(false);

        make_host(false);
        (void)run(sandbox, &course, "up0");
        assert_value("ipv4/conf/up0/forwarding", "1");
        assert_value("ipv6/conf/all/forwarding", "0");
        assert_value("ipv6/conf/up0/accept_ra", "1");
        assert_silence(sandbox);
}

static void another_uplink_takes_over(void **state) {
        struct sandbox *sandbox = *state;
        struct bridge_plan course = make_course(true);
        struct forwarding now;

        make_host(true);
        (void)run(sandbox, &course, "up0");
        now = run(sandbox, &course, "lab0");
        assert_false(link_names_have(&now.opened4, "up0"));
        assert_value("ipv4/conf/up0/forwarding", "0");
        assert_value("ipv6/conf/up0/force_forwarding", "0");
        assert_value("ipv4/conf/lab0/forwarding", "1");
        assert_record("ipv4 lab0;ipv6 lab0;");

        /* One that is unplugged has no file any more. */
        assert_shell("rm -r " ROOT "/net/ipv4/conf/lab0 " ROOT "/net/ipv6/conf/lab0");
        (void)run(sandbox, &course, NULL);
        assert_record("");
        assert_silence(sandbox);
}

static void a_router_is_left_as_it_is(void **state) {
        struct sandbox *sandbox = *state;
        struct bridge_plan course = make_course(true);
        struct forwarding now;

        make_host(true);
        set("ipv4/conf/all/forwarding", "1");
        set("ipv4/conf/up0/forwarding", "1");
        set("ipv6/conf/all/forwarding", "1");
        now = run(sandbox, &course, "up0");
        assert_int_equal(now.opened4.n_items, 0);
        assert_int_equal(now.opened6.n_items, 0);
        (void)run(sandbox, NULL, NULL);
        assert_value("ipv4/conf/all/forwarding", "1");
        assert_value("ipv4/conf/up0/forwarding", "1");
        assert_value("ipv6/conf/all/forwarding", "1");
        assert_silence(sandbox);
}

/* Docker comes up after a course, and sets ip_forward: from then on forwarding is its own. */
static void a_host_that_becomes_a_router_stays_one(void **state) {
        struct sandbox *sandbox = *state;
        struct bridge_plan course = make_course(false);
        struct forwarding now;

        make_host(true);
        (void)run(sandbox, &course, "up0");
        set("ipv4/conf/all/forwarding", "1");
        now = run(sandbox, &course, "up0");
        assert_int_equal(now.opened4.n_items, 0);
        (void)run(sandbox, NULL, NULL);
        assert_value("ipv4/conf/up0/forwarding", "1");
        assert_silence(sandbox);
}

static void what_others_switch_off_is_switched_on_again(void **state) {
        struct sandbox *sandbox = *state;
        struct bridge_plan course = make_course(true);

        make_host(true);
        (void)run(sandbox, &course, "up0");
        set("ipv4/conf/up0/forwarding", "0");
        set("ipv4/conf/br-123/forwarding", "0");
        (void)run(sandbox, &course, "up0");
        assert_value("ipv4/conf/up0/forwarding", "1");
        assert_value("ipv4/conf/br-123/forwarding", "1");
        assert_record("ipv4 up0;ipv6 up0;");
}

static void a_host_without_ipv6_has_courses_without_it(void **state) {
        struct sandbox *sandbox = *state;
        struct bridge_plan course = make_course(true);

        make_host(true);
        assert_shell("rm -r " ROOT "/net/ipv6");
        (void)run(sandbox, &course, "up0");
        assert_value("ipv4/conf/up0/forwarding", "1");
        (void)run(sandbox, NULL, NULL);
        assert_silence(sandbox);
}

static void a_damaged_record_is_read_as_far_as_it_makes_sense(void **state) {
        struct sandbox *sandbox = *state;

        make_host(true);
        set("ipv4/conf/up0/forwarding", "1");
        write_file("/run/record", "ipv4\nipv4 up0\nnonsense up0\nipv4 a-name-that-is-too-long\nipv6 ");
        (void)run(sandbox, NULL, NULL);
        assert_value("ipv4/conf/up0/forwarding", "0");
        assert_record("");
        assert_silence(sandbox);
}

/* A folder can be opened, and not be read. */
static void what_cannot_be_read_is_neither_on_nor_off(void **state) {
        static const char *const unreadable[] = {
                "/run/record",
                ROOT "/net/ipv4/conf/all/forwarding",
                ROOT "/net/ipv4/conf/up0/forwarding",
                ROOT "/net/ipv6/conf/all/forwarding",
                ROOT "/net/ipv6/conf/default/force_forwarding",
                ROOT "/net/ipv6/conf/up0/force_forwarding",
        };
        struct sandbox *sandbox = *state;
        struct bridge_plan course = make_course(true);

        for (size_t i = 0; i < ELEMENTSOF(unreadable); i++) {
                struct forwarding forwarding = {.courses = &course, .n_courses = 1};

                assert_shell("rm -rf /run/record " ROOT);
                make_host(true);
                assert_shell("rm -f %s && mkdir %s", unreadable[i], unreadable[i]);
                link_names_add(&forwarding.uplinks, "up0");
                assert_true(forwarding_plan(&paths, &forwarding, &sandbox->diagnostics) < 0);
                assert_error(sandbox, "cannot be read: ");
                diagnostics_done(&sandbox->diagnostics);
        }
}

/* The record says what is ours, and is not written again without having been read. */
static void a_record_that_cannot_be_read_is_kept(void **state) {
        struct sandbox *sandbox = *state;
        struct forwarding none = {0};

        make_host(true);
        set("ipv4/conf/up0/forwarding", "1");
        assert_shell("mkdir /run/record");
        assert_true(forwarding_close(&paths, &none, &sandbox->diagnostics) < 0);
        assert_error(sandbox, "forwarding: cannot be switched off: ");
        assert_true(forwarding_open(&paths, &none, &sandbox->diagnostics) < 0);
        assert_error(sandbox, "/run/record: cannot be read: ");
        assert_shell("test -d /run/record");
        assert_value("ipv4/conf/up0/forwarding", "1");
}

/* A switch goes with its link, whatever that is called then. */
static void a_renamed_uplink_is_closed_again(void **state) {
        struct sandbox *sandbox = *state;
        struct bridge_plan course = make_course(false);

        make_host(true);
        assert_shell("ip link add up0 type bridge");
        (void)run(sandbox, &course, "up0");
        assert_shell(
                "ip link set up0 name wan0 && mv " ROOT "/net/ipv4/conf/up0 " ROOT "/net/ipv4/conf/wan0");
        (void)run(sandbox, &course, "wan0");
        assert_value("ipv4/conf/wan0/forwarding", "1");
        (void)run(sandbox, NULL, NULL);
        assert_value("ipv4/conf/wan0/forwarding", "0");
        assert_silence(sandbox);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(a_switch_for_each_link),
                sandbox_test(an_older_kernel_forwards_ipv6_as_a_whole),
                sandbox_test(a_course_without_ipv6_leaves_ipv6_alone),
                sandbox_test(another_uplink_takes_over),
                sandbox_test(a_router_is_left_as_it_is),
                sandbox_test(a_host_that_becomes_a_router_stays_one),
                sandbox_test(what_others_switch_off_is_switched_on_again),
                sandbox_test(a_host_without_ipv6_has_courses_without_it),
                sandbox_test(a_renamed_uplink_is_closed_again),
                sandbox_test(a_damaged_record_is_read_as_far_as_it_makes_sense),
                sandbox_test(what_cannot_be_read_is_neither_on_nor_off),
                sandbox_test(a_record_that_cannot_be_read_is_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
