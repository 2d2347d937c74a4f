/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The students that a class list names, in the list's order, each once. */

#include "name-rule.h"

struct class_entry {
        char student[USER_NAME_SIZE];
        char *word; /* as the list has it */
        unsigned line;
};

/* The empty value is all zero. */
struct class_list {
        struct class_entry *entries;
        size_t n_entries;
        size_t n_without_login; /* rows with no login that an account could have */
        char *column;           /* the heading that the logins stand under; NULL: a plain list, or no list */
};

void class_list_done(struct class_list *list);

/* Adds a student who is not on the list yet; both texts are copied. -ENOMEM. */
int class_list_add(struct class_list *list, const char *student, const char *word, unsigned line);

/* Borrowed; NULL: the student is not on the list. */
const struct class_entry *class_list_find(const struct class_list *list, const char *student);

#define _cleanup_class_list_ _cleanup_(class_list_done)
