/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `coursenetctl exam`: its own table of subcommands. */

#include "exam-command.h"

#define START_USAGE                                                                                          \
        "coursenetctl exam start COURSE [--until TIME] [--allow ADDRESS[:PORT[/tcp|udp]]]... [--allow-name " \
        "NAME]...\n"

static const char usage[] = "Usage: " START_USAGE "       coursenetctl exam stop COURSE\n"
                            "       coursenetctl exam list [--json] [--no-legend] [--no-pager]\n"
                            "\n"
                            "During an exam, the seats of a course reach only what is allowed.\n"
                            "See coursenetctl(8).\n";

static const struct command_part parts[] = {
        {"start", exam_start,
                {"Usage: " START_USAGE "\n"
                 "The seats of the course reach only what is allowed: not the world, the server or each "
                 "other.\n"
                 "Connections that are open are cut. Students stay logged in, and can log in. It answers "
                 "when\n"
                 "that is in force. A second start replaces the first.\n"
                 "\n"
                 "  --until TIME       when it ends by itself: 11:00, +2h, ... (systemd.time(7)); without "
                 "it,\n"
                 "                     it ends with `coursenetctl exam stop`\n"
                 "  --allow ADDRESS    an address that the seats may reach; with a port, only that port:\n"
                 "                     192.0.2.10:443/tcp, [2001:db8::10]:443/tcp\n"
                 "  --allow-name NAME  a name that is resolved for the seats, and whose addresses they may "
                 "reach\n",
                        .options = TAKES_EXAM, .words_min = 1, .words_max = 1, .first = WORD_COURSE}},
        {"stop", exam_stop,
                {"Usage: coursenetctl exam stop COURSE\n"
                 "\n"
                 "Ends the exam of a course. Its seats reach again what the settings allow.\n",
                        .words_min = 1, .words_max = 1, .first = WORD_COURSE}},
        {"list", exam_list,
                {"Usage: coursenetctl exam list [--json] [--no-legend] [--no-pager]\n"
                 "\n"
                 "Shows which courses are in an exam, until when, what is allowed, and who started it, and "
                 "the\n"
                 "next exam of each course by schedule (exam = in the settings). On several servers, also on "
                 "how\n"
                 "many of them it is in force, and which do not have it.\n",
                        .options = TAKES_JSON | TAKES_LEGEND | TAKES_PAGER}},
};

const struct command_parts exam_parts = {
        .command = "exam",
        .usage = usage,
        .names = "start, stop or list",
        .items = parts,
        .n_items = ELEMENTSOF(parts),
};

int exam_command(const struct paths *paths, int argc, char **argv) {
        return command_parts_run(&exam_parts, paths, argc, argv);
}
