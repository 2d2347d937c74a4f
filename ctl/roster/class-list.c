/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A class has a few thousand entries at most, so a linear search is fast enough. */

#include "class-list.h"

void class_list_done(struct class_list *list) {
        for (size_t i = 0; i < list->n_entries; i++)
                free(list->entries[i].word);
        free(list->entries);
        free(list->column);
        *list = (struct class_list){0};
}

int class_list_add(struct class_list *list, const char *student, const char *word, unsigned line) {
        struct class_entry *entries;
        char *copy;

        entries = reallocarray(list->entries, list->n_entries + 1, sizeof(*entries));
        if (!entries)
                return -ENOMEM;
        list->entries = entries;

        copy = strdup(word);
        if (!copy)
                return -ENOMEM;

        entries += list->n_entries++;
        *entries = (struct class_entry){.word = copy, .line = line};
        (void)string_copy(entries->student, sizeof(entries->student), student);
        return 0;
}

const struct class_entry *class_list_find(const struct class_list *list, const char *student) {
        for (size_t i = 0; i < list->n_entries; i++)
                if (string_equal(list->entries[i].student, student))
                        return &list->entries[i];
        return NULL;
}
