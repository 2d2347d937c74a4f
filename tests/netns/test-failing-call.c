/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Each system call of what netbr@ and nsbr@ run fails once. A start that fails has undone what it did, one
 * that succeeds has done everything, and a stop that failed leaves nothing that the next one does not remove.
 * netns@ is not among them: what its stop does depends on how soon the kernel removes former namespaces.
 */

#include "failing-call.h"
#include "netsetup/verbs/bridge.h"
#include "netsetup/verbs/netns.h"
#include "netsetup/verbs/seat.h"
#include "sandbox.h"

typedef int (*verb_t)(const char *etc, const char *id, struct diagnostics *diagnostics);

struct unit {
        verb_t start, stop;
        const char *id;
};

static int stop_seat(const char *etc, const char *id, struct diagnostics *diagnostics) {
        (void)etc;
        return seat_stop(id, diagnostics);
}

static const struct unit bridge = {bridge_start, bridge_stop, "123"};
static const struct unit netns = {netns_start, netns_stop, "12310"};
static const struct unit seat = {seat_start, stop_seat, "12310"};

/* Everything except what differs from one start to the next: numbers of links, and what the kernel does
 * later.
 */
static const char look_script[] =
        "look() { printf 'link\\naddress\\nrule\\nroute show table all\\n' | ip $1 -4 -br -batch -; }\n"
        "{ look; for n in $(ls /run/netns 2>/dev/null); do look \"-n $n\"; done; nft list ruleset\n"
        "find /run /var/lib ! -name '*.lock' ! -path '/run/state*' | sort; } 2>&1 | tr -s ' ' |"
        "sed 's/@[^ ]*//; s/ linkdown//; s/ [A-Z]* [0-9a-f:]\\{17\\} <.*//; s/ "
        "\\(UP\\|DOWN\\|UNKNOWN\\|LOWERLAYERDOWN\\) / /' "
        ">$1\n";

static void look(const char *file) {
        write_file("/run/state-script", look_script);
        assert_shell("sh /run/state-script %s", file);
}

static void assert_same(const char *file, const char *where) {
        look("/run/state-now");
        assert_shell("diff %s /run/state-now || { echo '%s'; false; }", file, where);
}

static int run(verb_t verb, const struct unit *unit) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        int r = verb(SANDBOX_ETC, unit->id, &diagnostics);

        /* A unit that fails says why. */
        return r < 0 && diagnostics.n_errors == 0 ? INT_MIN : r;
}

static int run_start(void *userdata) {
        const struct unit *unit = userdata;

        return run(unit->start, unit);
}

static int run_stop(void *userdata) {
        const struct unit *unit = userdata;

        return run(unit->stop, unit);
}

static void start_and_stop(const struct unit *unit) {
        assert_int_equal(run(unit->start, unit), 0);
        look("/run/state-up");
        assert_int_equal(run(unit->stop, unit), 0);
        look("/run/state-down");
}

static void fail_starts(const struct unit *unit, int error) {
        struct unit copy = *unit;
        char where[64];
        int result;

        for (unsigned n = 0; fail_at_call(n, error, run_start, &copy, &result); n++) {
                (void)snprintf(where, sizeof(where), "call %u of a start, result %d", n, result);
                assert_int_not_equal(result, INT_MIN);
                /* As systemd does, which runs ExecStopPost= after a failure. */
                if (result == ENDED)
                        assert_int_equal(run(unit->stop, unit), 0);
                if (result < 0 || result == ENDED)
                        assert_same("/run/state-down", where);
                else
                        assert_same("/run/state-up", where);
                assert_int_equal(run(unit->start, unit), 0);
                assert_int_equal(run(unit->stop, unit), 0);
        }
        assert_int_equal(run(unit->stop, unit), 0);
        assert_same("/run/state-down", "after all starts");
}

static void fail_stops(const struct unit *unit, int error) {
        struct unit copy = *unit;
        char where[64];
        int result;

        assert_int_equal(run(unit->start, unit), 0);
        for (unsigned n = 0; fail_at_call(n, error, run_stop, &copy, &result); n++) {
                (void)snprintf(where, sizeof(where), "call %u of a stop, result %d", n, result);
                assert_int_not_equal(result, INT_MIN);
                assert_int_equal(run(unit->stop, unit), 0);
                assert_same("/run/state-down", where);
                assert_int_equal(run(unit->start, unit), 0);
        }
}

static void a_bridge(void **state) {
        (void)state;
        start_and_stop(&bridge);
        fail_starts(&bridge, ENOMEM);
        fail_stops(&bridge, ENOMEM);
}

static void a_seat(void **state) {
        (void)state;
        assert_int_equal(run(bridge.start, &bridge), 0);
        assert_int_equal(run(netns.start, &netns), 0);
        start_and_stop(&seat);
        fail_starts(&seat, ENOMEM);
        fail_stops(&seat, ENOMEM);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(a_bridge),
                sandbox_test(a_seat),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
