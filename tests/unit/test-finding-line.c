/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Findings that one program writes and another parses stay unchanged. */

#include "fixture.h"

#include "finding-line.h"

static void test_there_and_back(void **state) {
        static const char *const texts[] = {"plain", "", "tab\there", "two\nlines\n", "back\\slash",
                "\\t is no tab", "\\", "%s %n", "ü – €"};
        _cleanup_diagnostics_ struct diagnostics before = {0}, after = {0};
        _cleanup_free_ char *text = NULL, *line = NULL;
        _cleanup_fclose_ FILE *stream = NULL;
        size_t size = 0, line_size = 0;

        (void)state;
        for (unsigned i = 0; i < ELEMENTSOF(texts); i++) {
                diagnostics_error(&before, texts[i], i, "%s", texts[ELEMENTSOF(texts) - 1 - i]);
                diagnostics_warning(&before, texts[i], 4294967295U - i, "%s", texts[i]);
                if (texts[i][0])
                        diagnostics_advise(&before, "%s", texts[i]);
        }
        stream = open_memstream(&text, &size);
        assert_non_null(stream);
        assert_int_equal(finding_lines_write(stream, &before), 0);
        fclose_pointer(&stream);

        stream = fmemopen(text, size, "r");
        assert_non_null(stream);
        while (getline(&line, &line_size, stream) > 0)
                assert_int_equal(finding_line_read(line, &after), 0);

        assert_int_equal(after.n_items, before.n_items);
        assert_int_equal(after.n_errors, before.n_errors);
        for (size_t i = 0; i < before.n_items; i++) {
                assert_int_equal(after.items[i].level, before.items[i].level);
                assert_int_equal(after.items[i].line, before.items[i].line);
                assert_string_equal(after.items[i].path, before.items[i].path);
                assert_string_equal(after.items[i].text, before.items[i].text);
                assert_int_equal(!after.items[i].remedy, !before.items[i].remedy);
                if (before.items[i].remedy)
                        assert_string_equal(after.items[i].remedy, before.items[i].remedy);
        }
}

static void test_what_is_no_finding(void **state) {
        static const char *const rows[] = {
                "",
                "\n",
                "error",
                "error\tbr-123\t0",
                "br-123: is down",
                "notice\tbr-123\t0\ttext",
                "error\tbr-123\t\ttext\t",
                "error\tbr-123\t-1\ttext\t",
                "error\tbr-123\t4294967296\ttext\t",
                "error\tbr-123\t99999999999999999999999\ttext\t",
                "error\tbr-123\tx\ttext\t",
                "error\tbr-123\t0\ttext",
                "error\tbr-123\t0\ttext\tremedy\tmore",
                "error\tbr-123\t0\ttext\\\t",
                "error\tbr-123\\x\t0\ttext\t",
                "error\tbr-123\t0\ttext\tremedy\\x",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                char line[64];

                assert_int_equal(string_copy(line, sizeof(line), rows[i]), 0);
                assert_int_equal(finding_line_read(line, &diagnostics), -EINVAL);
                assert_clean(&diagnostics);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_there_and_back),
                cmocka_unit_test(test_what_is_no_finding),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
