/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Both texts are listings by the same nft, so equal rules are equal texts. A table is split into its chains,
 * sets and maps. Of a part that differs, one missing line and one unexpected line are reported.
 */

#include <net/if.h>

#include "table-compare.h"

#define REPAIR "systemctl restart coursenet-network.service restores it"

/* How many parts of a table are reported one by one. */
#define PARTS_SHOWN 5U

struct part {
        const char *name; /* "chain input"; borrowed from the text, like the lines */
        char **lines;
        size_t n_lines;
        bool in_elements; /* while it is read */
};

/* The empty value is all zero. */
struct table {
        char *text;
        struct part *parts;
        size_t n_parts;
};

static void table_done(struct table *table) {
        for (size_t i = 0; i < table->n_parts; i++)
                free(table->parts[i].lines);
        free(table->parts);
        free(table->text);
        *table = (struct table){0};
}

#define _cleanup_table_ _cleanup_(table_done)

static bool ends_with(const char *text, const char *tail) {
        size_t length = strlen(text), n = strlen(tail);

        return length >= n && string_equal(text + length - n, tail);
}

static struct part *add_part(struct table *table, char *line) {
        struct part *parts;

        line[strlen(line) - strlen(" {")] = '\0';
        parts = reallocarray(table->parts, table->n_parts + 1, sizeof(*parts));
        if (!parts)
                return NULL;
        table->parts = parts;
        parts[table->n_parts] = (struct part){.name = line};
        return &parts[table->n_parts++];
}

static int add_line(struct part *part, char *line) {
        char **lines;

        lines = reallocarray(part->lines, part->n_lines + 1, sizeof(*lines));
        if (!lines)
                return -ENOMEM;
        part->lines = lines;
        lines[part->n_lines++] = line;
        return 0;
}

/* Each element counts as a line, because nft breaks lines by the number of elements. */
static int add_elements(struct part *part, char *line) {
        size_t length;
        int r = 0;

        if (ends_with(line, " }")) {
                line[strlen(line) - strlen(" }")] = '\0';
                part->in_elements = false;
        }
        length = strlen(line);
        if (length > 0 && line[length - 1] == ',')
                line[length - 1] = '\0';

        for (char *element; r >= 0 && (element = strsep(&line, ","));)
                r = add_line(part, element + strspn(element, " "));
        return r;
}

static int add_text(struct part *part, char *line) {
        static const char opening[] = "elements = { ";

        if (part->in_elements)
                return add_elements(part, line);
        if (!string_starts_with(line, opening))
                return add_line(part, line);
        part->in_elements = true;
        return add_elements(part, line + strlen(opening));
}

static int compare_parts(const void *a, const void *b) {
        return strcmp(((const struct part *)a)->name, ((const struct part *)b)->name);
}

/* A part is indented by one tab, and its contents by more. */
static int table_parse(const char *text, struct table *ret) {
        _cleanup_table_ struct table table = {.text = strdup(text)};
        struct part *part = NULL;
        char *rest = table.text;

        if (!rest)
                return -ENOMEM;
        for (char *line; (line = strsep(&rest, "\n"));) {
                size_t depth = strspn(line, "\t");

                line += depth;
                if (depth == 1 && ends_with(line, " {")) {
                        part = add_part(&table, line);
                        if (!part)
                                return -ENOMEM;
                } else if (depth < 2)
                        part = NULL;
                else if (part && add_text(part, line) < 0)
                        return -ENOMEM;
        }
        if (table.n_parts > 0)
                qsort(table.parts, table.n_parts, sizeof(*table.parts), compare_parts);

        *ret = table;
        table = (struct table){0};
        return 0;
}

static const struct part *find_part(const struct table *table, const char *name) {
        struct part wanted = {.name = name};

        return table->n_parts == 0
                       ? NULL
                       : bsearch(&wanted, table->parts, table->n_parts, sizeof(wanted), compare_parts);
}

static size_t count_line(const struct part *part, const char *line) {
        size_t n = 0;

        for (size_t i = 0; i < part->n_lines; i++)
                n += string_equal(part->lines[i], line);
        return n;
}

/* The first line that part has more often than other; NULL: none. */
static const char *find_surplus(const struct part *part, const struct part *other) {
        for (size_t i = 0; i < part->n_lines; i++)
                if (count_line(part, part->lines[i]) > count_line(other, part->lines[i]))
                        return part->lines[i];
        return NULL;
}

static bool part_equal(const struct part *a, const struct part *b) {
        if (a->n_lines != b->n_lines)
                return false;
        for (size_t i = 0; i < a->n_lines; i++)
                if (!string_equal(a->lines[i], b->lines[i]))
                        return false;
        return true;
}

