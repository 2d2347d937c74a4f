/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * coursenet-net: the short privileged steps that a login waits for, one process for each start and stop of
 * the units netbr@, netns@ and nsbr@, and the ping of testnetns@. What concerns the host as a whole is
 * coursenet-host, so that this program loads no library and no code for it.
 */

#include "base/subcommand.h"
#include "bridge.h"
#include "former-command.h"
#include "netns.h"
#include "ping.h"
#include "seat.h"

static int run_bridge_start(const char *id, struct diagnostics *diagnostics) {
        return bridge_start(ETC_DIRECTORY, id, diagnostics);
}

static int run_bridge_stop(const char *id, struct diagnostics *diagnostics) {
        return bridge_stop(ETC_DIRECTORY, id, diagnostics);
}

static int run_netns_start(const char *id, struct diagnostics *diagnostics) {
        return netns_start(ETC_DIRECTORY, id, diagnostics);
}

static int run_netns_stop(const char *id, struct diagnostics *diagnostics) {
        return netns_stop(ETC_DIRECTORY, id, diagnostics);
}

static int run_seat_start(const char *id, struct diagnostics *diagnostics) {
        return seat_start(ETC_DIRECTORY, id, diagnostics);
}

static int run_test(const char *id, struct diagnostics *diagnostics) {
        struct ping_report report;
        int r;

        r = ping_test(ETC_DIRECTORY, id, &report, diagnostics);
        if (r < 0)
                return r;
        (void)puts(report.text);
        return report.n_received > 0 ? 0 : -EHOSTUNREACH;
}

static const struct subcommand subcommands[] = {
        {"bridge", "start", run_bridge_start, true, true},
        {"bridge", "stop", run_bridge_stop, true, false},
        {"netns", "start", run_netns_start, true, true},
        {"netns", "stop", run_netns_stop, true, false},
        {"seat", "start", run_seat_start, true, true},
        {"seat", "stop", seat_stop, true, false},
        {"test", NULL, run_test, true, false},
};

static const char usage[] =
        "coursenet-net bridge start|stop COURSE   netbr@: the bridge of a course\n"
        "coursenet-net netns start|stop SEAT      netns@: the network namespace of a seat\n"
        "coursenet-net seat start|stop SEAT       nsbr@: the cable between the two\n"
        "coursenet-net test SEAT                  testnetns@: a ping from within the seat\n";

int main(int argc, char **argv) {
        former_command_exec(argv);
        return subcommand_main(argc, argv, subcommands, ELEMENTSOF(subcommands), usage);
}
