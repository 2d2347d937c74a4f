/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The parts of `coursenetctl check`, each in the file of its name. Each adds what is wrong to diagnostics.
 * etc is /etc/coursenet, for the paths in messages.
 */

#include "base/command.h"
#include "base/hosts-list.h"
#include "limits.h"

/* How the remedies begin that make accounts: of one student, and of all of a course. */
#define ADD_ACCOUNT "useradd --create-home --shell /bin/bash "
#define ADD_ACCOUNTS "for user in "

/* All of it, for commands. *ret_wanted: as of host_check(). */
void check_all(const struct paths *paths, struct limits *ret_wanted, struct diagnostics *diagnostics);

/*
 * Warns of students whose uid has a second name, in /etc/passwd or as the first name in the user database,
 * and of accounts in /etc/passwd whose names resemble those of course users.
 */
void account_check(const struct site *site, struct diagnostics *diagnostics);

/* Warns of limits of students that the kernel does not enforce. */
void controller_check(
        const struct paths *paths, const struct settings *settings, struct diagnostics *diagnostics);

/* Reports exams in the settings that systemd does not understand, are all past, or are of no seat. */
void exam_check(const char *etc, const struct site *site, struct diagnostics *diagnostics);

/*
 * Checks FRR on a server that shares courses: that bgpd has loaded the part of coursenet, has a session with
 * each neighbour, and that FRR knows the courses that are up.
 */
void frr_check(const struct site *site, const struct host_member *own, struct diagnostics *diagnostics);

/*
 * Checks what a server needs that shares courses with others: its address, the key to the store,
 * coursenet-hosts, FRR, and the other members. Nothing without a section [hosts].
 */
void hosts_check(const struct paths *paths, const struct site *site, struct diagnostics *diagnostics);

/*
 * Reports members that are not up, are not the same on all servers, or are of another version than own, the
 * version of this program.
 */
void member_check(const char *path, const struct hosts_list *list, const char *own_version,
        struct diagnostics *diagnostics);

/*
 * Checks that this host has what the configuration needs: programs, services, IPv6, and high enough limits of
 * the kernel. *ret_wanted: the limits to raise, from limits_check().
 */
void host_check(const struct paths *paths, const struct site *site, struct limits *ret_wanted,
        struct diagnostics *diagnostics);

/* Checks that the courses' containers can start: there is a runtime, and the students can read the images. */
void image_check(const char *etc, const struct site *site, struct diagnostics *diagnostics);

/*
 * Checks the state of the kernel, which only root can read: runs `coursenet-host check` and adds what it
 * finds, or an error that says why nothing could be compared. program is the absolute path of coursenet-host.
 */
void live_check(const char *program, struct diagnostics *diagnostics);

/*
 * Reports schedules and timetables that cannot be read, have no class any more, overlap, or are of no seat,
 * and timetables of no course.
 */
void schedule_check(const struct paths *paths, const struct site *site, struct diagnostics *diagnostics);

/*
 * Warns of each user and group that the settings name as staff or in roster-group, and that the user database
 * does not have. Stops at
 * the first name for which the user database does not answer.
 */
void staff_check(const char *etc, const struct settings *settings, struct diagnostics *diagnostics);