/* The sentence about a part that differs. */
static void describe(const struct part *planned, const struct part *actual, char *text, size_t size) {
        const char *missing = find_surplus(planned, actual), *extra = find_surplus(actual, planned);

        if (missing && extra)
                (void)snprintf(text, size, "it lacks '%s' and has '%s' instead", missing, extra);
        else if (missing)
                (void)snprintf(text, size, "it lacks '%s'", missing);
        else if (extra)
                (void)snprintf(text, size, "it has an extra '%s'", extra);
        else
                (void)snprintf(text, size, "its lines have another order");
}

/* --- telling ---------------------------------------------------------------------------------- */

struct comparison {
        const char *table;
        size_t n_different;
        struct diagnostics *diagnostics;
};

/* "vl-12310" of "chain vl-12310"; NULL: it is another part of the table. */
static const char *seat_link(const char *name) {
        static const char opening[] = "chain ";

        return string_starts_with(name, "chain vl-") ? name + strlen(opening) : NULL;
}

/* Here and below: either part may be NULL, but not both. */
static void tell_part(struct comparison *comparison, const struct part *planned, const struct part *actual) {
        const char *name = planned ? planned->name : actual->name;
        char text[512];

        if (!actual) {
                diagnostics_error(comparison->diagnostics, comparison->table, 0, "%s is missing", name);
                diagnostics_advise(comparison->diagnostics, REPAIR);
        } else if (!planned) {
                diagnostics_error(
                        comparison->diagnostics, comparison->table, 0, "%s was not made by coursenet", name);
                diagnostics_advise(comparison->diagnostics, REPAIR);
        } else {
                describe(planned, actual, text, sizeof(text));
                diagnostics_error(comparison->diagnostics, comparison->table, 0, "%s is not as planned: %s",
                        name, text);
                diagnostics_advise(comparison->diagnostics, REPAIR);
        }
}

static void tell_seat(struct comparison *comparison, const char *link, const struct part *planned,
        const struct part *actual) {
        char text[512];

        if (!actual) {
                diagnostics_error(comparison->diagnostics, link, 0,
                        "nothing checks what the seat sends (chain %s in its table is missing)", link);
                diagnostics_advise(comparison->diagnostics, REPAIR);
        } else if (!planned) {
                diagnostics_warning(
                        comparison->diagnostics, link, 0, "has a filter, but there is no such seat's link");
                diagnostics_advise(comparison->diagnostics, REPAIR);
        } else {
                describe(planned, actual, text, sizeof(text));
                diagnostics_error(comparison->diagnostics, link, 0,
                        "the filter for what the seat sends is not as planned: %s", text);
                diagnostics_advise(comparison->diagnostics, REPAIR);
        }
}

static void tell(struct comparison *comparison, const struct part *planned, const struct part *actual) {
        const char *link = seat_link(planned ? planned->name : actual->name);

        /* If a link exists and its plan cannot be computed, its filter is not compared. */
        if (link && !planned && if_nametoindex(link) != 0)
                return;
        if (++comparison->n_different > PARTS_SHOWN)
                return;
        if (link)
                tell_seat(comparison, link, planned, actual);
        else
                tell_part(comparison, planned, actual);
}

static void compare(struct comparison *comparison, const struct table *planned, const struct table *actual) {
        for (size_t i = 0; i < planned->n_parts; i++) {
                const struct part *part = &planned->parts[i], *other = find_part(actual, part->name);

                if (!other || !part_equal(part, other))
                        tell(comparison, part, other);
        }
        for (size_t i = 0; i < actual->n_parts; i++)
                if (!find_part(planned, actual->parts[i].name))
                        tell(comparison, NULL, &actual->parts[i]);
}

static void compare_texts(struct comparison *comparison, const char *planned, const char *actual) {
        _cleanup_table_ struct table one = {0}, other = {0};

        if (table_parse(planned ? planned : "", &one) < 0 || table_parse(actual ? actual : "", &other) < 0) {
                diagnostics_error(
                        comparison->diagnostics, comparison->table, 0, "cannot be compared: out of memory");
                return;
        }
        compare(comparison, &one, &other);
        if (comparison->n_different > PARTS_SHOWN)
                diagnostics_error(comparison->diagnostics, comparison->table, 0,
                        "%zu more are not as planned", comparison->n_different - PARTS_SHOWN);
}

size_t table_compare(
        const char *table, const char *planned, const char *actual, struct diagnostics *diagnostics) {
        struct comparison comparison = {.table = table, .diagnostics = diagnostics};

        if (!planned && !actual)
                return 0;
        if (planned && actual) {
                compare_texts(&comparison, planned, actual);
                return comparison.n_different;
        }
        if (planned) {
                diagnostics_error(
                        diagnostics, table, 0, "there is no such table, so its rules are not in force");
                diagnostics_advise(diagnostics, REPAIR);
        } else {
                diagnostics_error(diagnostics, table, 0, "this table is not needed");
                diagnostics_advise(diagnostics, "systemctl restart coursenet-network.service removes it");
        }
        return 1;
}
