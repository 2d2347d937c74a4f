/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists of times, and what they mean now. It looks at no clock. */

#include "class-time.h"

void class_times_done(struct class_times *times) {
        free(times->items);
        *times = (struct class_times){0};
}

int class_times_add(struct class_times *times, time_t start, time_t end) {
        struct class_time *items = reallocarray(times->items, times->n_items + 1, sizeof(*items));

        if (!items)
                return -ENOMEM;
        times->items = items;
        items[times->n_items++] = (struct class_time){start, end};
        return 0;
}

static int compare(const void *a, const void *b) {
        const struct class_time *left = a, *right = b;

        if (left->start != right->start)
                return left->start < right->start ? -1 : 1;
        return (left->end > right->end) - (left->end < right->end);
}

void class_times_sort(struct class_times *times) {
        if (times->n_items > 0)
                qsort(times->items, times->n_items, sizeof(*times->items), compare);
}

struct class_moment class_times_at(const struct class_times *times, time_t now, time_t lead) {
        struct class_moment moment = {0};

        for (size_t i = 0; i < times->n_items; i++) {
                const struct class_time *each = &times->items[i];

                if (each->end <= now)
                        continue;
                if (each->start - lead > (moment.wanted ? moment.next_change : now)) {
                        if (moment.wanted)
                                break;
                        return (struct class_moment){false, each->start, each->end, each->start - lead};
                }
                if (!moment.wanted)
                        moment = (struct class_moment){true, each->start, each->end, each->end};
                else if (each->end > moment.next_change)
                        moment.next_change = each->end;
        }
        return moment;
}

const struct class_time *class_times_find_overlap(const struct class_times *times) {
        for (size_t i = 1; i < times->n_items; i++)
                if (times->items[i].start < times->items[i - 1].end)
                        return &times->items[i - 1];
        return NULL;
}
