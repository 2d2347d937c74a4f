/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tables for people, made with libsmartcols. */

#include <libsmartcols.h>

#include "util.h"

void table_done(struct libscols_table **table);

/*
 * Makes a table with these headings; without headings if all are "". The caller frees it with table_done().
 * -ENOMEM.
 */
int table_new(const char *const headings[], size_t n, struct libscols_table **ret);

/* Appends a row of n cells, which are copied; NULL is an empty cell. -ENOMEM. */
int table_add(struct libscols_table *table, const char *const cells[], size_t n);

/* Leaves out the headings. */
void table_hide_headings(struct libscols_table *table);

/* Gives a cell of the row that was added last a colour, such as "red", if output has colours. */
void table_color(struct libscols_table *table, size_t column, const char *color);

/* Prints to stdout. Negative errno. */
int table_print(struct libscols_table *table);

/* The same into a text, with its colours. The caller frees it. */
int table_print_to_text(struct libscols_table *table, char **ret);

#define _cleanup_table_ _cleanup_(table_done)
