/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reports changes of the files from which the network is computed, by inotify on their directories, because
 * most of these files are replaced and not edited.
 */

#include <limits.h>

#include "util.h"

struct watch_file_changes {
        bool settings, rosters;
        bool timetables;
        bool resolvers; /* /etc/resolv.conf, wherever it leads */
        bool passwd;    /* or who has which subordinate ids */
        bool exams;     /* a course is in an exam, or is not any more, see exam.h */
        bool claims;    /* HOSTS_CLAIM_DIRECTORY */
        bool deadline;  /* HOSTS_DEADLINE_FILE */
        bool logins;    /* a course user has logged in for the first time, COURSE_LOGIN_DIRECTORY */
        bool unfenced;  /* and it is not fence_has_login() */
};

#define WATCH_FILES_MAX 20U

/* One file of interest, or (without a name) all files of a directory. */
struct watch_file {
        int descriptor; /* inotify's, of the directory */
        char name[NAME_MAX + 1];
        size_t change; /* the offset of its flag in the changes */
};

struct watch_files {
        int fd;
        const char *etc; /* borrowed */
        struct watch_file items[WATCH_FILES_MAX];
        size_t n_items;
};

#define WATCH_FILES_NONE ((struct watch_files){.fd = -1})

/* Negative errno. */
int watch_files_open(struct watch_files *watch, const char *etc);
void watch_files_close(struct watch_files *watch);

/* Reads what there is; the descriptor, to be polled for POLLIN, is fd. */
int watch_files_read(struct watch_files *watch, struct watch_file_changes *ret);
