/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A seat of a spread course is on the network with a claim that is good, and not otherwise. */

#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#include "netsetup/check/inspect.h"
#include "netsetup/claims/claims.h"
#include "netsetup/fence/fence.h"
#include "stretch-world.h"

#define HOST BUILD_DIRECTORY "/coursenet-host"

static int start(struct sandbox *sandbox, const char *seat) {
        return seat_start(SANDBOX_ETC, seat, &sandbox->diagnostics);
}

static void update(struct sandbox *sandbox) {
        diagnostics_done(&sandbox->diagnostics);
        assert_int_equal(claims_update(&sandbox->diagnostics), 0);
        assert_silence(sandbox);
}

/* br-123 and the namespaces of two seats. */
static void make_course(struct sandbox *sandbox) {
        make_underlay();
        configure_spread("");
        assert_int_equal(bridge_start(SANDBOX_ETC, "123", &sandbox->diagnostics), 0);
        for (unsigned i = 12310; i <= 12311; i++) {
                char seat[16];

                (void)snprintf(seat, sizeof(seat), "%u", i);
                assert_int_equal(netns_start(SANDBOX_ETC, seat, &sandbox->diagnostics), 0);
        }
        assert_silence(sandbox);
}

static void make_seats(struct sandbox *sandbox) {
        make_course(sandbox);
        set_deadline(3600);
        give_claim("12310");
        give_claim("12311");
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(start(sandbox, "12311"), 0);
        assert_silence(sandbox);
}

#define IS_UP(seat) "ip -o link show up dev vl-" seat " | grep -q LOWER_UP"
#define IS_FENCED(seat)                                                                                      \
        "{ ip link show dev vl-" seat " | grep -q 'state DOWN' && ip link show dev vl-" seat                 \
        " | grep -q 'alias fenced off by coursenet'; }"

#define assert_up(seat) assert_shell(IS_UP(seat) " && ! ip link show dev vl-" seat " | grep alias")
#define assert_fenced(seat) assert_shell(IS_FENCED(seat))
#define assert_no_cable(seat)                                                                                \
        assert_no_shell("ip link show vl-" seat " 2>/dev/null || ip -n ns" seat " link show vr-" seat        \
                        " 2>/dev/null")

/* --- starts -------------------------------------------------------------------------------------------- */

static void without_a_claim_there_is_no_cable(void **state) {
        struct sandbox *sandbox = *state;

        make_course(sandbox);
        assert_int_equal(start(sandbox, "12310"), -EPERM);
        assert_error(sandbox, "vl-12310: this server is cut off from the store");

        set_deadline(-1);
        give_claim("12310");
        assert_int_equal(start(sandbox, "12310"), -EPERM);
        assert_error(sandbox, "coursenetctl hosts shows which servers can, and systemctl status "
                              "coursenet-hosts.service why");

        set_deadline(3600);
        take_claim("12310");
        give_claim("12311");
        diagnostics_done(&sandbox->diagnostics);
        assert_int_equal(start(sandbox, "12310"), -EPERM);
        assert_error(sandbox,
                "vl-12310: this server has no claim to seat 12310, which is of a spread course: "
                "a login or coursenetctl start 12310 gets it");
        assert_no_cable("12310");

        give_claim("12310");
        diagnostics_done(&sandbox->diagnostics);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_silence(sandbox);
        assert_up("12310");
}

static void a_deadline_that_is_no_number_is_over(void **state) {
        static const char *const deadlines[] = {"", "-1\n", "soon\n", "99999999999999999x\n", "\n"};
        struct sandbox *sandbox = *state;

        make_course(sandbox);
        set_deadline(3600);
        give_claim("12310");
        for (size_t i = 0; i < ELEMENTSOF(deadlines); i++) {
                write_file(HOSTS_DEADLINE_FILE, deadlines[i]);
                assert_int_equal(start(sandbox, "12310"), -EPERM);
        }
        assert_no_cable("12310");
}

