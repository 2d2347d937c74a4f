/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Timetables, before libical reads them as a whole. The input is the file. */

#include "calendar/reduced-text.h"
#include "fuzz.h"

static unsigned count_lines(const char *text) {
        unsigned n = 1;

        for (; *text; text++)
                n += *text == '\n';
        return n;
}

/* What is left is a timetable again, of which everything is left. */
static void check_reduced(const char *text) {
        _cleanup_free_ char *again = NULL;
        struct mistake mistake;

        CHECK(reduced_text_make(text, &again, &mistake) == 0);
        CHECK(count_lines(again) == count_lines(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = malloc(size + 1), *reduced = NULL;
        struct mistake mistake = {0};
        int r;

        CHECK(text);
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        r = reduced_text_make(text, &reduced, &mistake);
        CHECK(r == 0 || r == -EINVAL);
        if (r == 0)
                check_reduced(reduced);
        else
                CHECK(mistake.text[0] && mistake.line <= count_lines(text));
        return 0;
}
