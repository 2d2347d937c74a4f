/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * libsubid of shadow, loaded only where nsswitch.conf names a directory: it brings libpam, libselinux and
 * libsemanage along, and hosts without such a directory need not have it. It answers for one owner at a time
 * and reads all of /etc/subuid for each, so that file is read by fence-subuid.c.
 *
 * Called by the run of the fence that asks the user database: a process of its own, which no login
 * waits for and which the watch ends if the directory does not answer.
 */

#include <dlfcn.h>
#include <stdio.h>

#include "base/failure.h"
#include "base/runtime-file.h"
#include "run-files.h"
#include "subuid-directory.h"

#define NSSWITCH_FILE "/etc/nsswitch.conf"

/* Taken for the moment of writing only: nobody waits for a directory that another run is asking. */
#define LOCK_FILE RUN_DIRECTORY "/fence.subuid.lock"

/* As <shadow/subid.h> has it, in all versions of the ABI that are loaded here. */
struct subid_range {
        unsigned long start;
        unsigned long count;
};

/* Of Debian 13 and of Debian 12. */
static const char *const sonames[] = {"libsubid.so.5", "libsubid.so.4"};

static struct {
        bool (*init)(const char *program, FILE *log);
        int (*get_uid_ranges)(const char *owner, struct subid_range **ret_ranges);
        void (*free)(void *ranges); /* what the plugin has allocated; older versions have free() for it */
} library;

/* Functions and objects are different kinds of pointer in C; in POSIX they are not. */
static bool find_symbol(void *handle, const char *name, void *pointer) {
        void *address = dlsym(handle, name);

        memcpy(pointer, &address, sizeof(address));
        return address;
}

static int load_library(void) {
        void *handle = NULL;

        if (library.get_uid_ranges)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(sonames) && !handle; i++)
                handle = dlopen(sonames[i], RTLD_NOW | RTLD_NODELETE);
        if (!handle || !find_symbol(handle, "subid_init", &library.init) ||
                !find_symbol(handle, "subid_get_uid_ranges", &library.get_uid_ranges))
                return -ELIBACC;
        if (!find_symbol(handle, "subid_free", &library.free))
                library.free = free;
        /* NULL: its messages go to /dev/null. */
        (void)library.init("coursenet", NULL);
        return 0;
}

/* As libsubid reads it: the first word behind "subid:", in the first line that has one. */
bool subuid_directory_is_used(void) {
        static const char head[] = "subid:";
        _cleanup_fclose_ FILE *file = fopen(NSSWITCH_FILE, "re");
        _cleanup_free_ char *line = NULL;
        size_t size = 0;

        while (file && getline(&line, &size, file) >= 0) {
                char *word = line + strlen(head), *rest;

                if (strncasecmp(line, head, strlen(head)) != 0)
                        continue;
                word = strtok_r(word, " \t\n", &rest);
                if (word)
                        return !string_equal(word, "files");
        }
        return false;
}

int subuid_directory_check(struct diagnostics *diagnostics) {
        if (!subuid_directory_is_used() || load_library() >= 0)
                return 0;
        diagnostics_error(diagnostics, NSSWITCH_FILE, 0,
                "subordinate ids come from a directory (subid:), and libsubid cannot be loaded, so those "
                "of course users are not fenced: apt install libsubid5 (Debian 12: libsubid4)");
        return -ELIBACC;
}

/* The lines of an owner in a text of the file's format. */
static void copy_lines(FILE *stream, const char *text, const char *owner) {
        size_t length = strlen(owner);

        for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL)
                if (strncmp(line, owner, length) == 0 && line[length] == ':')
                        (void)fprintf(stream, "%.*s\n", (int)strcspn(line, "\n"), line);
}

