/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The table of all settings of coursenet.conf. settings-table.c says how to add a row. */

#include "settings.h"

/* How a value is written, and which type its member has. */
enum setting_kind {
        SETTING_BOOL,          /* bool: yes or no */
        SETTING_ENUM,          /* an enum: one of the row's words */
        SETTING_NUMBER,        /* unsigned, from minimum to maximum */
        SETTING_TIME,          /* unsigned, seconds from minimum to maximum; written with a unit or without */
        SETTING_RATE,          /* struct rate */
        SETTING_DELAY,         /* unsigned: microseconds */
        SETTING_LOSS,          /* unsigned: millionths */
        SETTING_TEXT,          /* char[], a single value that valid() accepts */
        SETTING_WORDS,         /* char[], a text of words that valid() accepts, kept as it is written */
        SETTING_LIST,          /* char[][] and a size_t: names that valid() accepts */
        SETTING_PORTS,         /* struct ports */
        SETTING_NETWORK,       /* struct address: an IPv4 network with a prefix from minimum to maximum */
        SETTING_NETWORK6,      /* struct address6: an IPv6 network with a prefix from minimum to maximum */
        SETTING_NAME_RULE,     /* name-rule: rule_text and rule of struct settings */
        SETTING_SITE_NETWORK6, /* network6: network6 and network6_auto of struct settings */
        SETTING_DNS,           /* dns: source of struct dns_settings, and a list of its servers */
};

/* The sections that a setting is allowed in. */
enum {
        SECTION_SITE = 1U << 0,
        SECTION_COURSE = 1U << 1,
        SECTION_HOSTS = 1U << 2,
};

struct setting_word {
        const char *text;
        unsigned value;
};

/* What a list is made of. */
struct setting_list {
        size_t item_size;
        size_t n_max;
        size_t n_offset;   /* of the number of items, as offset of struct setting */
        const char *items; /* what it is a list of, for a message: "at most 8 interfaces" */
        const char *empty; /* the word that stands alone for no items; NULL: an empty value does */
        bool repeats;      /* several lines of the file add up, because one line has room for few items */
        const char *separators; /* characters between two items; NULL: blanks */
};

struct setting {
        const char *name;
        unsigned sections;
        size_t offset, size; /* of the member: see setting_base() */
        bool adds;           /* what a course sets adds to what the site sets, and does not replace it */
        enum setting_kind kind;
        const char *expected;      /* what a value looks like, for a message: "expected ..." */
        unsigned minimum, maximum; /* of a number, a time or a prefix; maximum 0: the kind has no range */
        bool any_address;          /* ports may have "*:" before them */
        bool (*valid)(const char *word);  /* checks a text, a word or an item of a list */
        const struct setting_word *words; /* ends with a NULL text */
        struct setting_list list;
        const char *default_value; /* as the file would have it; NULL: the member stays zero */
};

/* The i-th row, sorted by name. NULL behind the last one. */
const struct setting *setting_at(size_t i);

/* NULL: there is no setting of that name. */
const struct setting *setting_find(const char *name);

/* The row's place in the table, for the arrays lines of struct settings and struct course_settings. */
size_t setting_index(const struct setting *setting);

/*
 * The struct that the row's offsets are in: struct course_values for what both sections may set (the
 * course's, or the site's if course is NULL), else struct settings, also for [hosts], or struct
 * course_settings.
 */
void *setting_base(const struct setting *setting, struct settings *settings, struct course_settings *course);

/* Copies the row's value from one struct of setting_base() to another. */
void setting_copy(const struct setting *setting, void *to, const void *from);
