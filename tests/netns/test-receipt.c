/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the worker makes before the units do: a unit adopts it if it is as planned, and makes it again if not;
 * a discard removes what no unit has adopted, and nothing else.
 */

#include <dirent.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "changing-calls.h"
#include "netsetup/verbs/bridge.h"
#include "netsetup/verbs/netns-record.h"
#include "netsetup/verbs/netns.h"
#include "netsetup/verbs/receipt.h"
#include "netsetup/verbs/seat-argument.h"
#include "netsetup/verbs/seat.h"
#include "netsetup/worker/preparation.h"
#include "run-files.h"
#include "sandbox.h"

#define SEAT "12310"
#define NETNS NETNS_DIRECTORY "/ns12310"

/* --- what is there ---------------------------------------------------------------------------------------
 */

struct numbers {
        ino_t netns;
        char links[256]; /* names and indices */
};

static ino_t netns_inode(void) {
        struct stat st;

        return stat(NETNS, &st) < 0 ? 0 : st.st_ino;
}

static void read_links(char *ret, size_t size) {
        FILE *pipe = popen("{ ip -o link show type bridge; ip -o link show type veth;"
                           "  ip -n ns12310 -o link show type veth; } 2>/dev/null | "
                           "sed 's/^\\([0-9]*: [^:@]*\\).*/\\1/'",
                "re");
        size_t n;

        assert_non_null(pipe);
        n = fread(ret, 1, size - 1, pipe);
        ret[n] = '\0';
        (void)pclose(pipe);
}

static struct numbers read_numbers(void) {
        struct numbers r = {.netns = netns_inode()};

        read_links(r.links, sizeof(r.links));
        return r;
}

static void assert_same(struct numbers before) {
        struct numbers now = read_numbers();

        assert_true(now.netns == before.netns);
        assert_string_equal(now.links, before.links);
}

/* Each of these is called hundreds of times, so that it starts as few processes as it can. */

static char *names_in(const char *directory) {
        struct dirent **entries;
        char *names = NULL;
        size_t size;
        FILE *stream = open_memstream(&names, &size);
        int n = scandir(directory, &entries, NULL, alphasort);

        assert_non_null(stream);
        for (int i = 0; i < n; i++) {
                if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
                        (void)fprintf(stream, "%s ", entries[i]->d_name);
                free(entries[i]);
        }
        if (n >= 0)
                free(entries);
        assert_int_equal(fclose(stream), 0);
        return names;
}

static void assert_names_in(const char *directory, const char *expected) {
        char *names = names_in(directory);

        assert_string_equal(names, expected);
        free(names);
}

static void assert_receipts(const char *names) {
        assert_names_in(PREPARED_DIRECTORY, names);
}

static const char connected_script[] =
        "has() { case $1 in *\"$2\"*) ;; *) echo \"no '$2' in: $1\" >&2; exit 1 ;; esac; }\n"
        "has \"$(ip -o -4 address show dev br-123 up)\" ' inet 10.0.123.1/24 '\n"
        "has \"$(ip -o link show up master br-123)\" ' vl-12310@'\n"
        "has \"$(ip -n ns12310 -o -4 address show dev vr-12310 up)\" ' inet 10.0.123.10/24 '\n"
        "has \"$(ip -n ns12310 route show default)\" 'default via 10.0.123.1 dev vr-12310 '\n"
        "has \"$(nft list chain netdev coursenet_0 vl-12310)\" 'chain vl-12310 '\n"
        "has \"$(nft list table inet coursenet)\" br-123\n";

static void assert_connected(void) {
        assert_int_equal(system(connected_script), 0);
}

static void assert_no_links(void) {
        struct if_nameindex *links = if_nameindex();

        assert_non_null(links);
        for (struct if_nameindex *link = links; link->if_name; link++)
                if (strcmp(link->if_name, "br-123") == 0 || strncmp(link->if_name, "vl-", 3) == 0 ||
                        strncmp(link->if_name, "vr-", 3) == 0)
                        fail_msg("%s is there", link->if_name);
        if_freenameindex(links);
}

