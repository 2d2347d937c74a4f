/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists of times, and what they mean now. It looks at no clock. */

#include "class-time.h"

void class_times_done(struct class_times *times) {
        for (size_t i = 0; i < times->n_items; i++)
                free(times->items[i].name);
        free(times->items);
        *times = (struct class_times){0};
}

int class_times_add(struct class_times *times, time_t start, time_t end, const char *name) {
        char *copy = name ? strdup(name) : NULL;
        struct class_time *items = reallocarray(times->items, times->n_items + 1, sizeof(*items));

        if (items)
                times->items = items;
        if (!items || (name && !copy)) {
                free(copy);
                return -ENOMEM;
        }
        items[times->n_items++] = (struct class_time){start, end, copy};
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
                        return (struct class_moment){false, each->start, each->end, each, each->start - lead};
                }
                if (!moment.wanted)
                        moment = (struct class_moment){true, each->start, each->end, each, each->end};
                else if (each->end > moment.next_change)
                        moment.next_change = each->end;
        }
        return moment;
}

const struct class_time *class_times_find_overlap(const struct class_times *times) {
        const struct class_time *last = NULL;

        for (size_t i = 0; i < times->n_items; i++) {
                if (times->items[i].name)
                        continue;
                if (last && times->items[i].start < last->end)
                        return last;
                last = &times->items[i];
        }
        return NULL;
}
