/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How output for people looks on a terminal: through a pager, and with colours. */

#include "util.h"

/*
 * Shows what is printed from here on in a pager, if standard output is a terminal: $PAGER, or less(1) with
 * the options that systemctl(1) gives it. Without a pager, output goes to the terminal as before.
 *
 * A pager can run other programs. So if somebody else than root is logged in and runs this as root, by
 * sudo(8) for example, the pager is less in its secure mode, whatever $PAGER says.
 */
void terminal_open_pager(void);

/* Waits until the user has left the pager. Nothing can be printed on standard output afterwards. */
void terminal_close_pager(void);

/* Whether standard output is a terminal, or a pager on one, and the user wants colours: see no-color.org. */
bool terminal_has_colors(void);

/* The same of standard error, without a pager. */
bool terminal_has_progress(void);

/* The sequences that begin and end a colour; empty without colours. */
const char *terminal_red(void);
const char *terminal_yellow(void);
const char *terminal_normal(void);
