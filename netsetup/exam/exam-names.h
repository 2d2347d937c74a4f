/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The addresses of the names that exams allow. Queries of a seat in an exam are never sent on to another name
 * server, because a query is a message to its domain's owner. Instead the host resolves the names, and the
 * seats get the result, from the same file as the firewall (EXAM_HOSTS_DIRECTORY).
 */

#include "exam.h"

/*
 * Resolves the names of all exams and writes the files; removes those of courses in no exam. A name that does
 * not resolve keeps the addresses that it had, and is a warning if it has none. Returns 1 if a file has
 * changed, 0, or negative errno.
 */
int exam_names_update(const struct exams *exams, struct diagnostics *diagnostics);
