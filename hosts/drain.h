/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * drain/HOST in the store: the member gets no new seats. It is without a lease, so it lasts until somebody
 * removes it.
 *
 * HOSTS_DRAINED_FILE follows this member's own key. It stays as it is while the store is not known: at the
 * start, and while the store cannot be reached.
 */

#include "hosts.h"
#include "mirror.h"

/* So many others are named to a student. */
#define DRAIN_NAMED_MAX 8U
#define DRAIN_NAMES_SIZE ((size_t)DRAIN_NAMED_MAX * HOST_MEMBER_NAME_SIZE)

/* Of the members of members =, in that order, those but own that get new seats; with blanks between. */
void drain_name_others(const struct settings *settings, const char *own,
        bool (*gets_seats)(void *userdata, const char *member), void *userdata,
        char ret_names[static DRAIN_NAMES_SIZE]);

/* Whether the member is one of members =, or one that the store knows of. */
bool drain_knows(const struct settings *settings, const struct mirror *mirror, const char *member);

/*
 * The store's call that drains the member, or does not any longer. A member that is drained already stays as
 * it is, with who did it and since when. The caller frees it; NULL: out of memory.
 */
char *drain_body(const char *member, bool drained, const char *by, uint64_t now_usec);

struct drain_file {
        sd_event *event; /* borrowed, and so are the next four */
        const struct settings *settings;
        const struct mirror *mirror;
        const char *own;
        const char *root; /* HOSTS_DIRECTORY, or a test's */

        bool known, drained; /* what was written last */
        char others[DRAIN_NAMES_SIZE];
        sd_event_source *source; /* after all changes of a snapshot */
};

/* With the fields of the first part filled in. Negative errno. */
int drain_file_begin(struct drain_file *file);
void drain_file_done(struct drain_file *file);

void drain_file_key_changed(struct drain_file *file, const char *key);
void drain_file_loaded(struct drain_file *file);
