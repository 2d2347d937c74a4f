/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A copy of the file in memory: with an account's line for each student it is too long to read at each
 * request. */

#include "subordinate-uid.h"
#include "number.h"

void subordinate_uids_done(struct subordinate_uids *uids) {
        free(uids->ranges);
        *uids = (struct subordinate_uids){0};
}

/* OWNER:FIRST:COUNT. False: the line has another form, or uids that no limit is about. */
static bool parse_line(char *line, struct subordinate_range *ret) {
        char *first = strchr(line, ':'), *count = first ? strchr(first + 1, ':') : NULL;
        unsigned n_first, n_count;

        if (!count)
                return false;
        *count++ = '\0';
        count[strcspn(count, "\n")] = '\0';
        if (number_parse(first + 1, 1, UINT32_MAX - 1, &n_first) < 0 ||
                number_parse(count, 1, UINT32_MAX, &n_count) < 0)
                return false;
        *ret = (struct subordinate_range){
                .first = n_first,
                .last = n_count > UINT32_MAX - n_first ? UINT32_MAX : n_first + n_count - 1,
        };
        return true;
}

static int compare(const void *a, const void *b) {
        const struct subordinate_range *one = a, *other = b;

        return one->first < other->first ? -1 : one->first > other->first;
}

static void load(struct subordinate_uids *uids, const char *path) {
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        _cleanup_free_ char *line = NULL;
        struct subordinate_range range, *ranges;
        size_t size = 0;

        while (file && getline(&line, &size, file) >= 0) {
                if (!parse_line(line, &range))
                        continue;
                ranges = reallocarray(uids->ranges, uids->n_ranges + 1, sizeof(*ranges));
                if (!ranges)
                        break;
                uids->ranges = ranges;
                ranges[uids->n_ranges++] = range;
        }
        if (uids->n_ranges > 0)
                qsort(uids->ranges, uids->n_ranges, sizeof(*uids->ranges), compare);
}

static bool is_same_file(const struct stat *one, const struct stat *other) {
        return one->st_ino == other->st_ino && one->st_dev == other->st_dev &&
               one->st_size == other->st_size && one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
               one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

uid_t subordinate_uid_group(struct subordinate_uids *uids, const char *path, uid_t uid) {
        size_t low = 0, high;
        struct stat now = {0};

        (void)stat(path, &now);
        if (!is_same_file(&now, &uids->stat)) {
                subordinate_uids_done(uids);
                load(uids, path);
                uids->stat = now;
        }

        /* The last range that begins at uid or before it. */
        high = uids->n_ranges;
        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (uids->ranges[middle].first <= uid)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low > 0 && uid <= uids->ranges[low - 1].last ? uids->ranges[low - 1].first : uid;
}
