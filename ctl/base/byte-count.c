/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>

#include "byte-count.h"

void byte_count_format(uint64_t bytes, char ret_text[static BYTE_COUNT_SIZE]) {
        static const char units[] = "kMGTPE";
        double value = (double)bytes / 1000;
        size_t unit = 0;

        if (bytes < 1000) {
                (void)snprintf(ret_text, BYTE_COUNT_SIZE, "%" PRIu64, bytes);
                return;
        }
        /* What would be rounded up to 1000.0 has the next unit. */
        for (; value >= 999.95 && unit + 2 < sizeof(units); unit++)
                value /= 1000;
        (void)snprintf(ret_text, BYTE_COUNT_SIZE, "%.1f%c", value, units[unit]);
}
