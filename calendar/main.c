/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * coursenet-calendar FROM UNTIL: reads a timetable from standard input and prints "class START END NAME" for
 * each class in that time, or, last, "mistake LINE TEXT". Times are seconds since 1970. coursenetctl runs it:
 * a timetable that breaks it, or takes too long, ends this process and nothing else.
 */

#include "sandbox.h"
#include "timetable.h"

/* Enough to recognize a class. */
#define NAME_LENGTH_MAX 100

static void print_class(void *userdata, time_t start, time_t end, const char *summary) {
        int length = (int)strnlen(summary, NAME_LENGTH_MAX);

        (void)userdata;
        /* Not a part of a character of UTF-8. */
        while (length > 0 && ((unsigned char)summary[length] & 0xc0) == 0x80)
                length--;
        (void)printf("class %lld %lld ", (long long)start, (long long)end);
        /* A name may have several lines. */
        for (int i = 0; i < length; i++)
                (void)putchar(summary[i] == '\n' ? ' ' : summary[i]);
        (void)putchar('\n');
}

static int enter_sandbox(void) {
        int r;

        /* The file is found by the environment, and read once. */
        tzset();
        r = sandbox_limit();
/* AddressSanitizer looks for leaks with calls of its own, and counts of lines are written to files. */
#if !defined(SANITIZED) && !defined(COUNTED)
        if (r >= 0)
                r = sandbox_close();
#endif
        if (r < 0)
                (void)fprintf(stderr, "coursenet-calendar: the sandbox cannot be made: %s\n", strerror(-r));
        return r;
}

/* The caller has checked its size, and that it has no NUL. */
static char *read_input(void) {
        char *text = NULL;
        size_t size = 0;

        if (getdelim(&text, &size, '\0', stdin) >= 0)
                return text;
        free(text);
        return feof(stdin) ? strdup("") : NULL;
}

static const char usage[] = "usage: coursenet-calendar FROM UNTIL <TIMETABLE\n"
                            "       FROM and UNTIL are seconds since 1970\n";

static bool is_help(const char *word) {
        return string_equal(word, "-h") || string_equal(word, "--help") || string_equal(word, "help");
}

int main(int argc, char **argv) {
        _cleanup_free_ char *text = NULL;
        struct mistake mistake = {0};
        int r;

        if (argc == 2 && is_help(argv[1])) {
                (void)fputs(usage, stdout);
                return 0;
        }
        if (argc != 3) {
                (void)fputs(usage, stderr);
                return 2;
        }
        if (enter_sandbox() < 0)
                return 1;
        text = read_input();
        r = text ? timetable_read(text, (time_t)strtoll(argv[1], NULL, 10),
                           (time_t)strtoll(argv[2], NULL, 10), print_class, NULL, &mistake)
                 : -ENOMEM;
        if (r == -EINVAL)
                (void)printf("mistake %u %s\n", mistake.line, mistake.text);
        return (r < 0 && r != -EINVAL) || fflush(stdout) != 0 ? 1 : 0;
}