static void write_ranges(FILE *stream, const char *before, const char *owner) {
        struct subid_range *ranges = NULL;
        int n = library.get_uid_ranges(owner, &ranges);

        /*
         * The answer is the same for an owner without ids and for a directory that is down, so the known ids
         * are kept.
         */
        if (n < 0)
                copy_lines(stream, before, owner);
        for (int i = 0; i < n; i++)
                (void)fprintf(stream, "%s:%lu:%lu\n", owner, ranges[i].start, ranges[i].count);
        if (ranges)
                library.free(ranges);
}

/* The caller frees it. NULL: out of memory. */
static char *format(const struct accounts *fenced, const char *before) {
        char *text = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&text, &size);
        bool failed;

        if (!stream)
                return NULL;
        for (size_t i = 0; i < fenced->n_items; i++)
                if (fenced->items[i].name[0])
                        write_ranges(stream, before, fenced->items[i].name);
        failed = ferror(stream);
        if (fclose(stream) != 0 || failed) {
                free(text);
                return NULL;
        }
        return text;
}

/* Whether a text of the file's format has a line of the owner, who stands at the start of this line. */
static bool has_owner(const char *text, const char *line) {
        size_t length = strcspn(line, ":\n");

        for (; text && *text; text = strchr(text, '\n'), text += text != NULL)
                if (strncmp(text, line, length) == 0 && text[length] == ':')
                        return true;
        return false;
}

/*
 * Adds what another run has written while this one was asking: that run may have known a user who has just
 * logged in, and whom this one has not asked about. NULL: out of memory. The caller frees it.
 */
static char *merge(const char *text, const char *before, const char *now) {
        char *merged = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&merged, &size);
        bool failed;

        if (!stream)
                return NULL;
        (void)fputs(text, stream);
        for (const char *line = now; line && *line; line = strchr(line, '\n'), line += line != NULL)
                if (!has_owner(before, line) && !has_owner(text, line))
                        (void)fprintf(stream, "%.*s\n", (int)strcspn(line, "\n"), line);
        failed = ferror(stream);
        if (fclose(stream) != 0 || failed) {
                free(merged);
                return NULL;
        }
        return merged;
}

static int write_file(const char *text, const char *before, struct diagnostics *diagnostics) {
        _cleanup_free_ char *now = NULL, *merged = NULL;
        _cleanup_close_ int lock_fd = -1;
        int r;

        r = runtime_lock_take(LOCK_FILE, &lock_fd);
        if (r < 0)
                return failure(diagnostics, LOCK_FILE, r, "cannot be locked");
        r = subuid_directory_read(&now);
        if (r < 0)
                return failure(diagnostics, DIRECTORY_SUBUID_FILE, r, "cannot be read");
        merged = string_equal(now, before) ? strdup(text) : merge(text, before, now);
        if (!merged)
                return failure(diagnostics, DIRECTORY_SUBUID_FILE, -ENOMEM, "cannot be computed");
        r = runtime_file_write(DIRECTORY_SUBUID_FILE, merged, 0600);
        return r < 0 ? failure(diagnostics, DIRECTORY_SUBUID_FILE, r, "cannot be written") : r;
}

int subuid_directory_read(char **ret) {
        int r = runtime_file_read(DIRECTORY_SUBUID_FILE, ret);

        if (r != -ENOENT)
                return r;
        *ret = strdup("");
        return *ret ? 0 : -ENOMEM;
}

static int forget(void) {
        if (unlink(DIRECTORY_SUBUID_FILE) < 0)
                return errno == ENOENT ? 0 : -errno;
        return 1;
}

int subuid_directory_update(
        const struct accounts *fenced, const char *before, struct diagnostics *diagnostics) {
        _cleanup_free_ char *text = NULL;
        int r;

        if (!subuid_directory_is_used())
                return forget();
        r = subuid_directory_check(diagnostics);
        if (r < 0)
                return r;
        text = format(fenced, before);
        if (!text)
                return failure(diagnostics, DIRECTORY_SUBUID_FILE, -ENOMEM, "cannot be computed");
        return write_file(text, before, diagnostics);
}
