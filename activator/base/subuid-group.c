/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A copy of the file in memory: with an account's line for each student it is too long to read at each
 * request. */

#include "subuid-group.h"
#include "subuid.h"

void subuid_groups_done(struct subuid_groups *uids) {
        free(uids->ranges);
        *uids = (struct subuid_groups){0};
}

static int compare(const void *a, const void *b) {
        const struct subuid_range *one = a, *other = b;

        return one->first < other->first ? -1 : one->first > other->first;
}

static void load(struct subuid_groups *uids, const char *path) {
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        _cleanup_free_ char *line = NULL;
        struct subuid_range range, *ranges;
        size_t size = 0;

        while (file && getline(&line, &size, file) >= 0) {
                /* No limit is about root. */
                if (!subuid_parse_line(line, &range.first, &range.last) || range.first == 0)
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

uid_t subuid_group(struct subuid_groups *uids, const char *path, uid_t uid) {
        size_t low = 0, high;
        struct stat now = {0};

        (void)stat(path, &now);
        if (!is_same_file(&now, &uids->stat)) {
                subuid_groups_done(uids);
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
