/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the unit tests share: a folder of their own that stands for /etc/coursenet, and ways to look at
 * findings. Each test program has one main() and includes this once; whatever fails here fails the test.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "diagnostics.h"

static char etc[64];

#define _unused_ __attribute__((unused))

static int _unused_ make_etc(void **state) {
        (void)state;
        (void)umask(022);
        (void)strcpy(etc, "/tmp/coursenet-unit-XXXXXX");
        if (!mkdtemp(etc))
                return -1;
        return chmod(etc, 0755);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

static int _unused_ remove_etc(void **state) {
        (void)state;
        return nftw(etc, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path of a file below etc; good for the next seven calls. */
static const char *etc_path(const char *name) {
        static char paths[8][256];
        static unsigned i;

        i = (i + 1) % 8;
        (void)snprintf(paths[i], sizeof(paths[i]), "%s/%s", etc, name);
        return paths[i];
}

/* Makes a file, and its folder. */
static void _unused_ write_bytes(const char *name, const char *text, size_t size) {
        const char *path = etc_path(name), *slash = strrchr(path, '/');
        char folder[256];
        int fd;

        (void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
        if (mkdir(folder, 0755) < 0)
                assert_int_equal(errno, EEXIST);
        (void)unlink(path);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, size), (ssize_t)size);
        assert_return_code(close(fd), errno);
}

static void _unused_ write_file(const char *name, const char *text) {
        write_bytes(name, text, strlen(text));
}

/* The whole file, to be freed. */
static char _unused_ *read_whole(const char *name) {
        _cleanup_fclose_ FILE *file = fopen(etc_path(name), "re");
        char *text = calloc(1, 65536);

        assert_non_null(file);
        assert_non_null(text);
        assert_true(fread(text, 1, 65535, file) < 65535);
        return text;
}

static void show_findings(const struct diagnostics *diagnostics) {
        char text[1024];

        for (size_t i = 0; i < diagnostics->n_items; i++) {
                diagnostic_format(&diagnostics->items[i], text, sizeof(text));
                print_error("  %s\n", text);
        }
}

/* There must be a finding of that level and line with the words in its text and remedy, as people read them.
 */
static void _unused_ assert_finding(const struct diagnostics *diagnostics, enum diagnostic_level level,
        unsigned line, const char *words) {
        char text[1024];

        for (size_t i = 0; i < diagnostics->n_items; i++) {
                diagnostic_format(&diagnostics->items[i], text, sizeof(text));
                if (diagnostics->items[i].level == level && diagnostics->items[i].line == line &&
                        strstr(text, words))
                        return;
        }

        print_error("no such finding in line %u: %s; there are:\n", line, words);
        show_findings(diagnostics);
        fail();
}

static void _unused_ assert_error(const struct diagnostics *diagnostics, unsigned line, const char *words) {
        assert_finding(diagnostics, DIAGNOSTIC_ERROR, line, words);
}

static void _unused_ assert_warning(const struct diagnostics *diagnostics, unsigned line, const char *words) {
        assert_finding(diagnostics, DIAGNOSTIC_WARNING, line, words);
}

/* No finding at all. */
static void _unused_ assert_clean(const struct diagnostics *diagnostics) {
        if (diagnostics->n_items == 0 && diagnostics->n_errors == 0)
                return;
        print_error("expected no findings, there are:\n");
        show_findings(diagnostics);
        fail();
}
