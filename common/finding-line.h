/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The format in which one program passes findings to another: LEVEL, PATH, LINE, TEXT and REMEDY, which may
 * be empty, separated by tabs, on one line. A character that would end a field is escaped with a backslash.
 */

#include "diagnostics.h"

/* Writes all findings; -EIO if the stream fails. */
int finding_lines_write(FILE *stream, const struct diagnostics *diagnostics);

/* Parses a line, with or without its newline, and adds its finding. The line is changed. -EINVAL if it is not
 * a finding. */
int finding_line_read(char *line, struct diagnostics *diagnostics);
