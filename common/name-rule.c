/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The user name rule: parsing it, matching names, and finding names that resemble a course user's. The PAM
 * module calls this for every login on the machine, so it allocates no memory and uses its arguments only.
 */

#include "name-rule.h"

#define WORD_COURSE "{course}"
#define WORD_STUDENT "{student}"

/* What directories put between a domain and a name: SSSD in full names, winbind as its separator. */
#define DOMAIN_SEPARATORS "@\\+"

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* Not isalnum(), because the process may run in any locale. */
static bool is_student_start(char c) {
        return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_student_char(char c) {
        return is_student_start(c) || c == '.' || c == '-';
}

bool student_name_valid(const char *student) {
        if (!is_student_start(student[0]))
                return false;
        for (const char *p = student; *p; p++)
                if (!is_student_char(*p))
                        return false;
        return strlen(student) < USER_NAME_SIZE;
}

static bool literal_valid(const char *literal) {
        for (const char *p = literal; *p; p++)
                if (!is_student_char(*p) && !strchr(DOMAIN_SEPARATORS, *p))
                        return false;
        return true;
}

static bool names_domain(const char *literal) {
        return strpbrk(literal, DOMAIN_SEPARATORS);
}

/* What follows the last domain separator: the part of a literal that is in one word with what follows it. */
static const char *skip_domain(const char *literal) {
        const char *word = literal;

        for (const char *p = literal; *p; p++)
                if (strchr(DOMAIN_SEPARATORS, *p))
                        word = p + 1;
        return word;
}

static bool has_letter(const char *literal) {
        for (const char *p = literal; *p; p++)
                if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'))
                        return true;
        return false;
}

/* Copies the text from start up to end; -ENAMETOOLONG if it does not fit. */
static int copy_span(char *array, size_t size, const char *start, const char *end) {
        size_t length = (size_t)(end - start);

        if (length >= size)
                return -ENAMETOOLONG;
        memcpy(array, start, length);
        array[length] = '\0';
        return 0;
}

static int split_rule(const char *text, const char *course, const char *student, struct name_rule *rule) {
        bool course_first = course < student;
        const char *first = course_first ? course : student;
        const char *second = course_first ? student : course;
        size_t first_length = course_first ? strlen(WORD_COURSE) : strlen(WORD_STUDENT);
        size_t second_length = course_first ? strlen(WORD_STUDENT) : strlen(WORD_COURSE);

        rule->course_first = course_first;
        if (copy_span(rule->head, sizeof(rule->head), text, first) < 0 ||
                copy_span(rule->middle, sizeof(rule->middle), first + first_length, second) < 0 ||
                string_copy(rule->tail, sizeof(rule->tail), second + second_length) < 0)
                return -ENAMETOOLONG;
        return 0;
}

/* The literal before {course}, without a domain. */
static const char *text_before_course(const struct name_rule *rule) {
        return skip_domain(rule->course_first ? rule->head : rule->middle);
}

/* A name must have one reading only: no literal continues the digits of {course}, one separates the words. */
static const char *find_ambiguity(const struct name_rule *rule) {
        size_t length = strlen(rule->middle);

        if (length == 0)
                return "something must stand between {course} and {student}, such as a dash";
        if (rule->course_first ? is_digit(rule->middle[0]) : is_digit(rule->middle[length - 1]))
                return "the text between the words may not touch {course} with a digit";
        if (!rule->course_first && is_digit(rule->tail[0]))
                return "the text behind {course} may not begin with a digit";
        if (names_domain(rule->middle) && !has_letter(text_before_course(rule)))
                return "a domain that has the {course} must have a letter before it";
        return NULL;
}

static const char *find_unusable(const struct name_rule *rule) {
        size_t length = strlen(rule->head) + strlen(rule->middle) + strlen(rule->tail);

        /* The shortest name has one digit and one more character. */
        if (length + 2 >= USER_NAME_SIZE)
                return "it is too long";
        if (!literal_valid(rule->head) || !literal_valid(rule->middle) || !literal_valid(rule->tail))
                return "it may have only letters, digits, '_', '.', '-', '@', '\\' and '+' in addition to "
                       "{course} and {student}";
        /* In a unit file it would join the next line to the user's name. */
        if (rule->tail[0] && rule->tail[strlen(rule->tail) - 1] == '\\')
                return "it may not end with a backslash";
        return NULL;
}

int name_rule_parse(const char *text, struct name_rule *ret, const char **ret_reason) {
        const char *course = strstr(text, WORD_COURSE), *student = strstr(text, WORD_STUDENT);
        struct name_rule rule = {0};

        *ret_reason = "it must have {course} and {student} exactly once each, as in " NAME_RULE_DEFAULT;
        if (!course || !student || strstr(course + 1, WORD_COURSE) || strstr(student + 1, WORD_STUDENT))
                return -EINVAL;

        if (split_rule(text, course, student, &rule) < 0) {
                *ret_reason = "it is too long";
                return -EINVAL;
        }

        *ret_reason = find_unusable(&rule);
        if (!*ret_reason)
                *ret_reason = find_ambiguity(&rule);
        if (*ret_reason)
                return -EINVAL;

        *ret = rule;
        return 0;
}

/* How many digits text begins with, at most limit. */
static size_t count_digits(const char *text, size_t limit) {
        size_t n = 0;

        while (n < limit && is_digit(text[n]))
                n++;
        return n;
}

/* Where course and student are in a name without head and tail. */
struct split {
        size_t course_start, course_end;
        size_t student_start, student_end;
};

static bool split_course_first(const char *middle, const char *body, size_t length, struct split *ret) {
        size_t digits = count_digits(body, length), middle_length = strlen(middle);

        if (length - digits < middle_length || strncmp(body + digits, middle, middle_length) != 0)
                return false;
        *ret = (struct split){0, digits, digits + middle_length, length};
        return true;
}

static bool split_student_first(const char *middle, const char *body, size_t length, struct split *ret) {
        size_t start = length, middle_length = strlen(middle);

        while (start > 0 && is_digit(body[start - 1]))
                start--;
        if (start < middle_length || strncmp(body + start - middle_length, middle, middle_length) != 0)
                return false;
        *ret = (struct split){start, length, 0, start - middle_length};
        return true;
}

/* Whether a name is a course user's, and if not, why. */
enum match {
        MATCH,
        MATCH_TOO_LONG,
        MATCH_NO_LITERALS,
        MATCH_NO_COURSE,
        MATCH_COURSE_TOO_LONG,
        MATCH_NO_STUDENT,
};

static enum match split_name(const struct name_rule *rule, const char *user, char course[COURSE_SIZE],
        char student[USER_NAME_SIZE]) {
        size_t head = strlen(rule->head), tail = strlen(rule->tail), length = strnlen(user, USER_NAME_SIZE);
        const char *body;
        struct split split;

        if (length == USER_NAME_SIZE)
                return MATCH_TOO_LONG;
        if (length < head + tail || strncmp(user, rule->head, head) != 0 ||
                !string_equal(user + length - tail, rule->tail))
                return MATCH_NO_LITERALS;

        body = user + head;
        length -= head + tail;
        if (!(rule->course_first ? split_course_first : split_student_first)(
                    rule->middle, body, length, &split))
                return MATCH_NO_LITERALS;

        if (split.course_start == split.course_end)
                return MATCH_NO_COURSE;
        if (copy_span(course, COURSE_SIZE, body + split.course_start, body + split.course_end) < 0)
                return MATCH_COURSE_TOO_LONG;
        if (copy_span(student, USER_NAME_SIZE, body + split.student_start, body + split.student_end) < 0 ||
                !student_name_valid(student))
                return MATCH_NO_STUDENT;
        return MATCH;
}

bool name_rule_match(const struct name_rule *rule, const char *user, char ret_course[static COURSE_SIZE],
        char ret_student[static USER_NAME_SIZE]) {
        char course[COURSE_SIZE], student[USER_NAME_SIZE];

        if (split_name(rule, user, course, student) != MATCH)
                return false;
        (void)string_copy(ret_course, COURSE_SIZE, course);
        (void)string_copy(ret_student, USER_NAME_SIZE, student);
        return true;
}

/* --- names that resemble a course user's --- */

/* Of ASCII letters only, in any locale. */
static char lower(char c) {
        return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/*
 * One character of a name. When directories compare names, they ignore capitals, and some also accents,
 * invisible characters and the width of letters (RFC 4518; Active Directory). Each directory has its own
 * rules. So a character that is not printable ASCII is "strange": it can stand for other characters, or none.
 */
struct symbol {
        char c; /* '\0': the end of the name, or a strange character */
        bool strange;
        bool digit; /* it is a digit, or can stand for one */
};

/* A Latin letter with an accent, in UTF-8. Directories ignore the accent; it cannot stand for a digit. */
static bool is_latin_letter(unsigned char lead, unsigned char next) {
        return (lead >= 0xc3 && lead <= 0xca) || (lead == 0xe1 && next >= 0xb8 && next <= 0xbb);
}

/* Reads a symbol and moves *text behind it. Bytes that are not UTF-8 are strange. */
static struct symbol next_symbol(const char **text) {
        const char *p = *text;
        struct symbol symbol = {.c = *p, .digit = is_digit(*p)};

        if (*p == '\0')
                return symbol;
        if (*p < ' ' || *p > '~')
                symbol = (struct symbol){
                        .strange = true, .digit = !is_latin_letter((unsigned char)p[0], (unsigned char)p[1])};
        for (p++; symbol.strange && ((unsigned char)*p & 0xc0U) == 0x80U;)
                p++;
        *text = p;
        return symbol;
}

/* Where in a name a mark may begin: what precedes it. */
enum {
        FRONT_START = 1 << 0, /* nothing, or what no name contains: a domain separator, a space */
        FRONT_AT = 1 << 1,    /* '@': usually a domain follows, and rarely a name */
        FRONT_SIGN = 1 << 2,  /* '_', '.', '-' */
        FRONT_INSIDE = 1 << 3,
        FRONT_ANY = FRONT_START | FRONT_AT | FRONT_SIGN | FRONT_INSIDE,
};

/* What must follow a mark. */
enum back {
        BACK_ANY,
        BACK_NAME, /* the name continues, with something other than a digit */
        BACK_END,  /* the name ends, or its domain begins */
};

/* What a name must contain to resemble a course user's: a text, the digits of the course, another text. */
struct mark {
        const char *before, *after; /* compared without regard to capitals */
        size_t n_after;             /* how many characters of after count */
        unsigned fronts;
        enum back back;
};

/* How far a mark was matched: in the text before, in the digits, in the text after. */
#define PLACES (2U * USER_NAME_SIZE)

static unsigned front_after(const struct symbol *symbol) {
        if (symbol->c == '@')
                return FRONT_AT;
        if (symbol->strange || !is_student_char(symbol->c))
                return FRONT_START;
        return symbol->c == '_' || symbol->c == '.' || symbol->c == '-' ? FRONT_SIGN : FRONT_INSIDE;
}

static bool may_end(enum back back, const char *rest) {
        struct symbol next = next_symbol(&rest);
        bool is_name = next.strange || (next.c && is_student_char(next.c));

        if (back == BACK_NAME)
                return is_name && (next.strange || !next.digit);
        return back == BACK_ANY || next.strange || !is_name;
}

/* A strange symbol can mean no character, one character, or several, like a ligature. */
static void step_strange(const struct mark *mark, bool maybe_digit, bool places[static PLACES]) {
        size_t n_before = strlen(mark->before), digits = n_before + 1;
        bool in_digits = places[digits] || (maybe_digit && places[n_before]), reached = false;

        for (size_t i = 0; i <= n_before; i++) {
                reached = reached || places[i];
                places[i] = reached;
        }
        reached = places[digits];
        places[digits] = in_digits;
        for (size_t i = digits + 1; i <= digits + mark->n_after; i++) {
                reached = reached || places[i];
                places[i] = reached;
        }
}

/* Replaces the places that were reached by those that the symbol leads to. */
static void step(const struct mark *mark, const struct symbol *symbol, bool places[static PLACES]) {
        size_t n_before = strlen(mark->before), digits = n_before + 1;
        char c = lower(symbol->c);

        if (symbol->strange) {
                step_strange(mark, symbol->digit, places);
                return;
        }
        /* From the end, so that places[i - 1] still has its old value. */
        for (size_t i = digits + mark->n_after; i > digits; i--)
                places[i] = places[i - 1] && c == lower(mark->after[i - digits - 1]);
        places[digits] = (places[digits] || places[n_before]) && symbol->digit;
        for (size_t i = n_before; i > 0; i--)
                places[i] = places[i - 1] && c == lower(mark->before[i - 1]);
        places[0] = false;
}

static bool has_mark(const char *user, const struct mark *mark) {
        size_t last = strlen(mark->before) + 1 + mark->n_after;
        unsigned front = FRONT_START;
        bool places[PLACES] = {0};

        while (*user) {
                struct symbol symbol;

                places[0] = places[0] || (mark->fronts & front);
                symbol = next_symbol(&user);
                step(mark, &symbol, places);
                if (places[last] && may_end(mark->back, user))
                        return true;
                front = front_after(&symbol);
        }
        return false;
}

#define MARKS_MAX 2U

/*
 * The marks of a rule: what all names of its course users have in common, in whatever way a directory writes
 * them. A mark is the text before {course}, without a domain, and the digits. The less that text says, the
 * more is required in addition. With cs{course}-{student}, these names resemble a course user's:
 *
 *     cs123-müller, cs123_x, AD\cs123-x    the mark is at the beginning, or follows a domain
 *     x@cs123-lab, AD-cs123-x              the separator may be another, or the domain may have such a name
 *
 * "cs123" alone, or with a domain, does not: it has no student, and may be made of a person's initials.
 *
 * With other rules:
 *
 *     {course}-{student}                   a number alone says too little, so the middle must follow it
 *     class@{course}-{student}             only such a rule, with an '@', has marks after an '@'
 *     {student}-cs{course}                 the mark may be anywhere, because the student comes first
 *     {student}-{course}                   the same, but the name must end there, or its domain begins
 *     cs{course}\{student}                 the course is a domain, so cs123 alone is enough
 */
static size_t list_marks(const struct name_rule *rule, struct mark ret[static MARKS_MAX]) {
        const char *before = text_before_course(rule);
        size_t middle = strlen(rule->middle), tail = strcspn(rule->tail, DOMAIN_SEPARATORS);
        bool telling = has_letter(before);

        if (names_domain(rule->middle))
                ret[0] = (struct mark){before, "", 0, FRONT_START | FRONT_AT, BACK_ANY};
        else if (!rule->course_first && telling)
                ret[0] = (struct mark){before, "", 0, FRONT_ANY, BACK_ANY};
        else if (!rule->course_first)
                ret[0] = (struct mark){before, rule->tail, tail, FRONT_ANY, BACK_END};
        else if (!telling)
                ret[0] = (struct mark){before, rule->middle, middle,
                        FRONT_START | (strchr(rule->head, '@') ? FRONT_AT : 0U), BACK_ANY};
        else {
                ret[0] = (struct mark){before, "", 0, FRONT_START, BACK_NAME};
                ret[1] = (struct mark){before, rule->middle, middle, FRONT_AT | FRONT_SIGN, BACK_ANY};
                return 2;
        }
        return 1;
}

bool name_rule_resembles(const struct name_rule *rule, const char *user) {
        char course[COURSE_SIZE], student[USER_NAME_SIZE];
        struct mark marks[MARKS_MAX];
        size_t n;

        if (split_name(rule, user, course, student) == MATCH)
                return false;
        n = list_marks(rule, marks);
        for (size_t i = 0; i < n; i++)
                if (has_mark(user, &marks[i]))
                        return true;
        return false;
}

/* A text that does not fit is cut. It then matches no name. */
static void copy_lower(char *array, size_t size, const char *text) {
        size_t n = 0;

        for (; n + 1 < size && text[n]; n++)
                array[n] = lower(text[n]);
        array[n] = '\0';
}

static bool differs_in_capitals(const struct name_rule *rule, const char *user) {
        char course[COURSE_SIZE], student[USER_NAME_SIZE], lower_user[USER_NAME_SIZE];
        struct name_rule lower_rule = {.course_first = rule->course_first};

        copy_lower(lower_rule.head, sizeof(lower_rule.head), rule->head);
        copy_lower(lower_rule.middle, sizeof(lower_rule.middle), rule->middle);
        copy_lower(lower_rule.tail, sizeof(lower_rule.tail), rule->tail);
        copy_lower(lower_user, sizeof(lower_user), user);
        return split_name(&lower_rule, lower_user, course, student) == MATCH;
}

_Static_assert(USER_NAME_SIZE == 256 && COURSE_DIGITS_MAX == 6, "the messages below name other limits");

const char *name_rule_reason(const struct name_rule *rule, const char *user) {
        char course[COURSE_SIZE], student[USER_NAME_SIZE];

        switch (split_name(rule, user, course, student)) {
        case MATCH_TOO_LONG:
                return "it is longer than 255 characters";
        case MATCH_COURSE_TOO_LONG:
                return "its course has more than 6 digits";
        case MATCH_NO_STUDENT:
                return "{student} stands for letters, digits, '_', '.' and '-', the last two not first, and "
                       "a domain belongs where the rule has it";
        case MATCH:
        case MATCH_NO_LITERALS:
        case MATCH_NO_COURSE:
        default:
                return differs_in_capitals(rule, user) ? "it differs in capitals only"
                                                       : "it is written in another way";
        }
}

void name_rule_without_domain(const struct name_rule *rule, struct name_rule *ret) {
        struct name_rule bare = *rule;

        memmove(bare.head, skip_domain(bare.head), strlen(skip_domain(bare.head)) + 1);
        bare.tail[strcspn(bare.tail, DOMAIN_SEPARATORS)] = '\0';
        *ret = bare;
}

void name_rule_text(const struct name_rule *rule, char ret_text[static NAME_RULE_TEXT_SIZE]) {
        (void)snprintf(ret_text, NAME_RULE_TEXT_SIZE, "%s%s%s%s%s", rule->head,
                rule->course_first ? WORD_COURSE : WORD_STUDENT, rule->middle,
                rule->course_first ? WORD_STUDENT : WORD_COURSE, rule->tail);
}

int name_rule_format(const struct name_rule *rule, const char *course, const char *student,
        char ret_user[static USER_NAME_SIZE]) {
        char user[USER_NAME_SIZE];
        int n;

        n = snprintf(user, sizeof(user), "%s%s%s%s%s", rule->head, rule->course_first ? course : student,
                rule->middle, rule->course_first ? student : course, rule->tail);
        if (n < 0 || (size_t)n >= sizeof(user))
                return -ENAMETOOLONG;
        memcpy(ret_user, user, (size_t)n + 1);
        return 0;
}
