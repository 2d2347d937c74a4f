/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A private view of the machine for the module's tests: /run has only a seat's real network namespace, and a
 * few accounts exist. Nothing of it is visible outside this process and its children.
 */

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "util.h"

#define SANDBOX_SEAT "/run/netns/ns12310"
#define SANDBOX_PAM "/run/pam.d"

#define STUDENT_UID 61010

static const char sandbox_accounts[] = "cs123-newellz2:x:61010:61010::/nonexistent:/bin/sh\n"
                                       "cs123-nobody:x:61011:61011::/nonexistent:/bin/sh\n"
                                       "cs123-newellz2@ad.example.edu:x:61012:61012::/nonexistent:/bin/sh\n"
                                       "AD\\cs123-newellz2:x:61013:61013::/nonexistent:/bin/sh\n"
                                       "staff:x:61020:61020::/nonexistent:/bin/sh\n";

/* A test that cannot have its sandbox has failed. */
static inline void must(bool done, const char *what) {
        if (done)
                return;
        (void)fprintf(stderr, "%s: %s (these tests need root)\n", what, strerror(errno));
        exit(EXIT_FAILURE);
}

static inline void write_file(const char *path, const char *head, const char *text) {
        FILE *file = fopen(path, "we");

        must(file != NULL, path);
        must(fprintf(file, "%s%s", head, text) >= 0 && fclose(file) == 0, path);
}

static inline void add_accounts(void) {
        char buffer[65536];
        FILE *file = fopen("/etc/passwd", "re");
        size_t n;

        must(file != NULL, "/etc/passwd");
        n = fread(buffer, 1, sizeof(buffer) - 1, file);
        buffer[n] = '\0';
        must(fclose(file) == 0 && n < sizeof(buffer) - 1, "/etc/passwd");

        write_file("/run/passwd", buffer, sandbox_accounts);
        must(chmod("/run/passwd", 0644) == 0, "chmod /run/passwd");
        must(mount("/run/passwd", "/etc/passwd", NULL, MS_BIND, NULL) == 0, "mount /etc/passwd");
}

/* Puts a new namespace of the kind of flag, which is /proc/self/ns/KIND, where path says. */
static inline void make_namespace(int flag, const char *kind, const char *path) {
        char source[64];
        pid_t child;
        int status;

        write_file(path, "", "");
        child = fork();
        if (child == 0) {
                (void)snprintf(source, sizeof(source), "/proc/self/ns/%s", kind);
                _exit(unshare(flag) < 0 || mount(source, path, NULL, MS_BIND, NULL) < 0);
        }
        must(child > 0 && waitpid(child, &status, 0) == child && status == 0, path);
}

static inline void sandbox_enter(void) {
        must(unshare(CLONE_NEWNS) == 0, "unshare");
        must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "mount /");
        must(mount("run", "/run", "tmpfs", 0, "mode=755") == 0, "mount /run");
        must(mkdir("/run/netns", 0755) == 0, "mkdir /run/netns");
        must(mkdir("/run/coursenet", 0755) == 0, "mkdir /run/coursenet");
        must(mkdir(SANDBOX_PAM, 0755) == 0, "mkdir " SANDBOX_PAM);
        add_accounts();
        make_namespace(CLONE_NEWNET, "net", SANDBOX_SEAT);
}

/* How many descriptors this process has open, and one for the folder. */
static inline unsigned count_descriptors(void) {
        DIR *directory = opendir("/proc/self/fd");
        unsigned n = 0;

        must(directory, "/proc/self/fd");
        while (readdir(directory))
                n++;
        (void)closedir(directory);
        return n;
}
