/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A finding on its way from one program to another: LEVEL, PATH, LINE and TEXT, separated by tabs, on one
 * line. A backslash stands before whatever would end a field.
 */

#include "diagnostics.h"

/* Writes all findings; -EIO if the stream fails. */
int finding_lines_write(FILE *stream, const struct diagnostics *diagnostics);

/* Adds what one line says, with or without its newline, and takes line apart. -EINVAL if it is no finding. */
int finding_line_read(char *line, struct diagnostics *diagnostics);