/* Nobody has a seat. */
static void assert_nothing(void) {
        assert_receipts("");
        assert_no_links();
        assert_int_equal(access(NETNS, F_OK), -1);
        assert_no_shell(
                "case $(nft list table netdev coursenet_0 2>/dev/null) in *vl-12310*) ;; *) exit 1 ;; esac");
        assert_names_in("/run/coursenet/seats", "");
        assert_no_shell("test -e " NETNS_RECORD_FILE
                        " || exit 1; while read -r line; do case $line in *' up') exit 0 ;; "
                        "esac; done <" NETNS_RECORD_FILE "; exit 1");
}

/* --- the programs -----------------------------------------------------------------------------------------
 */

static int prepare_seat(struct sandbox *sandbox, const char *seat) {
        _cleanup_settings_cache_ struct settings_cache cache = {.etc = SANDBOX_ETC};

        return preparation_make(&cache, seat, &sandbox->diagnostics);
}

static int prepare(struct sandbox *sandbox) {
        return prepare_seat(sandbox, SEAT);
}

static int discard(struct sandbox *sandbox) {
        return preparation_discard(SANDBOX_ETC, SEAT, &sandbox->diagnostics);
}

static int start_bridge(struct sandbox *sandbox) {
        return bridge_start(SANDBOX_ETC, "123", &sandbox->diagnostics);
}

static int start_netns(struct sandbox *sandbox) {
        return netns_start(SANDBOX_ETC, SEAT, &sandbox->diagnostics);
}

static int start_cable(struct sandbox *sandbox) {
        return seat_start(SANDBOX_ETC, SEAT, &sandbox->diagnostics);
}

static void start_units(struct sandbox *sandbox) {
        assert_int_equal(start_bridge(sandbox), 0);
        assert_int_equal(start_netns(sandbox), 0);
        assert_int_equal(start_cable(sandbox), 0);
}

static void stop_units(struct sandbox *sandbox) {
        assert_int_equal(seat_stop(SEAT, &sandbox->diagnostics), 0);
        assert_int_equal(netns_stop(SANDBOX_ETC, SEAT, &sandbox->diagnostics), 0);
        assert_int_equal(bridge_stop(SANDBOX_ETC, "123", &sandbox->diagnostics), 0);
}

/*
 * The kernel would number a namespace itself, with the first number that is free, when it is asked for a
 * cable into it. Another program's namespace may get that number later.
 */
static void a_prepared_namespace_has_a_number_of_ours(void **state) {
        struct sandbox *sandbox = *state;
        struct netns_record record;

        assert_int_equal(prepare_seat(sandbox, "12310"), 0);
        assert_int_equal(prepare_seat(sandbox, "12311"), 0);
        assert_int_equal(netns_record_load(NETNS_RECORD_FILE, &record), 0);
        assert_int_equal(record.n_entries, 2);
        assert_true(record.entries[0].id > 0x10000000);
        assert_int_equal(record.entries[1].id, record.entries[0].id - 1);
        netns_record_done(&record);
        assert_int_equal(preparation_discard(SANDBOX_ETC, "12311", &sandbox->diagnostics), 0);
        assert_int_equal(discard(sandbox), 0);
        assert_nothing();
}

/* --- adoption ---------------------------------------------------------------------------------------------
 */

static void units_adopt_what_is_prepared(void **state) {
        struct sandbox *sandbox = *state;
        struct numbers before;

        assert_int_equal(prepare(sandbox), 0);
        assert_connected();
        assert_receipts("netbr@123 netns@12310 nsbr@12310 ");
        assert_shell("test $(stat -c %%a:%%U " PREPARED_DIRECTORY ") = 700:root");
        before = read_numbers();

        assert_int_equal(start_bridge(sandbox), 0);
        assert_receipts("netns@12310 nsbr@12310 ");
        assert_int_equal(start_netns(sandbox), 0);
        assert_receipts("nsbr@12310 ");
        assert_int_equal(start_cable(sandbox), 0);
        assert_receipts("");
        assert_same(before);
        assert_connected();

        stop_units(sandbox);
        assert_nothing();
        assert_silence(sandbox);
}

static void an_adoption_changes_nothing(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(prepare(sandbox), 0);
        assert_shell("ip monitor >>/run/changes & echo $! >/run/pid; nft monitor >>/run/changes & echo $! "
                     ">>/run/pid");
        /* The kernel handles carriers and addresses in the background: until nothing comes for half a second.
         */
        assert_shell(
                "for i in $(seq 60); do : >/run/changes; sleep 0.5; test -s /run/changes || exit 0; done; "
                "cat /run/changes >&2; exit 1");
        start_units(sandbox);
        assert_shell("kill $(cat /run/pid); ! grep . /run/changes >&2");
        assert_silence(sandbox);
}