/* As the worker does with a namespace that is there. */
static int prepare(const struct seat_plan *plan, struct sandbox *sandbox) {
        _cleanup_close_ int netns_fd = open(NETNS_DIRECTORY "/ns12310", O_RDONLY | O_CLOEXEC);

        return seat_prepare(plan, netns_fd, &sandbox->diagnostics);
}

static void the_worker_needs_the_claim_too(void **state) {
        _cleanup_settings_ struct settings settings = {0};
        struct sandbox *sandbox = *state;
        struct seat_plan plan;
        struct seat_id id;

        make_course(sandbox);
        assert_int_equal(settings_load(SANDBOX_ETC, &settings, &sandbox->diagnostics), 0);
        assert_int_equal(seat_id_parse("12310", 3, &id), 0);
        assert_int_equal(seat_plan_load(SANDBOX_ETC, &settings, &id, &plan, &sandbox->diagnostics), 0);
        assert_int_equal(prepare(&plan, sandbox), -EPERM);
        assert_error(sandbox, "vl-12310: this server is cut off");
        assert_no_cable("12310");
        assert_no_shell("ls " PREPARED_DIRECTORY "/* 2>/dev/null");

        set_deadline(3600);
        give_claim("12310");
        assert_int_equal(prepare(&plan, sandbox), 0);
        assert_up("12310");

        /* What the worker has made is not adopted after the claim has gone. */
        take_claim("12310");
        assert_int_equal(start(sandbox, "12310"), -EPERM);
        assert_int_equal(seat_stop("12310", &sandbox->diagnostics), 0);
        assert_no_cable("12310");
}

static void a_course_that_is_not_spread_needs_none(void **state) {
        struct sandbox *sandbox = *state;

        make_underlay();
        configure_spread("");
        assert_int_equal(bridge_start(SANDBOX_ETC, "124", &sandbox->diagnostics), 0);
        assert_int_equal(netns_start(SANDBOX_ETC, "12410", &sandbox->diagnostics), 0);
        assert_int_equal(start(sandbox, "12410"), 0);
        update(sandbox);
        assert_up("12410");
}

static void start_12310(struct sandbox *sandbox) {
        (void)start(sandbox, "12310");
}

/* The cables are updated after a claim has gone, at any moment of a start. */
static void a_claim_that_goes_during_a_start_is_seen(void **state) {
        struct sandbox *sandbox = *state;

        make_course(sandbox);
        set_deadline(3600);
        for (unsigned delay = 0; delay < 30000; delay += 300 + delay / 10) {
                pid_t pid;

                give_claim("12310");
                pid = fork();
                assert_true(pid >= 0);
                if (pid == 0) {
                        start_12310(sandbox);
                        _exit(EXIT_SUCCESS);
                }
                (void)usleep(delay);
                assert_int_equal(unlink(HOSTS_CLAIM_DIRECTORY "/12310"), 0);
                assert_int_equal(claims_update(&sandbox->diagnostics), 0);
                assert_int_equal(waitpid(pid, NULL, 0), pid);
                assert_no_shell("ip -o link show up dev vl-12310 2>/dev/null | grep .");
        }
}

/* --- the job ------------------------------------------------------------------------------------------- */

static void a_seat_without_its_claim_is_fenced_off(void **state) {
        struct sandbox *sandbox = *state;

        make_seats(sandbox);
        update(sandbox);
        assert_up("12310");

        take_claim("12310");
        for (unsigned i = 0; i < 2; i++) {
                update(sandbox);
                assert_fenced("12310");
                assert_up("12311");
        }
        /* It keeps what it has. */
        assert_shell("ip -n ns12310 -o -4 addr show dev vr-12310 | grep -q 'inet 10.0.123.10/24 '");
        assert_no_shell("bridge fdb show br br-123 | grep 02:63:0a:00:7b:0a");

        give_claim("12310");
        update(sandbox);
        assert_up("12310");
        assert_shell("ip netns exec ns12310 ping -q -c 1 -W 5 10.0.123.1 >/dev/null");
}

