/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A filter must follow "--", as a command of coursenet-enter must, because it may look like a seat. */

#include "command-line.h"
#include "capture-protocol.h"
#include "number.h"

static int parse_snaplen(const char *text, unsigned *ret) {
        unsigned long number = text && digits_only(text) && strlen(text) < 6 ? strtoul(text, NULL, 10) : 0;

        if (number == 0 || number > CAPTURE_SNAPLEN_MAX)
                return -EINVAL;
        *ret = (unsigned)number;
        return 0;
}

static bool is_help(const char *word) {
        return string_equal(word, "--help") || string_equal(word, "-h");
}

static int parse_words(int argc, char **argv, struct command_line *options, const char **ret_reason) {
        for (int i = 1; i < argc; i++) {
                if (is_help(argv[i]) || (argc == 2 && string_equal(argv[i], "help"))) {
                        options->help = true;
                } else if (string_equal(argv[i], "-s")) {
                        *ret_reason = "-s takes a number of bytes, 1 to 65535";
                        if (parse_snaplen(argv[++i], &options->snaplen) < 0)
                                return -EINVAL;
                } else if (string_equal(argv[i], "--")) {
                        *ret_reason = "There is no filter after --";
                        options->filter = argv + i + 1;
                        return options->filter[0] ? 0 : -EINVAL;
                } else {
                        *ret_reason = argv[i][0] == '-'
                                              ? "There is no such option"
                                              : "One seat can be captured, and a filter must follow --";
                        if (argv[i][0] == '-' || argv[i][0] == '\0' || options->seat)
                                return -EINVAL;
                        options->seat = argv[i];
                }
        }
        return 0;
}

int command_line_parse(int argc, char **argv, struct command_line *ret, const char **ret_reason) {
        struct command_line options = {.snaplen = CAPTURE_SNAPLEN_MAX};
        int r = parse_words(argc, argv, &options, ret_reason);

        if (r >= 0)
                *ret = options;
        return r;
}
