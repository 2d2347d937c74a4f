/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the fuzzers share. Each fuzz-NAME.c includes this once and defines LLVMFuzzerTestOneInput(), which
 * libFuzzer or replay.c calls with one input. An input that breaks a property ends the process, so that
 * libFuzzer keeps it.
 */

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unlike assert(), it is in every build. */
#define CHECK(condition)                                                                                     \
        do {                                                                                                 \
                if (!(condition)) {                                                                          \
                        (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);        \
                        abort();                                                                             \
                }                                                                                            \
        } while (false)

#define _unused_ __attribute__((unused))

/* The input as a string, to be freed. NULL: it has a NUL byte, which the callers of the parsers refuse. */
static char _unused_ *fuzz_text(const uint8_t *data, size_t size) {
        char *text;

        if (size > 0 && memchr(data, '\0', size))
                return NULL;
        text = malloc(size + 1);
        CHECK(text);
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        return text;
}

/* Cuts the first line off a text and returns it. */
static char _unused_ *fuzz_take_line(char **text) {
        char *line = *text;

        *text += strcspn(*text, "\n");
        if (**text)
                *(*text)++ = '\0';
        return line;
}

/* Cuts a text at the first line that is "%%". Returns what follows it; "" if there is no such line. */
static char _unused_ *fuzz_take_part(char **text) {
        static char empty[] = "";
        char *part = *text, *mark = string_starts_with(part, "%%\n") ? part : strstr(part, "\n%%\n");

        if (!mark) {
                *text = empty;
                return part;
        }
        *text = mark + strlen("%%\n") + (*mark == '\n');
        *mark = '\0';
        return part;
}

/* Whether an array has a string of printable ASCII. */
static bool _unused_ fuzz_printable(const char *array, size_t size) {
        size_t length = strnlen(array, size);

        for (size_t i = 0; i < length; i++)
                if (array[i] < ' ' || array[i] > '~')
                        return false;
        return length < size;
}

/* --- a folder with files --- */

static char fuzz_folder[64];

static void fuzz_remove_folder(void) {
        (void)rmdir(fuzz_folder);
}

/* A folder of this process. It is removed at the end, if its files are. A file system in memory: on a disk's,
 * files that come and go for each input take most of the time. */
static const char _unused_ *fuzz_make_folder(void) {
        if (fuzz_folder[0])
                return fuzz_folder;
        (void)umask(022);
        (void)snprintf(fuzz_folder, sizeof(fuzz_folder), "%s/coursenet-fuzz-XXXXXX",
                access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        CHECK(mkdtemp(fuzz_folder));
        (void)atexit(fuzz_remove_folder);
        return fuzz_folder;
}

/* Writes a file of that folder that trusted_file_read() accepts. */
static void _unused_ fuzz_write(const char *path, const char *text) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        CHECK(fd >= 0);
        CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}