static void a_second_seat_of_the_course_needs_no_bridge(void **state) {
        struct sandbox *sandbox = *state;

        start_units(sandbox);
        assert_int_equal(prepare_seat(sandbox, "12311"), 0);
        assert_receipts("netns@12311 nsbr@12311 ");
        assert_int_equal(preparation_discard(SANDBOX_ETC, "12311", &sandbox->diagnostics), 0);
        assert_receipts("");
        assert_connected();
        assert_silence(sandbox);
}

static void a_second_request_changes_nothing(void **state) {
        struct sandbox *sandbox = *state;
        struct numbers before;

        assert_int_equal(prepare(sandbox), 0);
        before = read_numbers();
        assert_int_equal(prepare(sandbox), 0);
        assert_same(before);
        assert_receipts("netbr@123 netns@12310 nsbr@12310 ");
        assert_silence(sandbox);
}

static void with_another_plan_the_cable_is_made_again(void **state) {
        struct sandbox *sandbox = *state;
        ino_t netns;

        assert_int_equal(prepare(sandbox), 0);
        netns = netns_inode();
        configure("netns/ns12310.conf", "VR_IP=10.0.123.77\n");
        start_units(sandbox);
        assert_shell("ip -n ns12310 -o -4 addr show dev vr-12310 up | grep -q 'inet 10.0.123.77/24 '");
        assert_true(netns_inode() == netns);
        assert_receipts("");
        stop_units(sandbox);
        assert_nothing();
        assert_silence(sandbox);
}

static void with_another_plan_the_bridge_is_corrected(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(prepare(sandbox), 0);
        configure("coursenet.conf", "[course 123]\nsubnet = 172.16.5.0/24\n");
        start_units(sandbox);
        assert_shell("ip -o -4 addr show dev br-123 | grep -q 'inet 172.16.5.1/24 '");
        assert_no_shell("ip -o -4 addr show dev br-123 | grep -q 10.0.123");
        assert_shell("ip -n ns12310 -o -4 addr show dev vr-12310 up | grep -q 'inet 172.16.5.10/24 '");
        assert_receipts("");
        assert_silence(sandbox);
}

/* Each is done to what is prepared; afterwards the units' starts make everything right. */
static void what_was_changed_is_made_again(void **state) {
        static const char *const changes[] = {
                "ip link set br-123 down",
                "ip link del br-123",
                "ip link set vl-12310 nomaster",
                "ip link set vl-12310 down",
                "ip link del vl-12310",
                "ip -n ns12310 link set vr-12310 down",
                "rm /run/coursenet/seats/vl-12310",
                /* The same name again, and our mark. */
                "ip link del vl-12310; ip link add vl-12310 up group 25454 master br-123 type veth peer name "
                "vr-12310 group 25454 netns ns12310",
                "umount " NETNS "; rm " NETNS,
                "umount " NETNS "; rm " NETNS
                "; ip netns add ns12310; ip -n ns12310 link set lo up group 25454",
                /* A worker that was killed, or a full /run. */
                "for f in " PREPARED_DIRECTORY "/*; do : >$f; done",
                "for f in " PREPARED_DIRECTORY "/*; do printf %.9s \"$(cat $f)\" >$f; done",
                "ip link del br-123; umount " NETNS "; rm " NETNS,
        };
        struct sandbox *sandbox = *state;

        for (size_t i = 0; i < ELEMENTSOF(changes); i++) {
                assert_int_equal(prepare(sandbox), 0);
                assert_int_equal(system(changes[i]), 0);
                start_units(sandbox);
                assert_connected();
                assert_receipts("");
                stop_units(sandbox);
                assert_nothing();
        }
        assert_silence(sandbox);
}

static void a_stop_removes_the_receipt(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(prepare(sandbox), 0);
        assert_int_equal(seat_stop(SEAT, &sandbox->diagnostics), 0);
        assert_receipts("netbr@123 netns@12310 ");
        assert_int_equal(netns_stop(SANDBOX_ETC, SEAT, &sandbox->diagnostics), 0);
        assert_receipts("netbr@123 ");
        assert_int_equal(bridge_stop(SANDBOX_ETC, "123", &sandbox->diagnostics), 0);
        assert_nothing();
        assert_silence(sandbox);
}

