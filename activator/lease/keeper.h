/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * leftover = keep: which process keeps a seat after its student's last logout. It has to be the student's, in
 * the seat's network namespace, and in a control group that a login made:
 *
 *     user-1001.slice/session-*.scope    what a login left behind: nohup, screen, tmux
 *     user-1001.slice/user@1001.service  units of the student's own manager that the student made: scopes of
 *                                        tmux, systemd-run --user, units below ~/.config/systemd/user
 *
 * The manager itself keeps no seat, nor does a service whose unit file is the distribution's or the
 * administrator's (D-Bus, agents, sound), nor do agents that a login started (ssh-agent, gpg-agent).
 *
 * All of it is read from /sys/fs/cgroup and /proc, for which no capability is needed. The student
 * arranges the control groups below user@, so the amount that is read has a limit, and what cannot be read
 * keeps nothing.
 */

#include <sys/types.h>

#include "util.h"

#define KEEPER_UNIT_SIZE 128U
#define KEEPER_COMMAND_SIZE 32U
#define KEEPER_EVENTS_SIZE 512U

struct keeper {
        pid_t pid;                         /* 0: there is none */
        char unit[KEEPER_UNIT_SIZE];       /* "session-3.scope"; longer ones are cut */
        char command[KEEPER_COMMAND_SIZE]; /* the process' name, printable; "?" if /proc does not tell */
        char events[KEEPER_EVENTS_SIZE];   /* a file that inotify(7) reports when the control group gets empty
                                            */
};

/* Where to look; the tests have their own. */
struct keeper_roots {
        const char *cgroup;       /* "/sys/fs/cgroup" */
        const char *proc;         /* "/proc" */
        const char *const *units; /* directories of user units that are not the student's, up to NULL */
        int (*session_uid)(const char *session, uid_t *ret); /* sd_session_get_uid() */
};

extern const struct keeper_roots keeper_roots;

/*
 * Finds one process of uid in the network namespace that has an interface named link. True: there is one, and
 * *ret is filled; else *ret is all zero.
 */
bool keeper_find(const struct keeper_roots *roots, uid_t uid, const char *link, struct keeper *ret);

/*
 * Whether a session of uid has processes and logind does not know it. When logind of systemd 254 or newer is
 * restarted, it forgets each session whose leader is dead, and leaves the session's scope as it is.
 */
bool keeper_has_forgotten_session(const struct keeper_roots *roots, uid_t uid);

/* Whether a session of uid may have processes. True where the control groups do not tell: not version 2. */
bool keeper_may_have_session(const struct keeper_roots *roots, uid_t uid);
