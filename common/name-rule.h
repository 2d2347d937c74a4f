/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The rule that tells course users from all others, and which course and student a user name stands for:
 * "cs{course}-{student}" takes cs123-newellz2 apart into course "123" and student "newellz2".
 *
 * A rule has both words exactly once. Courses are digits, students are [A-Za-z0-9_][A-Za-z0-9_.-]*; a rule
 * by which one name could be read in two ways is refused. Beside the words a rule may have what a directory
 * puts around its names: '@', '\\' and '+', as in "cs{course}-{student}@ad.example.edu".
 */

#include "util.h"

#define NAME_RULE_DEFAULT "cs{course}-{student}"

#define COURSE_DIGITS_MAX 6U
#define COURSE_SIZE (COURSE_DIGITS_MAX + 1U)

/*
 * With the NUL; Linux's LOGIN_NAME_MAX. Directories give names with domains, which are longer than useradd's
 * 32. A longer name is no course user's: name_rule_resembles() finds those that would be.
 */
#define USER_NAME_SIZE 256U

/* An account with a uid below this is the system's and never a course user's, whatever its name is. The
 * shipped PAM profile (conf/pam-configs/coursenet) skips the module for it. */
#define SYSTEM_UID_END 1000U

struct name_rule {
        char head[USER_NAME_SIZE];   /* before the first word */
        char middle[USER_NAME_SIZE]; /* between the words */
        char tail[USER_NAME_SIZE];   /* behind the second word */
        bool course_first;
};

/* -EINVAL if text is no usable rule; *ret_reason then says why, as a static sentence fragment. */
int name_rule_parse(const char *text, struct name_rule *ret, const char **ret_reason);

/*
 * True if the rule matches the user name; the parts are then copied out. Needs no memory and no I/O: it is
 * what a login of anybody else costs.
 */
bool name_rule_match(const struct name_rule *rule, const char *user, char ret_course[static COURSE_SIZE],
        char ret_student[static USER_NAME_SIZE]);

/*
 * True if the name does not match, but may be a course user's by another name: with other capitals, another
 * domain or none, characters that a directory takes for others, or of any length. Such a name must not pass
 * for anybody else's. The rule is in the .c file, before list_marks(). No memory and no I/O, as above.
 */
bool name_rule_resembles(const struct name_rule *rule, const char *user);

/*
 * Why the rule does not match a name that resembles a course user's, as a static sentence: "it
 * differs in capitals only".
 */
const char *name_rule_reason(const struct name_rule *rule, const char *user);

/*
 * The same rule without the domain that its beginning or its end names, for names as people write them on
 * lists: cs{course}-{student} for cs{course}-{student}@ad.example.edu.
 */
void name_rule_without_domain(const struct name_rule *rule, struct name_rule *ret);

/* The text that name_rule_parse() made the rule of. */
#define NAME_RULE_TEXT_SIZE (4U * USER_NAME_SIZE)
void name_rule_text(const struct name_rule *rule, char ret_text[static NAME_RULE_TEXT_SIZE]);

/* The user name of a course's student. -ENAMETOOLONG if it does not fit. */
int name_rule_format(const struct name_rule *rule, const char *course, const char *student,
        char ret_user[static USER_NAME_SIZE]);

/* True for a name that may stand for {student}. */
bool student_name_valid(const char *student);
