/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Writes commands in the language of nft(8). Functions that add text do not fail. The function that closes
 * the text reports whether there was enough memory.
 */

#include "util.h"

struct nft_text {
        FILE *stream;
        char *buffer;
        size_t size;
};

/* False: out of memory. */
bool nft_text_open(struct nft_text *ret);

/* The caller frees the text; NULL: out of memory. */
char *nft_text_close(struct nft_text *text);

void nft_text_put(struct nft_text *text, const char *format, ...) _printf_(2, 3);

/* Texts of commands. The empty value is all zero. */
struct nft_texts {
        char **items;
        size_t n_items;
};

/* Takes text, which is NULL if there was no memory for it. -ENOMEM. */
int nft_texts_add(struct nft_texts *texts, char *text);

/* Leaves the empty value. */
void nft_texts_done(struct nft_texts *texts);

/* Commands that remove a table, whether or not it is there. */
void nft_text_put_replacement(struct nft_text *text, const char *table);

/* A set or map within a table: it is opened, gets its elements, and is closed. */
struct nft_set {
        struct nft_text *text; /* borrowed */
        bool empty;
};

/* kind: "set" or "map". type may go on with further lines of the set, such as flags. */
struct nft_set nft_set_open(struct nft_text *text, const char *kind, const char *name, const char *type);
void nft_set_put(struct nft_set *set, const char *format, ...) _printf_(2, 3);
void nft_set_close(struct nft_set *set);
