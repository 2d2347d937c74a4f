/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The few options are parsed without getopt, which prints messages and depends on POSIXLY_CORRECT. A command
 * must follow "--", so that its options are never parsed as ours.
 */

#include "command-line.h"

static int parse_script(int argc, char **argv, int i, struct command_line *options, const char **ret_reason) {
        if (i + 1 != argc) {
                *ret_reason = "-c takes one argument, the shell command, and must be the last option";
                return -EINVAL;
        }
        options->script = argv[i];
        return 0;
}

static int parse_student(const char *word, struct command_line *options, const char **ret_reason) {
        if (!word || word[0] == '\0' || word[0] == '-') {
                *ret_reason = "--seat-of takes the name of a student, or a seat";
                return -EINVAL;
        }
        options->student = word;
        options->seat_only = true;
        return 0;
}

static int parse_command(
        int argc, char **argv, int i, struct command_line *options, const char **ret_reason) {
        if (i == argc) {
                *ret_reason = "There is no command after --";
                return -EINVAL;
        }
        options->command = argv + i;
        return 0;
}

static bool is_help(const char *word) {
        return string_equal(word, "--help") || string_equal(word, "-h");
}

int command_line_parse(int argc, char **argv, struct command_line *ret, const char **ret_reason) {
        struct command_line options = {.login = argc > 0 && argv[0][0] == '-'};
        int r = 0;

        for (int i = 1; i < argc; i++) {
                if (string_equal(argv[i], "--seat"))
                        options.seat_only = true;
                else if (string_equal(argv[i], "--seat-of")) {
                        r = parse_student(argv[++i], &options, ret_reason);
                        if (r < 0)
                                break;
                } else if (is_help(argv[i]) || (argc == 2 && string_equal(argv[i], "help")))
                        options.help = true;
                else if (string_equal(argv[i], "-c")) {
                        r = parse_script(argc, argv, i + 1, &options, ret_reason);
                        break;
                } else if (string_equal(argv[i], "--")) {
                        r = parse_command(argc, argv, i + 1, &options, ret_reason);
                        break;
                } else {
                        *ret_reason =
                                argv[i][0] == '-' ? "There is no such option" : "A command must follow --";
                        return -EINVAL;
                }
        }
        if (r >= 0)
                *ret = options;
        return r;
}
