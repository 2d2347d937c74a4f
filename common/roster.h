/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * /etc/coursenet/roster.d/COURSE: which seat each student of a course has. Lines "NAME SEAT" and "#"
 * comments; see coursenet-roster(5). A seat number is never given to a second student: "#removed NAME SEAT"
 * reserves the number of a student who left.
 *
 * The text is kept line by line, so that a roster that is written back keeps its comments and its order. A
 * line with a mistake is reported and skipped, because one typo must not cost the other students their
 * logins.
 */

#include "diagnostics.h"
#include "settings.h"

#define ROSTER_DIRECTORY "roster.d"

struct roster_line {
        char *text;                   /* without the newline */
        char student[USER_NAME_SIZE]; /* empty: a comment, a blank line or a mistake */
        unsigned seat;
        bool removed; /* the student left, and the number stays reserved */
};

/* The empty value is all zero: a roster without students. */
struct roster {
        char course[COURSE_SIZE];
        struct name_rule rule; /* of the site */
        unsigned first_seat;   /* the lowest number that roster_add() gives */
        unsigned seat_max;     /* the highest seat number that the course's subnet has */
        struct roster_line *lines;
        size_t n_lines;
        struct file_identity file; /* that roster_load() read; else empty */
};

void roster_done(struct roster *roster);

/*
 * Loads ETC/roster.d/COURSE. Returns 0 even if single lines have mistakes: compare diagnostics->n_errors.
 * Negative errno (-ENOENT: the course has no roster, which adds nothing to diagnostics) leaves *ret
 * untouched. The course must be one that settings_check_course() accepts.
 */
int roster_load(const char *etc, const struct settings *settings, const char *course, struct roster *ret,
        struct diagnostics *diagnostics);

/* As roster_load(), from a text. path is for messages only. An empty text gives a new roster. */
int roster_parse(const char *text, const char *path, const struct settings *settings, const char *course,
        struct roster *ret, struct diagnostics *diagnostics);

/* NULL if the student is not on the roster, or was removed from it. Borrowed. */
const struct roster_line *roster_find(const struct roster *roster, const char *student);

/*
 * Gives a student a seat: the one they have or had, else the lowest number that no student has or had.
 * Returns 0 if they had it already, 1 if they are new or come back, -ENOSPC if the course has no free number,
 * -EINVAL for a name that no student may have, -ENAMETOOLONG as roster_student(), -ENOMEM.
 */
int roster_add(struct roster *roster, const char *student, unsigned *ret_seat);

/*
 * Gives a student who is not on the roster and never was the seat of this number. -EEXIST if another student
 * has or had it, -ERANGE if the course has no such seat; otherwise errors as above.
 */
int roster_add_numbered(struct roster *roster, const char *student, unsigned seat);

/* The lowest number that no student has or had; 0: none is left. */
unsigned roster_free_seat(const struct roster *roster);

/* Removes a student and reserves the number. -ENOENT if they are not on the roster. */
int roster_remove(struct roster *roster, const char *student);

/* The roster as text; the caller frees it. NULL: out of memory. */
char *roster_format(const struct roster *roster);

/*
 * The student that a word of a roster or of a class list names: "newellz2", or the whole user name
 * "cs123-newellz2" by the site's rule, with the domain of the rule or without. -EINVAL if it is neither,
 * -EXDEV for a user name of another course, -ENAMETOOLONG if the student's user name would be too long for a
 * login.
 */
int roster_student(const struct settings *settings, const char *course, const char *word,
        char ret_student[static USER_NAME_SIZE]);

/* What such an error means, as a static sentence fragment that follows "'WORD' ". */
const char *roster_student_reason(int error);

#define _cleanup_roster_ _cleanup_(roster_done)
