/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The files of HOSTS_DIRECTORY, which tell other programs of this member what it may do (run-files.h). Each
 * is replaced as a whole. root: HOSTS_DIRECTORY, or a test's.
 */

#include <stdint.h>

#include "run-files.h"
#include "util.h"

/* Makes the folders. */
int run_state_make(const char *root);

int run_state_set_deadline(const char *root, uint64_t usec);

int run_state_add_claim(const char *root, const char *seat, const char *user);
int run_state_remove_claim(const char *root, const char *seat);

/* Calls with each claim. It may remove that one. */
void run_state_each_claim(
        const char *root, void (*visit)(void *userdata, const char *seat, const char *user), void *userdata);

int run_state_set_lease(const char *root, uint64_t lease);
uint64_t run_state_lease(const char *root); /* 0: there is none */

/* others: names with blanks between; NULL: this member is not drained. */
int run_state_set_drained(const char *root, const char *others);
