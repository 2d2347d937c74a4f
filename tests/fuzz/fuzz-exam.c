/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The file of an exam, which staff may also send. The input is its text. */

#include "exam.h"
#include "fuzz.h"

static void parse(const char *text, struct exam *ret, size_t *ret_errors) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        *ret = (struct exam){.course = "123"};
        exam_parse(text, "exam/123", ret, &diagnostics);
        *ret_errors = diagnostics.n_errors;
        CHECK(ret->broken == (diagnostics.n_errors > 0));
        CHECK(string_equal(ret->course, "123"));
}

/* What the firewall gets is an address as the kernel writes it, and nothing else. */
static void check_allow(const struct exam_allow *allow) {
        char text[EXAM_ALLOW_TEXT_SIZE];
        struct exam_allow again;

        CHECK(strspn(allow->address, "0123456789abcdef.:") == strlen(allow->address));
        CHECK((allow->port == 0) == (!allow->tcp && !allow->udp));
        exam_allow_format(allow, text);
        CHECK(exam_allow_parse(text, &again) == 0);
        CHECK(string_equal(again.address, allow->address) && again.six == allow->six);
        CHECK(again.port == allow->port && again.tcp == allow->tcp && again.udp == allow->udp);
}

static void check_name(const char *name) {
        CHECK(exam_name_valid(name));
        for (size_t i = 0; name[i]; i++)
                CHECK(!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ \n", name[i]));
}

static void check_times(const struct exam *exam) {
        CHECK(exam->n_times <= EXAM_TIMES_MAX);
        for (size_t i = 0; i < exam->n_times; i++) {
                CHECK(exam->times[i].from < exam->times[i].until);
                CHECK(i == 0 || exam->times[i - 1].until < exam->times[i].from);
        }
}

/* A mistake is an exam as closed as can be. */
static void check_broken(const struct exam *exam) {
        CHECK(exam->n_allow == 0 && exam->n_names == 0 && exam->n_staff == 0 && exam->n_times == 0);
        CHECK(exam->since == 0 && exam->until == 0 && exam->by[0] == '\0');
}

/* What is written is read as it was. */
static void check_written(const struct exam *exam) {
        _cleanup_free_ char *text = exam_format(exam), *same = NULL;
        struct exam again;
        size_t n_errors;

        CHECK(text);
        parse(text, &again, &n_errors);
        CHECK(n_errors == 0);
        same = exam_format(&again);
        CHECK(same && string_equal(same, text));
        CHECK(again.since == exam->since && again.until == exam->until && string_equal(again.by, exam->by));
        CHECK(again.n_allow == exam->n_allow && again.n_names == exam->n_names);
        CHECK(again.n_staff == exam->n_staff && again.n_times == exam->n_times);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = fuzz_text(data, size);
        struct exam exam;
        size_t n_errors;

        if (!text)
                return 0;
        parse(text, &exam, &n_errors);
        CHECK(exam.n_allow <= EXAM_ALLOW_MAX && exam.n_names <= EXAM_NAMES_MAX);
        CHECK(exam.n_staff <= EXAM_STAFF_MAX);
        check_times(&exam);
        for (size_t i = 0; i < exam.n_allow; i++)
                check_allow(&exam.allow[i]);
        for (size_t i = 0; i < exam.n_names; i++)
                check_name(exam.names[i]);
        if (exam.broken)
                check_broken(&exam);
        else
                check_written(&exam);
        return 0;
}
