/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which subordinate uids belong to those who are fenced. fence.c and fence-route.c use the ranges. */

#include "fence-subuid.h"
#include "number.h"
#include "subuid.h"

void uid_ranges_done(struct uid_ranges *ranges) {
        free(ranges->items);
        *ranges = (struct uid_ranges){0};
}

static int add(struct uid_ranges *ranges, uint32_t first, uint32_t last) {
        struct uid_range *items = reallocarray(ranges->items, ranges->n_items + 1, sizeof(*items));

        if (!items)
                return -ENOMEM;
        items[ranges->n_items++] = (struct uid_range){.first = first, .last = last};
        ranges->items = items;
        return 0;
}

static bool is_fenced(const struct settings *settings, const struct accounts *fenced, const char *owner) {
        unsigned uid;

        if (number_parse(owner, SYSTEM_UID_END, UINT32_MAX - 1, &uid) >= 0)
                return accounts_have_uid(fenced, uid);
        return account_classify(settings, owner) == ACCOUNT_COURSE;
}

static int add_line(char *line, const struct settings *settings, const struct accounts *fenced,
        struct uid_ranges *ranges) {
        uint32_t first, last;

        if (!subuid_parse_line(line, &first, &last) || !is_fenced(settings, fenced, line))
                return 0;
        /* Root and system accounts are never fenced, even if the file gives their uids to somebody. */
        if (last < SYSTEM_UID_END)
                return 0;
        return add(ranges, first < SYSTEM_UID_END ? SYSTEM_UID_END : first, last);
}

static int compare(const void *a, const void *b) {
        const struct uid_range *one = a, *other = b;

        if (one->first != other->first)
                return one->first < other->first ? -1 : 1;
        return 0;
}

/* nft rejects elements that overlap. */
static void join(struct uid_ranges *ranges) {
        size_t n = 0;

        if (ranges->n_items > 0)
                qsort(ranges->items, ranges->n_items, sizeof(*ranges->items), compare);
        for (size_t i = 0; i < ranges->n_items; i++) {
                struct uid_range *last = n > 0 ? &ranges->items[n - 1] : NULL, item = ranges->items[i];

                if (!last || item.first > last->last + 1)
                        ranges->items[n++] = item;
                else if (item.last > last->last)
                        last->last = item.last;
        }
        ranges->n_items = n;
}

/* Removes what was added since then. */
static int take_back(struct uid_ranges *ranges, size_t n_items, int error) {
        ranges->n_items = n_items;
        return error;
}

int fence_subuid_load(const char *path, const struct settings *settings, const struct accounts *fenced,
        struct uid_ranges *ranges) {
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        _cleanup_free_ char *line = NULL;
        size_t size = 0, n_before = ranges->n_items;
        int r = 0;

        if (!file)
                return errno == ENOENT ? 0 : -errno;
        while (r >= 0 && getline(&line, &size, file) >= 0)
                r = add_line(line, settings, fenced, ranges);
        if (r >= 0 && ferror(file))
                r = -EIO;
        if (r < 0)
                return take_back(ranges, n_before, r);
        join(ranges);
        return 0;
}