/* --- what the worker does not touch ------------------------------------------------------------------------
 */

static void a_seat_that_is_up_is_not_touched(void **state) {
        struct sandbox *sandbox = *state;
        struct numbers before;

        start_units(sandbox);
        before = read_numbers();
        assert_int_equal(prepare(sandbox), -EBUSY);
        assert_error(sandbox, "vl-12310: is there already");
        assert_receipts("");
        assert_int_equal(discard(sandbox), 0);
        assert_same(before);
        assert_connected();
}

static void a_bridge_that_is_down_is_left_to_its_unit(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(start_bridge(sandbox), 0);
        assert_shell("ip link set br-123 down");
        assert_int_equal(prepare(sandbox), -EBUSY);
        assert_error(sandbox, "br-123: is down");
        assert_receipts("");
        assert_no_shell("test -e " NETNS);
}

static void foreign_things_are_left_as_they_are(void **state) {
        struct sandbox *sandbox = *state;

        assert_shell("ip link add br-123 type bridge");
        assert_int_equal(prepare(sandbox), -EEXIST);
        assert_int_equal(discard(sandbox), 0);
        assert_shell("ip link show br-123 >/dev/null && ip link del br-123");
        assert_receipts("");

        assert_shell("ip netns add ns12310");
        assert_int_equal(prepare(sandbox), -EEXIST);
        assert_receipts("netbr@123 ");
        assert_int_equal(discard(sandbox), 0);
        assert_shell("ip netns exec ns12310 true && ip netns del ns12310");
        assert_receipts("");

        assert_shell("ip link add vl-12310 type bridge");
        assert_int_equal(prepare(sandbox), -EEXIST);
        assert_receipts("netbr@123 netns@12310 ");
        assert_int_equal(discard(sandbox), 0);
        assert_shell("ip link del vl-12310");
        assert_nothing();
}

/* Each unit by itself: what it has adopted stays, and the rest goes. */
static void a_discard_leaves_what_is_adopted(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(prepare(sandbox), 0);
        assert_int_equal(start_bridge(sandbox), 0);
        assert_int_equal(discard(sandbox), 0);
        assert_shell("ip -o link show up dev br-123 | grep -q .");
        assert_no_shell("test -e " NETNS " || ip link show vl-12310 2>/dev/null");
        assert_receipts("");

        assert_int_equal(prepare(sandbox), 0);
        assert_int_equal(start_netns(sandbox), 0);
        assert_int_equal(discard(sandbox), 0);
        assert_shell("ip netns exec ns12310 true");
        assert_no_shell("ip link show vl-12310 2>/dev/null");
        assert_receipts("");

        assert_int_equal(prepare(sandbox), 0);
        assert_int_equal(start_cable(sandbox), 0);
        assert_int_equal(discard(sandbox), 0);
        assert_connected();
        stop_units(sandbox);
        assert_nothing();
        assert_silence(sandbox);
}

/* --- discarding -------------------------------------------------------------------------------------------
 */

static void a_discard_leaves_nothing(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(discard(sandbox), 0);
        for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(prepare(sandbox), 0);
                assert_int_equal(discard(sandbox), 0);
                assert_nothing();
                assert_int_equal(discard(sandbox), 0);
        }
        assert_silence(sandbox);
}

static void a_bridge_stays_while_another_seat_is_on_it(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(prepare(sandbox), 0);
        assert_int_equal(prepare_seat(sandbox, "12311"), 0);
        assert_int_equal(preparation_discard(SANDBOX_ETC, "12311", &sandbox->diagnostics), 0);
        assert_receipts("netbr@123 netns@12310 nsbr@12310 ");
        assert_connected();
        assert_int_equal(discard(sandbox), 0);
        assert_nothing();
        assert_silence(sandbox);
}

/*
 * No unit adopts the bridge that the worker makes then, so a discard may remove it; but not under a seat, and
 * the seat that has lost its bridge does not lose more.
 */
