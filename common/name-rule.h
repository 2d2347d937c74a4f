/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The rule that says which users are course users, and which course and student their names mean: by
 * "cs{course}-{student}", cs123-newellz2 is student "newellz2" of course "123".
 *
 * A rule has both words exactly once. A course is digits, a student is [A-Za-z0-9_][A-Za-z0-9_.-]*. A rule is
 * refused if one name could be read in two ways. A rule may also have what a directory puts around its names:
 * '@', '\\' and '+', as in "cs{course}-{student}@ad.example.edu".
 */

#include "util.h"

#define NAME_RULE_DEFAULT "cs{course}-{student}"

#define COURSE_DIGITS_MAX 6U
#define COURSE_SIZE (COURSE_DIGITS_MAX + 1U)

/*
 * With the NUL; Linux's LOGIN_NAME_MAX. useradd allows 32 characters, but names with the domain of a
 * directory are longer. A longer name does not match; name_rule_resembles() recognises it as a course user's.
 */
#define USER_NAME_SIZE 256U

/* An account with a uid below this is the system's and never a course user's, whatever its name is. The
 * shipped PAM profile (conf/pam-configs/coursenet) skips the module for it. */
#define SYSTEM_UID_END 1000U

struct name_rule {
        char head[USER_NAME_SIZE];   /* before the first word */
        char middle[USER_NAME_SIZE]; /* between the words */
        char tail[USER_NAME_SIZE];   /* after the second word */
        bool course_first;
};

/* -EINVAL if text is not a usable rule; *ret_reason then says why, as a static sentence fragment. */
int name_rule_parse(const char *text, struct name_rule *ret, const char **ret_reason);

/*
 * True if the rule matches the user name; the parts are then copied out. No memory is allocated and no I/O is
 * done, because every login on the machine calls this.
 */
bool name_rule_match(const struct name_rule *rule, const char *user, char ret_course[static COURSE_SIZE],
        char ret_student[static USER_NAME_SIZE]);

/*
 * True if the name does not match, but may be another spelling of a course user's name: with other capitals,
 * another domain or none, characters that a directory regards as equal to others, or of any length. Such a
 * user must not be treated as one who is not a course user. How it is decided: see list_marks() in the .c
 * file. No memory is allocated and no I/O is done.
 */
bool name_rule_resembles(const struct name_rule *rule, const char *user);

/*
 * Why the rule does not match a name that resembles a course user's, as a static sentence: "it differs in
 * capitals only".
 */
const char *name_rule_reason(const struct name_rule *rule, const char *user);

/*
 * The same rule without the domain at its beginning or its end, for names as people write them on lists:
 * cs{course}-{student} for cs{course}-{student}@ad.example.edu.
 */
void name_rule_without_domain(const struct name_rule *rule, struct name_rule *ret);

/* The text that name_rule_parse() parsed. */
#define NAME_RULE_TEXT_SIZE (4U * USER_NAME_SIZE)
void name_rule_text(const struct name_rule *rule, char ret_text[static NAME_RULE_TEXT_SIZE]);

/* The user name of a course's student. -ENAMETOOLONG if it does not fit. */
int name_rule_format(const struct name_rule *rule, const char *course, const char *student,
        char ret_user[static USER_NAME_SIZE]);

/* Whether {student} can stand for the name. */
bool student_name_valid(const char *student);
