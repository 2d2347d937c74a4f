/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "command-table.h"
#include "check/check-command.h"
#include "check/setup-command.h"
#include "exam/exam-command.h"
#include "history/history-command.h"
#include "hosts/hosts-command.h"
#include "roster/roster-command.h"
#include "schedule/schedule-command.h"
#include "seat/seat-command.h"
#include "status/graph-command.h"
#include "status/metrics-command.h"
#include "status/status-command.h"

static const struct command commands[] = {
        {"status", status_command, &status_syntax, NULL, "status [--json] [COURSE|SEAT|USER]",
                "show which seats are up, and who uses them"},
        {"seat", seat_command, &seat_syntax, NULL, "seat [--json] SEAT|USER", "show which seat a user has"},
        {"check", check_command, &check_syntax, NULL, "check [--json]", "find mistakes in the configuration"},
        {"setup", setup_command, &setup_syntax, NULL, "setup [--json]",
                "show what is left to do until the first login"},
        {"history", history_command, &history_syntax, NULL,
                "history [--since TIME] [ADDRESS|COURSE|SEAT|USER]", "show who had which address and when"},
        {"start", start_command, &start_syntax, NULL, "start [--json] COURSE|SEAT|USER",
                "start seats and keep them up"},
        {"release", release_command, &release_syntax, NULL, "release [--json] COURSE|SEAT|USER",
                "end the holds on seats, and no login"},
        {"stop", stop_command, &stop_syntax, NULL, "stop [--json] COURSE|SEAT|USER",
                "end every lease of seats"},
        {"schedule", schedule_command, &schedule_syntax, NULL, "schedule [--json] [COURSE]",
                "show when seats are held for classes"},
        {"exam", exam_command, NULL, &exam_parts, "exam start|stop|list ...",
                "let seats of a course reach only what is allowed"},
        {"teardown", teardown_command, &teardown_syntax, NULL, "teardown [--force] [--json]",
                "stop and remove everything that is up"},
        {"metrics", metrics_command, &metrics_syntax, NULL, "metrics", "print numbers for Prometheus"},
        {"graph", graph_command, &graph_syntax, NULL, "graph [COURSE]",
                "print a picture of what is up, for Graphviz"},
        {"hosts", hosts_command, NULL, &hosts_parts, "hosts [status|frr|apply]",
                "show the servers that share courses with this one"},
        {"drain", drain_command, &drain_syntax, NULL, "drain HOST", "give a server no new seats"},
        {"undrain", undrain_command, &undrain_syntax, NULL, "undrain HOST", "give it new seats again"},
        {"roster", roster_command, NULL, &roster_parts, "roster list|add|remove|import ...",
                "show and change who is in a course"},
};

const struct command *command_table_get(size_t i) {
        return i < ELEMENTSOF(commands) ? &commands[i] : NULL;
}

const struct command *command_table_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(commands); i++)
                if (string_equal(name, commands[i].name))
                        return &commands[i];
        return NULL;
}
