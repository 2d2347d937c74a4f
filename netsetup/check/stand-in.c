/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Replaces the names of links in rules and in listings. */

#include "stand-in.h"

/* Of each table. The more chains a link has, the longer it takes to add one. */
#define SEATS_PER_LINK 32U

/* What stands before the name, in the commands and in what nft lists. */
#define DEVICE "device \""

unsigned stand_in_count(size_t n_seats) {
        return (unsigned)((n_seats + SEATS_PER_LINK - 1) / SEATS_PER_LINK);
}

void stand_in_name(unsigned i, char ret_name[static IFNAMSIZ]) {
        (void)snprintf(ret_name, IFNAMSIZ, "stand%u", i);
}

/* Writes the text, with another name instead of the first device in it. */
static void put_with_device(FILE *stream, const char *text, const char *name) {
        const char *device = strstr(text, DEVICE), *end;

        if (!device) {
                (void)fputs(text, stream);
                return;
        }
        device += strlen(DEVICE);
        end = device + strcspn(device, "\"");
        (void)fprintf(stream, "%.*s%s%s", (int)(device - text), text, name, end);
}

/* NULL: out of memory. */
static char *finish(FILE *stream, char **text) {
        bool failed = ferror(stream) != 0;
        char *r;

        if (fclose(stream) != 0 || failed)
                return NULL;
        r = *text;
        *text = NULL;
        return r;
}

char *stand_in_format(char *const *seats, size_t n_seats) {
        _cleanup_free_ char *text = NULL;
        FILE *stream;
        size_t size;

        stream = open_memstream(&text, &size);
        if (!stream)
                return NULL;
        for (size_t i = 0; i < n_seats; i++) {
                char name[IFNAMSIZ];

                stand_in_name((unsigned)(i / SEATS_PER_LINK), name);
                put_with_device(stream, seats[i], name);
        }
        return finish(stream, &text);
}

char *stand_in_restore(const char *listing) {
        static const char opening[] = "\tchain ";
        _cleanup_free_ char *text = NULL, *copy = strdup(listing);
        char link[IFNAMSIZ] = "", *rest = copy;
        FILE *stream;
        size_t size;

        stream = copy ? open_memstream(&text, &size) : NULL;
        if (!stream)
                return NULL;
        for (char *line; (line = strsep(&rest, "\n"));) {
                if (string_starts_with(line, opening))
                        (void)snprintf(link, sizeof(link), "%.*s", (int)strcspn(line + strlen(opening), " "),
                                line + strlen(opening));
                put_with_device(stream, line, link);
                if (rest)
                        (void)fputc('\n', stream);
        }
        return finish(stream, &text);
}