static void all_are_fenced_off_when_the_deadline_is_past(void **state) {
        struct sandbox *sandbox = *state;

        make_seats(sandbox);
        assert_int_equal(bridge_start(SANDBOX_ETC, "124", &sandbox->diagnostics), 0);
        assert_int_equal(netns_start(SANDBOX_ETC, "12410", &sandbox->diagnostics), 0);
        assert_int_equal(start(sandbox, "12410"), 0);

        set_deadline(-1);
        update(sandbox);
        assert_fenced("12310");
        assert_fenced("12311");
        assert_up("12410");

        /* One was taken by another member meanwhile. */
        set_deadline(3600);
        take_claim("12311");
        update(sandbox);
        assert_up("12310");
        assert_fenced("12311");

        assert_shell("rm -r " HOSTS_DIRECTORY);
        update(sandbox);
        assert_fenced("12310");
        assert_up("12410");
}

/* The seat has sent nothing, and need not. */
static void a_seat_is_known_before_it_sends(void **state) {
        static const char *const known[] = {
                "bridge fdb show br br-123 | grep '^02:63:0a:00:7b:0a dev vl-12310 ' | grep -qv permanent",
                "ip neigh show dev br-123 10.0.123.10 | grep -q 'lladdr 02:63:0a:00:7b:0a REACHABLE'",
                "ip neigh show dev br-123 fd12:3456:789a:123::10 | grep -q '02:63:0a:00:7b:0a REACHABLE'",
                "ip neigh show dev br-123 fe80::63:aff:fe00:7b0a | grep -q '02:63:0a:00:7b:0a REACHABLE'",
        };
        struct sandbox *sandbox = *state;

        make_seats(sandbox);
        for (unsigned turn = 0; turn < 2; turn++) {
                for (size_t i = 0; i < ELEMENTSOF(known); i++)
                        assert_shell("%s", known[i]);
                /* It was on another member, of which FRR has told the kernel. */
                set_deadline(-1);
                update(sandbox);
                assert_shell(
                        "bridge fdb replace 02:63:0a:00:7b:0a dev vx-123 master dynamic extern_learn && "
                        "ip neigh replace 10.0.123.10 lladdr 02:63:0a:00:7b:0a dev br-123 extern_learn && "
                        "ip neigh flush dev br-123 && ip netns exec ns12310 nft add table netdev t && "
                        "ip netns exec ns12310 nft 'add chain netdev t c { type filter hook egress device "
                        "vr-12310 priority 0; policy drop; }'");
                set_deadline(3600);
                update(sandbox);
        }
}

static void a_cable_that_somebody_else_has_set_down_stays_down(void **state) {
        struct sandbox *sandbox = *state;

        make_seats(sandbox);
        assert_shell("ip link set vl-12310 down");
        set_deadline(-1);
        update(sandbox);
        set_deadline(3600);
        update(sandbox);
        assert_shell("ip link show vl-12310 | grep -q 'state DOWN'");
        assert_up("12311");
}

static void a_start_puts_nothing_on_the_network_that_is_fenced_off(void **state) {
        struct sandbox *sandbox = *state;

        make_seats(sandbox);
        set_deadline(-1);
        update(sandbox);
        assert_int_equal(start(sandbox, "12310"), -EPERM);
        assert_int_equal(bridge_start(SANDBOX_ETC, "123", &sandbox->diagnostics), 0);
        assert_fenced("12310");
        assert_fenced("12311");

        /* A new cable has no mark of the former one. */
        set_deadline(3600);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_up("12310");
}

static void check_says_who_is_off_the_network(void **state) {
        struct sandbox *sandbox = *state;

        make_seats(sandbox);
        assert_int_equal(fence_update(SANDBOX_ETC, FENCE_LOCAL, &sandbox->diagnostics), 0);
        assert_int_equal(inspect(SANDBOX_ETC, &sandbox->diagnostics), 0);
        assert_silence(sandbox);

        take_claim("12310");
        assert_int_equal(inspect(SANDBOX_ETC, &sandbox->diagnostics), 0);
        assert_error(sandbox, "[hosts]: seats of spread courses are on the network without a claim of this "
                              "server (1: 12310): systemctl restart coursenet-network.service");
        update(sandbox);
        assert_int_equal(inspect(SANDBOX_ETC, &sandbox->diagnostics), 0);
        assert_error(sandbox, "[hosts]: seats of spread courses are off the network (1: 12310), because this "
                              "server has no claim to them: coursenetctl hosts");
        assert_int_equal(sandbox->diagnostics.n_items, 1);

        set_deadline(-1);
        update(sandbox);
        assert_int_equal(inspect(SANDBOX_ETC, &sandbox->diagnostics), 0);
        assert_error(sandbox, "off the network (2: 12310, 12311), because this server is cut off");
        assert_int_equal(sandbox->diagnostics.n_items, 1);
}