static void a_bridge_that_somebody_deleted_under_its_unit_is_made_again(void **state) {
        struct sandbox *sandbox = *state;

        start_units(sandbox);
        assert_shell("ip link del br-123");
        for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(prepare_seat(sandbox, "12311"), 0);
                assert_int_equal(netns_start(SANDBOX_ETC, "12311", &sandbox->diagnostics), 0);
                assert_int_equal(seat_start(SANDBOX_ETC, "12311", &sandbox->diagnostics), 0);
                assert_receipts("netbr@123 ");
                assert_int_equal(discard(sandbox), 0); /* of another seat: a login that failed */
                assert_receipts("netbr@123 ");
                assert_shell("ip -o link show up master br-123 | grep -q 'vl-12311@'");
                assert_shell("ip netns exec ns12310 true && ip link show vl-12310 >/dev/null");
                if (i == 1)
                        break;
                assert_int_equal(seat_stop("12311", &sandbox->diagnostics), 0);
                assert_int_equal(netns_stop(SANDBOX_ETC, "12311", &sandbox->diagnostics), 0);
                assert_int_equal(preparation_discard(SANDBOX_ETC, "12311", &sandbox->diagnostics), 0);
                assert_receipts("");
        }
        /* An administrator's restart of nsbr@12310 brings that seat back. */
        assert_int_equal(seat_stop(SEAT, &sandbox->diagnostics), 0);
        assert_int_equal(start_cable(sandbox), 0);
        assert_connected();
        assert_int_equal(seat_stop("12311", &sandbox->diagnostics), 0);
        assert_int_equal(netns_stop(SANDBOX_ETC, "12311", &sandbox->diagnostics), 0);
        assert_int_equal(preparation_discard(SANDBOX_ETC, "12311", &sandbox->diagnostics), 0);
        assert_connected();
        assert_receipts("netbr@123 ");
        stop_units(sandbox);
        assert_nothing();
        assert_silence(sandbox);
}

static void a_failure_leaves_nothing_that_a_discard_does_not_remove(void **state) {
        struct sandbox *sandbox = *state;

        assert_shell("ip link add eth0 type veth peer name eth1 && ip link set eth0 up && ip addr add "
                     "10.0.123.9/24 dev eth0");
        assert_int_equal(prepare(sandbox), -EADDRINUSE);
        assert_receipts("");
        assert_no_shell("ip link show br-123 2>/dev/null");
        assert_shell("ip link del eth0");

        /* The end in the namespace gets no address that is no host's. */
        configure("netns/ns12310.conf", "BR=br-elsewhere\n");
        assert_int_equal(prepare(sandbox), -ENODEV);
        assert_receipts("netns@12310 ");
        assert_int_equal(discard(sandbox), 0);
        assert_nothing();
}

static void a_namespace_that_was_kept_is_kept_again(void **state) {
        struct sandbox *sandbox = *state;
        ino_t kept;

        assert_int_equal(start_netns(sandbox), 0);
        kept = netns_inode();
        assert_shell("sed -i 's/ up$/ kept/' " NETNS_RECORD_FILE);
        assert_int_equal(prepare(sandbox), 0);
        assert_true(netns_inode() == kept);
        assert_receipts("netbr@123 netns@12310 nsbr@12310 ");
        assert_shell("grep -q '^12310 [0-9]* up$' " NETNS_RECORD_FILE);
        assert_int_equal(discard(sandbox), 0);
        assert_nothing();
        assert_silence(sandbox);
}

/* --- beside others ----------------------------------------------------------------------------------------
 */

/* A unit's program that is at work holds the lock; the worker does not wait for it. */
static void a_unit_at_work_is_not_waited_for(void **state) {
        struct sandbox *sandbox = *state;
        int lock;

        assert_int_equal(receipt_lock(RECEIPT_BRIDGE, "123", true, &lock), 0);
        assert_int_equal(prepare(sandbox), -EBUSY);
        assert_receipts("");
        (void)close(lock);

        assert_int_equal(receipt_lock(RECEIPT_CABLE, SEAT, true, &lock), 0);
        assert_int_equal(prepare(sandbox), -EBUSY);
        assert_receipts("netbr@123 netns@12310 ");
        assert_int_equal(prepare_seat(sandbox, "12311"), 0);
        assert_int_equal(preparation_discard(SANDBOX_ETC, "12311", &sandbox->diagnostics), 0);
        (void)close(lock);
        assert_int_equal(prepare(sandbox), 0);

        assert_int_equal(receipt_lock(RECEIPT_CABLE, SEAT, true, &lock), 0);
        assert_int_equal(discard(sandbox), -EBUSY);
        assert_receipts("netbr@123 netns@12310 nsbr@12310 ");
        (void)close(lock);
        assert_int_equal(discard(sandbox), 0);
        assert_nothing();
}

