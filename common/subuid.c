/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One line of /etc/subuid, or of a file that has its format. The fence and the activator's limits read them.
 */

#include "subuid.h"
#include "number.h"

bool subuid_parse_line(char *line, uint32_t *ret_first, uint32_t *ret_last) {
        char *first = strchr(line, ':'), *count = first ? strchr(first + 1, ':') : NULL;
        unsigned n_first, n_count;

        if (!count || first == line)
                return false;
        *first++ = '\0';
        *count++ = '\0';
        count[strcspn(count, "\n")] = '\0';
        if (number_parse(first, 0, UINT32_MAX - 1, &n_first) < 0 ||
                number_parse(count, 1, UINT32_MAX, &n_count) < 0)
                return false;
        if (n_count > UINT32_MAX - n_first)
                n_count = UINT32_MAX - n_first;
        *ret_first = n_first;
        *ret_last = n_first + n_count - 1;
        return true;
}
