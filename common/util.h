/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The few helpers that every part uses: scope clean-up for memory and file descriptors, and strings. A copy
 * that does not fit is an error.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ELEMENTSOF(array) (sizeof(array) / sizeof((array)[0]))

/* The text of a number that is a macro. */
#define STRINGIFY_(text) #text
#define STRINGIFY(macro) STRINGIFY_(macro)

#define _printf_(text, first) __attribute__((format(printf, text, first)))
#define _cleanup_(function) __attribute__((cleanup(function)))

static inline void free_pointer(void *pointer) {
        free(*(void **)pointer);
}

/* Keeps errno, so that a clean-up never hides the error that led to it. */
static inline void close_pointer(int *fd) {
        if (*fd >= 0) {
                int saved = errno;
                (void)close(*fd);
                errno = saved;
        }
        *fd = -1;
}

static inline void fclose_pointer(FILE **file) {
        if (*file)
                (void)fclose(*file);
        *file = NULL;
}

#define _cleanup_free_ _cleanup_(free_pointer)
#define _cleanup_close_ _cleanup_(close_pointer)
#define _cleanup_fclose_ _cleanup_(fclose_pointer)

static inline bool string_equal(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

static inline bool string_starts_with(const char *text, const char *head) {
        return strncmp(text, head, strlen(head)) == 0;
}

/* Copies text with its NUL into an array of size bytes; -ENAMETOOLONG, and the array untouched, if it does
 * not fit. */
static inline int string_copy(char *array, size_t size, const char *text) {
        size_t length = strlen(text);

        if (length >= size)
                return -ENAMETOOLONG;
        memcpy(array, text, length + 1);
        return 0;
}

/*
 * Replaces control characters by '?', in place: otherwise an escape sequence in a text that somebody else
 * wrote would run on the reader's terminal. U+0080 to U+009F count too, because U+009B begins a sequence as
 * ESC [ does. Other UTF-8 stays.
 */
static inline void string_make_printable(char *text) {
        for (; *text; text++)
                if ((unsigned char)*text < ' ' || *text == '\x7f')
                        *text = '?';
                else if (text[0] == '\xc2' && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xa0)
                        text[0] = text[1] = '?';
}
