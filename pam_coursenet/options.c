/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The module's options. Every option is one row of a table; a setter returns NULL, or why it rejects the
 * value. Nothing is logged here, because only the caller knows whether the login is a course user's.
 */

#include "options.h"
#include "number.h"

static const char *set_debug(struct options *options, const char *value) {
        (void)value;
        options->debug = true;
        return NULL;
}

static const char *set_join(struct options *options, const char *value) {
        if (string_equal(value, "yes"))
                options->join = true;
        else if (string_equal(value, "no"))
                options->join = false;
        else
                return "expected yes or no";
        return NULL;
}

static const char *set_rule(struct options *options, const char *value) {
        const char *reason;

        options->rule_usable = name_rule_parse(value, &options->rule, &reason) == 0;
        return options->rule_usable ? NULL : reason;
}

static const char *set_timeout(struct options *options, const char *value) {
        if (number_parse(value, 1, TIMEOUT_SECONDS_MAX, &options->timeout_seconds) < 0)
                return "expected a number of seconds from 1 to 300";
        return NULL;
}

static const char *set_wait(struct options *options, const char *value) {
        if (string_equal(value, "network"))
                options->wait = WAIT_NETWORK;
        else if (string_equal(value, "container"))
                options->wait = WAIT_CONTAINER;
        else if (string_equal(value, "none"))
                options->wait = WAIT_NONE;
        else
                return "expected network, container or none";
        return NULL;
}

/* Sorted. A name that ends in '=' takes a value. */
static const struct option_row {
        const char *name;
        const char *(*set)(struct options *options, const char *value);
} option_rows[] = {
        {"debug", set_debug},
        {"join=", set_join},
        {"rule=", set_rule},
        {"timeout=", set_timeout},
        {"wait=", set_wait},
};

static bool row_matches(const struct option_row *row, const char *word) {
        size_t length = strlen(row->name);

        if (row->name[length - 1] == '=')
                return string_starts_with(word, row->name);
        return string_equal(word, row->name);
}

static const char *set_option(struct options *options, const char *word) {
        for (size_t i = 0; i < ELEMENTSOF(option_rows); i++)
                if (row_matches(&option_rows[i], word))
                        return option_rows[i].set(options, word + strlen(option_rows[i].name));
        return "there is no such option";
}

/* Only the first mistake is reported. */
static void note_mistake(struct options *options, const char *word, const char *reason) {
        if (!reason || options->wrong)
                return;
        options->wrong = word;
        options->reason = reason;
}

void options_parse(int argc, const char *const argv[], struct options *ret) {
        struct options options = {.join = true, .timeout_seconds = TIMEOUT_SECONDS_DEFAULT};

        (void)set_rule(&options, NAME_RULE_DEFAULT);
        for (int i = 0; i < argc; i++)
                note_mistake(&options, argv[i], set_option(&options, argv[i]));

        /* There may be no namespace yet that could be joined. */
        if (options.wait == WAIT_NONE && options.join)
                note_mistake(&options, "wait=none", "it needs join=no");

        *ret = options;
}
