/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finds out which encoding a class list has. Called by `roster import` only. */

#include <iconv.h>
#include <stdint.h>

#include "class-text.h"
#include "util.h"

#define MARK_UTF8 "\xef\xbb\xbf"
#define MARK_UTF16LE "\xff\xfe"
#define MARK_UTF16BE "\xfe\xff"

/* A byte of Windows-1252, or two bytes of UTF-16, become at most three bytes of UTF-8. */
#define GROWTH_MAX 3U

static bool begins_with(const char *bytes, size_t size, const char *start) {
        size_t length = strlen(start);

        return size >= length && memcmp(bytes, start, length) == 0;
}

/* Files that are not text, although spreadsheet programs open them. NULL: none of these. */
static const char *find_foreign_format(const char *bytes, size_t size) {
        if (begins_with(bytes, size, "PK\x03\x04") || begins_with(bytes, size, "\xd0\xcf\x11\xe0"))
                return "is a workbook of a spreadsheet program: save the sheet as CSV, and import that";
        if (begins_with(bytes, size, "%PDF-"))
                return "is a PDF: save the list as text or CSV, and import that";
        return NULL;
}

/* -EILSEQ: the bytes are not in that encoding. -EOPNOTSUPP: libc's module for it is not installed. */
static int convert(const char *encoding, const char *bytes, size_t size, char **ret_text) {
        size_t room = GROWTH_MAX * size;
        char *text = malloc(room + 1), *in = (char *)(uintptr_t)bytes, *out = text;
        iconv_t iconv_state;
        size_t n;
        int r;

        if (!text)
                return -ENOMEM;
        iconv_state = iconv_open("UTF-8", encoding);
        if (iconv_state == (iconv_t)-1) {
                r = errno == EINVAL ? -EOPNOTSUPP : -errno;
                free(text);
                return r;
        }
        n = iconv(iconv_state, &in, &size, &out, &room);
        (void)iconv_close(iconv_state);
        if (n == (size_t)-1) {
                free(text);
                return -EILSEQ;
        }
        *out = '\0';
        /* A NUL would end the text early, and the rest of the class would be lost. */
        if (memchr(text, '\0', (size_t)(out - text))) {
                free(text);
                return -EINVAL;
        }
        *ret_text = text;
        return 0;
}

static int convert_any(const char *bytes, size_t size, char **ret_text) {
        int r;

        if (begins_with(bytes, size, MARK_UTF16LE))
                return convert("UTF-16LE", bytes + 2, size - 2, ret_text);
        if (begins_with(bytes, size, MARK_UTF16BE))
                return convert("UTF-16BE", bytes + 2, size - 2, ret_text);
        if (begins_with(bytes, size, MARK_UTF8)) {
                bytes += strlen(MARK_UTF8);
                size -= strlen(MARK_UTF8);
        }
        r = convert("UTF-8", bytes, size, ret_text);
        return r == -EILSEQ ? convert("WINDOWS-1252", bytes, size, ret_text) : r;
}

/* "\r\n", and the lone "\r" of old Macs, become "\n". */
static void normalize_newlines(char *text) {
        char *out = text;

        for (const char *in = text; *in; in++) {
                if (*in == '\r' && in[1] == '\n')
                        continue;
                *out++ = *in == '\r' ? '\n' : *in;
        }
        *out = '\0';
}

static const char *describe(int error) {
        switch (error) {
        case -EILSEQ:
                return "has an unknown text encoding: save it as UTF-8";
        case -EINVAL:
                return "holds NUL bytes: save it as UTF-8 text or as CSV";
        case -EOPNOTSUPP:
                return "is not UTF-8, and this host has no iconv module for anything else: save it as UTF-8";
        default:
                return strerrordesc_np(-error);
        }
}

int class_text_decode(const char *bytes, size_t size, char **ret_text, const char **ret_reason) {
        const char *foreign = find_foreign_format(bytes, size);
        _cleanup_free_ char *text = NULL;
        int r;

        if (foreign) {
                *ret_reason = foreign;
                return -EINVAL;
        }
        r = convert_any(bytes, size, &text);
        if (r < 0) {
                *ret_reason = describe(r);
                return r == -ENOMEM ? r : -EINVAL;
        }
        /* PeopleSoft's download is HTML with the name ps.xls. */
        if (text[strspn(text, " \t\r\n")] == '<') {
                *ret_reason = "is a web page, whatever its name says: open it in a spreadsheet program, save "
                              "the sheet as CSV, and import that";
                return -EINVAL;
        }

        normalize_newlines(text);
        *ret_text = text;
        text = NULL;
        return 0;
}
