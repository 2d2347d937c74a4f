/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Exams: a file for each course that is in one, STATE_DIRECTORY/exam/123. `coursenetctl exam` writes it, and
 * firewall, name service and reports are computed from it. A file whose end is past counts as absent,
 * wherever it is read. A file with a mistake counts as an exam without an allow-list and without an end.
 *
 * Beside it, exam/123.schedule has the times of the exams that the settings name. `coursenetctl schedule
 * apply` writes it before the first of them begins. It counts at these times, except while the course is in
 * an exam by hand, and except for the one with the end that is in exam/123.stopped: somebody has ended that
 * exam.
 */

#include <stdint.h>

#include "address6.h"
#include "diagnostics.h"
#include "seat-id.h"

#define STATE_DIRECTORY "/var/lib/coursenet"
#define EXAM_DIRECTORY "exam" /* below STATE_DIRECTORY */
#define EXAM_SCHEDULED ".schedule"
#define EXAM_STOPPED ".stopped"
#define EXAM_CHANGED ".changed" /* exam-state.h */
#define EXAM_FILE_SIZE (COURSE_SIZE + sizeof(EXAM_SCHEDULED))
#define EXAM_BY_SCHEDULE "schedule" /* who has begun such an exam; a user has a uid behind the name */

#define EXAM_ALLOW_MAX 64U
#define EXAM_NAMES_MAX 32U
#define EXAM_STAFF_MAX 64U
#define EXAM_TIMES_MAX 64U
#define EXAM_NAME_SIZE 160U
#define EXAM_BY_SIZE 128U

/* "[ADDRESS]:65535/tcp" with the NUL. */
#define EXAM_ALLOW_TEXT_SIZE (INET6_ADDRSTRLEN + 12U)

/* What the seats may reach. */
struct exam_allow {
        char address[INET6_ADDRSTRLEN]; /* as inet_ntop() writes it */
        bool six;                       /* an IPv6 address */
        uint16_t port;                  /* 0: everything of that address */
        bool tcp, udp;
};

/* Seconds since 1970. */
struct exam_time {
        uint64_t from, until;
};

struct exam {
        char course[COURSE_SIZE];
        uint64_t since, until; /* seconds since 1970; until 0: no end */
        char by[EXAM_BY_SIZE];
        struct exam_allow allow[EXAM_ALLOW_MAX];
        size_t n_allow;
        char names[EXAM_NAMES_MAX][EXAM_NAME_SIZE]; /* in lower case */
        size_t n_names;
        uint32_t staff[EXAM_STAFF_MAX]; /* uids, other than those of the system, that may reach in */
        size_t n_staff;
        struct exam_time times[EXAM_TIMES_MAX]; /* of the file of a schedule; they do not overlap */
        size_t n_times;
        bool scheduled; /* it is from such a file */
        bool broken;    /* the file has a mistake */
};

/* The empty value is all zero. */
struct exams {
        struct exam *items; /* sorted by course */
        size_t n_items;
        uint64_t next_change; /* when an exam begins or ends; past: an ended one's file is still there */
};

#define EXAMS_NO_CHANGE UINT64_MAX

void exams_done(struct exams *exams);

#define _cleanup_exams_ _cleanup_(exams_done)

/*
 * "192.0.2.10", "192.0.2.10:443", "192.0.2.10:443/tcp", "2001:db8::1", "[2001:db8::1]:443/udp". A port
 * without a protocol is both. -EINVAL.
 */
int exam_allow_parse(const char *text, struct exam_allow *ret);

/* The same text again. */
void exam_allow_format(const struct exam_allow *allow, char ret_text[static EXAM_ALLOW_TEXT_SIZE]);

/* A name in DNS that is no address, and short enough for a line of the file. */
bool exam_name_valid(const char *text);

/* Whether a file's name is that of a course with the suffix, "123.schedule"; it is cut off then. */
bool exam_file_name_cut(const char *name, const char *suffix, char ret_course[static COURSE_SIZE]);

/* Parses a file's text; mistakes are in diagnostics, and the exam is broken then. ret has its course. */
void exam_parse(const char *text, const char *path, struct exam *ret, struct diagnostics *diagnostics);

/*
 * Parses a list of what is allowed, "192.0.2.10:443/tcp, name:www.example.org", into the exam. -EINVAL.
 */
int exam_allow_list_parse(const char *text, struct exam *exam);
bool exam_allow_list_valid(const char *text);

/* The text of the file. The caller frees it; NULL: out of memory. */
char *exam_format(const struct exam *exam);

/*
 * All exams that are in force at that time (seconds since 1970), one for a course; of one by schedule, since
 * and until are those of the time that it is. With 0: all by hand, also those whose end is past. Mistakes in
 * files are errors in diagnostics. Negative errno if it cannot be found out which exams there are.
 */
int exams_load(const char *state, uint64_t now, struct exams *ret, struct diagnostics *diagnostics);

/* The next exam by schedule of each course, which has not begun at that time. Files with mistakes have none.
 */
int exams_load_planned(const char *state, uint64_t now, struct exams *ret);

/*
 * One file of a course; suffix: "", EXAM_SCHEDULED or EXAM_STOPPED. Mistakes are as in exam_parse(). Returns
 * 1, 0 if there is no such file, or negative errno.
 */
int exam_load(const char *state, const char *course, const char *suffix, struct exam *ret,
        struct diagnostics *diagnostics);

/*
 * The end of the exam by schedule that somebody has ended. 0: it has a mistake, and stops none.
 * Returns 1, 0 if there is no such file, or negative errno.
 */
int exam_stopped_load(const char *state, const char *course, uint64_t *ret);

/* NULL: the course is in no exam. Borrowed. */
const struct exam *exams_find(const struct exams *exams, const char *course);
