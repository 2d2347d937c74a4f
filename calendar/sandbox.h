/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A timetable comes from elsewhere, and libical, which is large and written in C, reads it. Negative errno.
 */

/* Limits memory, the time of the processor and the output: SIGXCPU and SIGXFSZ end the process. */
int sandbox_limit(void);

/* From then on the process can only compute, read files, and write to what it has open. */
int sandbox_close(void);
