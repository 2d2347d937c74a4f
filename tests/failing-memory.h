/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Lets allocations fail. A program that includes this (once) is linked with tests.mk's $(wrap_allocations):
 * the linker sends what the product and the test call here. Allocations inside of libraries do not fail.
 */

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
        bool counting, stays; /* whether allocations are counted; whether all fail behind the one that does */
        unsigned n_before;    /* how many succeed before the one that fails */
        unsigned n_failed;
} memory;

/* Whether this allocation fails. */
static inline bool allocation_fails(void) {
        if (!memory.counting || (memory.n_before > 0 && memory.n_before--) ||
                (memory.n_failed && !memory.stays))
                return false;
        memory.n_failed++;
        errno = ENOMEM;
        return true;
}

/* Declares a function of libc, whose stand-in is the body that follows. */
#define ALLOCATES(type, name, ...)                                                                           \
        type __real_##name(__VA_ARGS__);                                                                     \
        type __wrap_##name(__VA_ARGS__);                                                                     \
        type __wrap_##name(__VA_ARGS__)

ALLOCATES(void *, malloc, size_t size) {
        return allocation_fails() ? NULL : __real_malloc(size);
}

ALLOCATES(void *, calloc, size_t n, size_t size) {
        return allocation_fails() ? NULL : __real_calloc(n, size);
}

ALLOCATES(void *, realloc, void *old, size_t size) {
        return allocation_fails() ? NULL : __real_realloc(old, size);
}

ALLOCATES(void *, reallocarray, void *old, size_t n, size_t size) {
        return allocation_fails() ? NULL : __real_reallocarray(old, n, size);
}

ALLOCATES(char *, strdup, const char *text) {
        return allocation_fails() ? NULL : __real_strdup(text);
}

ALLOCATES(char *, strndup, const char *text, size_t size) {
        return allocation_fails() ? NULL : __real_strndup(text, size);
}

ALLOCATES(int, vasprintf, char **ret, const char *format, va_list arguments) {
        return allocation_fails() ? -1 : __real_vasprintf(ret, format, arguments);
}

/* There is no __real_asprintf() to pass arguments on to. */
int __wrap_asprintf(char **ret, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **ret, const char *format, ...) {
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = __wrap_vasprintf(ret, format, arguments);
        va_end(arguments);
        return r;
}

ALLOCATES(ssize_t, getline, char **line, size_t *size, FILE *file) {
        return allocation_fails() ? -1 : __real_getline(line, size, file);
}

ALLOCATES(ssize_t, getdelim, char **line, size_t *size, int delimiter, FILE *file) {
        return allocation_fails() ? -1 : __real_getdelim(line, size, delimiter, file);
}

ALLOCATES(FILE *, open_memstream, char **text, size_t *size) {
        return allocation_fails() ? NULL : __real_open_memstream(text, size);
}

ALLOCATES(FILE *, fopen, const char *path, const char *mode) {
        return allocation_fails() ? NULL : __real_fopen(path, mode);
}

ALLOCATES(FILE *, fdopen, int fd, const char *mode) {
        return allocation_fails() ? NULL : __real_fdopen(fd, mode);
}

ALLOCATES(DIR *, opendir, const char *path) {
        return allocation_fails() ? NULL : __real_opendir(path);
}

ALLOCATES(DIR *, fdopendir, int fd) {
        return allocation_fails() ? NULL : __real_fdopendir(fd);
}

/*
 * Calls function with an allocation that fails behind n others, and with `stays` all behind it. Returns
 * whether there was such an allocation, and what the function returned.
 */
static inline bool fail_at_allocation(
        unsigned n, bool stays, int (*function)(void *userdata), void *userdata, int *ret_result) {
        memory.n_before = n;
        memory.n_failed = 0;
        memory.stays = stays;
        memory.counting = true;
        *ret_result = function(userdata);
        memory.counting = false;
        return memory.n_failed > 0;
}