/* systemd is told that a bridge exists by the bridge's unit alone. */
static void only_a_unit_notifies_systemd(void **state) {
        static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/notify"};
        struct sandbox *sandbox = *state;
        char text[64];
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        (void)setenv("NOTIFY_SOCKET", address.sun_path, 1);
        assert_int_equal(prepare(sandbox), 0);
        assert_int_equal(discard(sandbox), 0);
        assert_int_equal(recv(fd, text, sizeof(text), 0), -1);
        assert_int_equal(start_bridge(sandbox), 0);
        assert_true(recv(fd, text, sizeof(text), 0) > 0);
        (void)unsetenv("NOTIFY_SOCKET");
        (void)close(fd);
}

/* --- killed ------------------------------------------------------------------------------------------------
 */

static void prepare_12310(void *userdata) {
        (void)prepare(userdata);
}

static void discard_12310(void *userdata) {
        (void)discard(userdata);
}

static void a_worker_that_is_killed_disturbs_no_unit(void **state) {
        struct sandbox *sandbox = *state;
        unsigned n = 0;

        while (kill_at_change(n++, prepare_12310, sandbox)) {
                start_units(sandbox);
                assert_connected();
                assert_receipts("");
                stop_units(sandbox);
                assert_nothing();
        }
        assert_true(n > 20);
        assert_silence(sandbox);
}

static void what_a_killed_worker_leaves_can_be_discarded(void **state) {
        struct sandbox *sandbox = *state;
        unsigned n = 0;

        while (kill_at_change(n++, prepare_12310, sandbox)) {
                assert_int_equal(discard(sandbox), 0);
                assert_nothing();
        }
        assert_true(n > 20);
        assert_silence(sandbox);
}

static void a_discard_that_is_killed_is_finished_by_the_next(void **state) {
        struct sandbox *sandbox = *state;
        unsigned n = 0;

        do
                assert_int_equal(prepare(sandbox), 0);
        while (kill_at_change(n++, discard_12310, sandbox) &&
                (assert_int_equal(discard(sandbox), 0), assert_nothing(), true));
        assert_nothing();
        assert_true(n > 5);
        assert_silence(sandbox);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(a_prepared_namespace_has_a_number_of_ours),
                sandbox_test(units_adopt_what_is_prepared),
                sandbox_test(an_adoption_changes_nothing),
                sandbox_test(a_second_seat_of_the_course_needs_no_bridge),
                sandbox_test(a_second_request_changes_nothing),
                sandbox_test(with_another_plan_the_cable_is_made_again),
                sandbox_test(with_another_plan_the_bridge_is_corrected),
                sandbox_test(what_was_changed_is_made_again),
                sandbox_test(a_stop_removes_the_receipt),
                sandbox_test(a_seat_that_is_up_is_not_touched),
                sandbox_test(a_bridge_that_is_down_is_left_to_its_unit),
                sandbox_test(foreign_things_are_left_as_they_are),
                sandbox_test(a_discard_leaves_what_is_adopted),
                sandbox_test(a_discard_leaves_nothing),
                sandbox_test(a_bridge_stays_while_another_seat_is_on_it),
                sandbox_test(a_bridge_that_somebody_deleted_under_its_unit_is_made_again),
                sandbox_test(a_failure_leaves_nothing_that_a_discard_does_not_remove),
                sandbox_test(a_namespace_that_was_kept_is_kept_again),
                sandbox_test(a_unit_at_work_is_not_waited_for),
                sandbox_test(only_a_unit_notifies_systemd),
                sandbox_test(a_worker_that_is_killed_disturbs_no_unit),
                sandbox_test(what_a_killed_worker_leaves_can_be_discarded),
                sandbox_test(a_discard_that_is_killed_is_finished_by_the_next),
        };

        return cmocka_run_group_tests_name("receipt", tests, NULL, NULL);
}