/* --- the watch ----------------------------------------------------------------------------------------- */

static pid_t start_watch(void) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void)execl(HOST, HOST, "watch", NULL);
                _exit(EXIT_FAILURE);
        }
        return pid;
}

static void stop_watch(pid_t pid) {
        int status;

        assert_int_equal(kill(pid, SIGTERM), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
}

#define assert_soon(command)                                                                                 \
        assert_shell("for i in $(seq 1000); do { " command "; } && exit 0; sleep 0.02; done; exit 1")

static void the_watch_follows_claims_and_deadline(void **state) {
        struct sandbox *sandbox = *state;
        pid_t pid;

        /* The folder does not exist yet when the watch starts. */
        make_course(sandbox);
        pid = start_watch();
        assert_soon("test -e /run/coursenet/fence");
        set_deadline(3600);
        give_claim("12310");
        give_claim("12311");
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(start(sandbox, "12311"), 0);

        take_claim("12310");
        assert_soon(IS_FENCED("12310"));
        assert_up("12311");
        give_claim("12310");
        assert_soon(IS_UP("12310"));

        /* Nobody writes a file when it is past. */
        set_deadline(1);
        assert_soon(IS_FENCED("12311"));
        assert_soon(IS_FENCED("12310"));
        set_deadline(3600);
        assert_soon(IS_UP("12311"));
        assert_soon(IS_UP("12310"));
        stop_watch(pid);

        /* What has happened while there was no watch. */
        take_claim("12311");
        pid = start_watch();
        assert_soon(IS_FENCED("12311"));
        assert_up("12310");
        stop_watch(pid);
        assert_shell("rm -r " HOSTS_DIRECTORY);
        pid = start_watch();
        assert_soon(IS_FENCED("12310"));
        stop_watch(pid);
}

/* Renewals come all the time. A job would fence off the seat that has been set up by hand. */
static void a_renewal_starts_no_job(void **state) {
        struct sandbox *sandbox = *state;
        pid_t pid;

        /*
         * The watch's first job sees that the claim is gone. If it went while the watch runs, the first job
         * could see it as well, before a second job that the removal itself starts.
         */
        make_seats(sandbox);
        take_claim("12311");
        pid = start_watch();
        assert_soon(IS_FENCED("12311"));
        assert_shell("ip link set vl-12311 up");
        for (unsigned i = 0; i < 20; i++)
                set_deadline(3600);
        write_file("/run/coursenet/fence/5002", "");
        assert_soon("nft get element inet coursenet_fence fenced { 5002 } >/dev/null 2>&1");
        assert_shell(IS_UP("12311"));
        stop_watch(pid);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(without_a_claim_there_is_no_cable),
                sandbox_test(a_deadline_that_is_no_number_is_over),
                sandbox_test(the_worker_needs_the_claim_too),
                sandbox_test(a_course_that_is_not_spread_needs_none),
                sandbox_test(a_claim_that_goes_during_a_start_is_seen),
                sandbox_test(a_seat_without_its_claim_is_fenced_off),
                sandbox_test(all_are_fenced_off_when_the_deadline_is_past),
                sandbox_test(a_seat_is_known_before_it_sends),
                sandbox_test(a_cable_that_somebody_else_has_set_down_stays_down),
                sandbox_test(a_start_puts_nothing_on_the_network_that_is_fenced_off),
                sandbox_test(check_says_who_is_off_the_network),
                sandbox_test(the_watch_follows_claims_and_deadline),
                sandbox_test(a_renewal_starts_no_job),
        };

        return cmocka_run_group_tests_name("claims", tests, NULL, NULL);
}
