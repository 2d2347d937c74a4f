/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `coursenetctl roster`: its own table of subcommands. */

#include "roster-command.h"

static const char usage[] =
        "Usage: coursenetctl roster list [--json] [--no-legend] [--no-pager] [COURSE]\n"
        "       coursenetctl roster add [--json] COURSE NAME...\n"
        "       coursenetctl roster remove [--json] COURSE NAME...\n"
        "       coursenetctl roster import [--json] [--column NAME] [--skip] [--dry-run] COURSE FILE\n"
        "       coursenetctl roster sync [--json] [--dry-run] [--force] [COURSE]\n"
        "\n"
        "Shows and changes the roster of a course. NAME is a student (newellz2) or a whole user name\n"
        "(cs123-newellz2).\n"
        "See coursenet-roster(5).\n";

static const struct command_part parts[] = {
        {"list", roster_list,
                {"Usage: coursenetctl roster list [--json] [--no-legend] [--no-pager] [COURSE]\n"
                 "\n"
                 "Shows the students on the roster of a course, with seats and addresses. Without a course,\n"
                 "shows all courses.\n",
                        .options = TAKES_JSON | TAKES_LEGEND | TAKES_PAGER, .words_max = 1,
                        .first = WORD_COURSE}},
        {"add", roster_add_names,
                {"Usage: coursenetctl roster add [--json] COURSE NAME...\n"
                 "\n"
                 "Adds students to the roster. Each gets the lowest seat number that nobody has or had. A "
                 "student\n"
                 "who is on the roster already keeps their seat; one who was removed gets the old seat "
                 "back.\n",
                        .options = TAKES_JSON, .words_min = 2, .words_max = 65536, .first = WORD_COURSE}},
        {"remove", roster_remove_names,
                {"Usage: coursenetctl roster remove [--json] COURSE NAME...\n"
                 "\n"
                 "Removes students from the roster. Their seat numbers stay reserved for them. Students who "
                 "are\n"
                 "logged in keep their seats until they log out.\n",
                        .options = TAKES_JSON, .words_min = 2, .words_max = 65536, .first = WORD_COURSE,
                        .others = WORD_STUDENT}},
        {"import", roster_import,
                {"Usage: coursenetctl roster import [--json] [--column NAME] [--skip] [--dry-run] COURSE "
                 "FILE\n"
                 "\n"
                 "Adds every student of a class list who is not on the roster yet, in the order of the list. "
                 "It\n"
                 "moves and removes nobody. FILE (\"-\": standard input) has one name or mail address on "
                 "each line,\n"
                 "or is a table with a column of logins, such as the gradebook of Canvas, Moodle, Blackboard "
                 "or\n"
                 "Brightspace. If the list has a mistake, nothing is changed.\n"
                 "\n"
                 "  --column NAME  the column that holds the logins\n"
                 "  --skip         skip rows that have no login, list them, and add the others\n"
                 "  --dry-run      show what would change, and write nothing\n",
                        .options = TAKES_JSON | TAKES_IMPORT, .words_min = 2, .words_max = 2,
                        .first = WORD_COURSE, .others = WORD_FILE}},
        {"sync", roster_sync,
                {"Usage: coursenetctl roster sync [--json] [--dry-run] [--force] [COURSE]\n"
                 "\n"
                 "Gives a seat to every member of the course's groups (roster-group in the settings), and "
                 "removes\n"
                 "students who are no members any more. Numbers stay as they are. Without a course: all "
                 "courses\n"
                 "that have roster-group. coursenet-roster.timer runs it.\n"
                 "\n"
                 "  --dry-run      show what would change, and write nothing\n"
                 "  --force        remove more than half of the students, too\n",
                        .options = TAKES_JSON | TAKES_DRY_RUN | TAKES_FORCE, .words_max = 1,
                        .first = WORD_COURSE}},
};

const struct command_parts roster_parts = {
        .command = "roster",
        .usage = usage,
        .names = "list, add, remove, import or sync",
        .items = parts,
        .n_items = ELEMENTSOF(parts),
};

int roster_command(const struct paths *paths, int argc, char **argv) {
        return command_parts_run(&roster_parts, paths, argc, argv);
}
