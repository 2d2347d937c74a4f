/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why root's coursenetctl refused what this program asked the activator for. */

/*
 * Reads the report that follows REPLY_REPORT on the connection, and prints its lines on stderr. They begin
 * with this program's name and not with coursenetctl's.
 */
void report_lines_print(int connection, const char *program);
