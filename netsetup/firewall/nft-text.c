/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Used by what computes our tables: ruleset-*.c and fence-table.c. */

#include <stdarg.h>

#include "nft-text.h"

bool nft_text_open(struct nft_text *ret) {
        *ret = (struct nft_text){0};
        ret->stream = open_memstream(&ret->buffer, &ret->size);
        return ret->stream != NULL;
}

char *nft_text_close(struct nft_text *text) {
        bool failed = ferror(text->stream) != 0;

        if (fclose(text->stream) != 0 || failed) {
                free(text->buffer);
                return NULL;
        }
        return text->buffer;
}

void nft_text_put(struct nft_text *text, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        (void)vfprintf(text->stream, format, arguments);
        va_end(arguments);
}

int nft_texts_add(struct nft_texts *texts, char *text) {
        char **items = text ? reallocarray(texts->items, texts->n_items + 1, sizeof(*items)) : NULL;

        if (!items) {
                free(text);
                return -ENOMEM;
        }
        texts->items = items;
        items[texts->n_items++] = text;
        return 0;
}

void nft_texts_done(struct nft_texts *texts) {
        for (size_t i = 0; i < texts->n_items; i++)
                free(texts->items[i]);
        free(texts->items);
        *texts = (struct nft_texts){0};
}

/*
 * "add table" before "delete table" makes the latter succeed where there is none; nft(8) has "destroy" for it
 * since 1.0.7 only.
 */
void nft_text_put_replacement(struct nft_text *text, const char *table) {
        nft_text_put(text, "add table %s\ndelete table %s\n", table, table);
}

struct nft_set nft_set_open(struct nft_text *text, const char *kind, const char *name, const char *type) {
        nft_text_put(text, "\t%s %s {\n\t\ttype %s\n", kind, name, type);
        return (struct nft_set){.text = text, .empty = true};
}

/* nft rejects empty braces, so they are written with the first element. */
void nft_set_put(struct nft_set *set, const char *format, ...) {
        va_list arguments;

        nft_text_put(set->text, set->empty ? "\t\telements = { " : ", ");
        set->empty = false;
        va_start(arguments, format);
        (void)vfprintf(set->text->stream, format, arguments);
        va_end(arguments);
}

void nft_set_close(struct nft_set *set) {
        nft_text_put(set->text, set->empty ? "\t}\n" : " }\n\t}\n");
}
