/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Findings as people read them: no control character reaches a terminal, and other text stays. */

#include "fixture.h"

static void test_control_characters_are_replaced(void **state) {
        static const char *const rows[][2] = {
                {"plain", "plain"},
                {"\x1b[31mred", "?[31mred"},
                {"a\tb\rc\x7f", "a?b?c?"},
                {"ü – €", "ü – €"},
                /* U+009B begins a sequence as ESC [ does; U+00A0 is not a control character. */
                {"\xc2\x9b"
                 "31m",
                        "??31m"},
                {"\xc2\xa0", "\xc2\xa0"},
                {"\xc2", "\xc2"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char text[32];

                assert_int_equal(string_copy(text, sizeof(text), rows[i][0]), 0);
                string_make_printable(text);
                assert_string_equal(text, rows[i][1]);
        }
}

static void test_findings_are_printed_a_line_each(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *stream;

        (void)state;
        diagnostics_error(&diagnostics, "roster", 3, "'%s' is wrong", "\x1b]0;x\a");
        diagnostics_warning(&diagnostics, "settings", 0, "two\nlines");
        diagnostics_advise(&diagnostics, "delete %u", 1U);
        stream = open_memstream(&text, &size);
        assert_non_null(stream);
        diagnostics_print(stream, &diagnostics);
        assert_int_equal(fclose(stream), 0);
        assert_string_equal(text, "roster:3: '?]0;x?' is wrong\nsettings: warning: two?lines: delete 1\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_control_characters_are_replaced),
                cmocka_unit_test(test_findings_are_printed_a_line_each),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
