/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One question about the fence's table, which libnftables would answer with all that is in it. */

/* Whether the kernel has one, whatever is in it: 1 or 0, or negative errno. */
int fence_table_exists(void);
