/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An exam in the store: what is written is read, and everything else is refused. */

#include "tests/unit/fixture.h"

#include "claim-value.h"
#include "exam-value.h"

#define NOW UINT64_C(5000)

static struct exam_state make(void) {
        struct exam_state made = {.course = "123", .changed_usec = 1000000007, .on = true, .stopped = 7000};

        made.exam = (struct exam){.course = "123", .since = 1000, .until = 6000, .by = "alice (uid 1000)"};
        assert_int_equal(exam_allow_list_parse("192.0.2.10:443/tcp, name:www.example.org", &made.exam), 0);
        made.exam.staff[made.exam.n_staff++] = 1001;
        (void)string_copy(made.stopped_by, sizeof(made.stopped_by), "bob");
        return made;
}

static int parse(const char *text, struct exam_state *ret) {
        char host[HOST_MEMBER_NAME_SIZE];

        return exam_value_parse(text, "123", NOW, ret, host);
}

static void test_written_is_read(void **state) {
        struct exam_state made = make(), found;
        char *text = exam_value_format(&made, "hosta"), host[HOST_MEMBER_NAME_SIZE];
        bool same;

        (void)state;
        assert_int_equal(exam_value_parse(text, "123", NOW, &found, host), 0);
        assert_string_equal(host, "hosta");
        assert_int_equal(exam_state_compare(&made, &found, &same), 0);
        assert_true(same);
        assert_int_equal(found.changed_usec, made.changed_usec);
        assert_string_equal(found.stopped_by, "bob");
        assert_string_equal(found.exam.course, "123");
        /* Each counts until its end. */
        assert_int_equal(exam_value_parse(text, "123", 6000, &found, host), 0);
        assert_true(!found.on && found.stopped == 7000);
        assert_int_equal(exam_value_parse(text, "123", 7000, &found, host), 0);
        assert_int_equal(found.stopped, 0);
        free(text);
}

static void test_an_end(void **state) {
        struct exam_state made = {.course = "123", .changed_usec = 7}, found;
        char *text = exam_value_format(&made, "hosta");

        (void)state;
        assert_string_equal(text, "{\"changed\":7,\"host\":\"hosta\",\"exam\":null,\"stopped\":null}");
        assert_int_equal(parse(text, &found), 0);
        assert_true(!found.on && !found.broken && found.changed_usec == 7);
        free(text);
}

#define VALUE(exam, stopped)                                                                                 \
        "{\"changed\":1000000007,\"host\":\"hosta\",\"exam\":" exam ",\"stopped\":" stopped "}"
#define GOOD "\"[exam]\\nsince = 1000\\n\""

static void test_others_are_refused(void **state) {
        static const char *const wrong[] = {
                "",
                "[]",
                "null",
                "{}",
                "{\"changed\":7,\"host\":\"hosta\",\"exam\":null}",
                "{\"changed\":0,\"host\":\"hosta\",\"exam\":null,\"stopped\":null}",
                "{\"changed\":-7,\"host\":\"hosta\",\"exam\":null,\"stopped\":null}",
                "{\"changed\":\"7\",\"host\":\"hosta\",\"exam\":null,\"stopped\":null}",
                "{\"changed\":7,\"host\":\"hosta\",\"exam\":null,\"stopped\":null}x",
                "{\"changed\":7,\"host\":\"hosta\",\"exam\":null,\"stopped\":null",
                "{\"changed\":7,\"host\":\"../a\",\"exam\":null,\"stopped\":null}",
                "{\"changed\":7,\"exam\":null,\"stopped\":null}",
                /* It began before that was said. */
                "{\"changed\":999999999,\"host\":\"hosta\",\"exam\":" GOOD ",\"stopped\":null}",
                VALUE("true", "null"),
                VALUE("\"\"", "null"),
                VALUE("\"[exam]\\nsince = 1000\\nallow = everything\\n\"", "null"),
                VALUE("\"[exam]\\nsince = 1000\\nrun = sh\\n\"", "null"),
                VALUE("\"[exam]\\ntime = 1 2\\nsince = 1000\\n\"", "null"),
                VALUE("\"[exam]\\nby = a\\u001b[31m\\nsince = 1000\\n\"", "null"),
                VALUE("\"[exam]\\nsince = 1000\\n\\u0000more\"", "null"),
                VALUE(GOOD, GOOD),
                VALUE(GOOD, "7"),
        };
        struct exam_state found = {.changed_usec = 1};

        (void)state;
        assert_int_equal(parse(VALUE(GOOD, "null"), &found), 0);
        found.changed_usec = 1;
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                if (parse(wrong[i], &found) != -EBADMSG)
                        fail_msg("'%s' is accepted", wrong[i]);
                assert_int_equal(found.changed_usec, 1);
        }
}

static void test_keys(void **state) {
        (void)state;
        assert_string_equal(exam_key_course(STORE_EXAMS "123"), "123");
        assert_null(exam_key_course(STORE_EXAMS ""));
        assert_null(exam_key_course(STORE_EXAMS "12a"));
        assert_null(exam_key_course(STORE_EXAMS "../123"));
        assert_null(exam_key_course(STORE_EXAMS "1234567890"));
        assert_null(exam_key_course(STORE_DRAIN "123"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_written_is_read),
                cmocka_unit_test(test_an_end),
                cmocka_unit_test(test_others_are_refused),
                cmocka_unit_test(test_keys),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
