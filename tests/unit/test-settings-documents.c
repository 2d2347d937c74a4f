/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * conf/coursenet.conf and man/coursenet.conf.5 have every setting of the table, in the sections that allow it
 * and with its default, and no other. Run from the source's folder.
 */

#include "fixture.h"

#include "settings-table.h"

#define CONF "conf/coursenet.conf"
#define MANUAL "man/coursenet.conf.5"

/* A setting as a document shows it. */
struct entry {
        char name[32];
        unsigned section;
        char text[8192]; /* conf: the value; manual: what it says of the setting */
};

struct document {
        const char *path;
        struct entry entries[2 * SETTINGS_MAX];
        size_t n;
        bool (*shows_default)(const char *text, const char *value);
        bool quiet;
};

static void add_entry(struct document *document, unsigned section, const char *name, size_t length) {
        struct entry *entry = &document->entries[document->n++];

        assert_true(document->n <= ELEMENTSOF(document->entries));
        assert_true(length < sizeof(entry->name));
        memcpy(entry->name, name, length);
        entry->name[length] = '\0';
        entry->section = section;
        entry->text[0] = '\0';
}

static void append_text(struct entry *entry, const char *text) {
        size_t length = strlen(entry->text);

        assert_true((size_t)snprintf(entry->text + length, sizeof(entry->text) - length, "%s", text) <
                    sizeof(entry->text) - length);
}

/* --- conf/coursenet.conf --- */

/* A setting has a line of its own, commented out without a blank: "#NAME = VALUE". */
static void read_conf(char *text, struct document *ret) {
        unsigned section = 0;

        for (char *line; (line = strsep(&text, "\n"));) {
                const char *equals;

                line += line[0] == '#';
                if (string_equal(line, "[site]"))
                        section = SECTION_SITE;
                else if (string_equal(line, "[hosts]"))
                        section = SECTION_HOSTS;
                else if (string_starts_with(line, "[course "))
                        section = SECTION_COURSE;
                equals = strstr(line, " = ");
                if (!equals || line[0] == ' ')
                        continue;
                add_entry(ret, section, line, (size_t)(equals - line));
                append_text(&ret->entries[ret->n - 1], equals + strlen(" = "));
        }
}

static bool conf_shows(const char *text, const char *value) {
        return string_equal(text, value);
}

/* --- man/coursenet.conf.5 --- */

/*
 * The names in ".It Cm NAME No = ...", ".It Cm NAME , NAME ..." and ".It Cm NAME No = ... , Cm NAME No =
 * ...": a word that follows ".It Cm", a comma, or a comma and "Cm".
 */
static void read_item(char *line, unsigned section, struct document *ret) {
        const char *before = "", *last = "";

        for (char *word; (word = strsep(&line, " "));) {
                bool first = string_equal(before, ".It") || string_equal(before, ",");

                if (((string_equal(last, "Cm") && first) || string_equal(last, ",")) &&
                        !string_equal(word, "Cm") && !string_equal(word, "@"))
                        add_entry(ret, section, word, strlen(word));
                before = last;
                last = word;
        }
}

/* Takes a line as it is read: without its macro, and without the blank before a comma or a full stop. */
static void read_prose(const char *line, struct entry *entry) {
        const char *separator = entry->text[0] ? " " : "";

        if (line[0] == '.')
                line += strcspn(line, " ") + (strchr(line, ' ') != NULL);
        append_text(entry, separator);
        for (; *line; line++) {
                char character[] = {line[0], '\0'};

                if (line[0] != ' ' || !line[1] || !strchr(",.:;", line[1]) || strchr(" ", line[2]) == NULL)
                        append_text(entry, character);
        }
}

static void read_manual(char *text, struct document *ret) {
        unsigned section = 0;
        size_t depth = 0;

        for (char *line; (line = strsep(&text, "\n"));) {
                if (string_starts_with(line, ".Ss ") || string_starts_with(line, ".Sh "))
                        section = string_equal(line, ".Ss The section [site]")        ? SECTION_SITE
                                  : string_equal(line, ".Ss The sections [course N]") ? SECTION_COURSE
                                  : string_equal(line, ".Ss The section [hosts]")     ? SECTION_HOSTS
                                                                                      : 0;
                if (section == 0)
                        continue;
                depth += string_starts_with(line, ".Bl ");
                if (string_starts_with(line, ".El"))
                        depth--;
                else if (depth == 1 && string_starts_with(line, ".It "))
                        read_item(line, section, ret);
                else if (depth == 1 && ret->n > 0)
                        read_prose(line, &ret->entries[ret->n - 1]);
        }
}

/* "the default is VALUE" or "VALUE, the default". */
static bool manual_shows(const char *text, const char *value) {
        char before[256], behind[256];
        size_t length;

        (void)snprintf(before, sizeof(before), "default is %s", value);
        (void)snprintf(behind, sizeof(behind), " %s, the default", value);
        length = strlen(before);
        for (const char *found = text; (found = strstr(found, before)); found++)
                if (strchr(" ,.:;", found[length]))
                        return true;
        return strstr(text, behind) != NULL;
}

/* --- comparing --- */

static size_t _printf_(2, 3) fault(const struct document *document, const char *format, ...) {
        va_list arguments;

        if (document->quiet)
                return 1;
        va_start(arguments, format);
        print_error("%s: ", document->path);
        vprint_error(format, arguments);
        print_error("\n");
        va_end(arguments);
        return 1;
}

static const char *section_title(unsigned section) {
        switch (section) {
        case SECTION_SITE:
                return "[site]";
        case SECTION_COURSE:
                return "[course N]";
        case SECTION_HOSTS:
                return "[hosts]";
        default:
                return "no section";
        }
}

static size_t check_row(const struct document *document, const struct setting *setting, unsigned section) {
        const struct entry *found = NULL;
        size_t n = 0;

        for (size_t i = 0; i < document->n; i++)
                if (document->entries[i].section == section &&
                        string_equal(document->entries[i].name, setting->name)) {
                        found = &document->entries[i];
                        n++;
                }
        if (n != 1)
                return fault(document, "%s is there %zu times in %s, expected once", setting->name, n,
                        section_title(section));
        if (section != SECTION_COURSE && setting->default_value &&
                !document->shows_default(found->text, setting->default_value))
                return fault(document, "%s: expected the default, %s", setting->name, setting->default_value);
        return 0;
}

static size_t check_entry(const struct document *document, const struct entry *entry) {
        const struct setting *setting = setting_find(entry->name);

        if (setting && (setting->sections & entry->section))
                return 0;
        return fault(document, "%s is in %s, where the table has no such setting", entry->name,
                section_title(entry->section));
}

/* How often the document and the table differ. */
static size_t compare(const struct document *document) {
        const struct setting *setting;
        size_t n = 0;

        for (size_t i = 0; (setting = setting_at(i)); i++) {
                if (setting->sections & SECTION_SITE)
                        n += check_row(document, setting, SECTION_SITE);
                if (setting->sections & SECTION_COURSE)
                        n += check_row(document, setting, SECTION_COURSE);
                if (setting->sections & SECTION_HOSTS)
                        n += check_row(document, setting, SECTION_HOSTS);
        }
        for (size_t i = 0; i < document->n; i++)
                n += check_entry(document, &document->entries[i]);
        return n;
}

static struct document document;

/* Compares a text with the table; the text is taken apart. */
static size_t check_text(const char *path, char *text, bool quiet) {
        bool conf = string_equal(path, CONF);

        document.path = path;
        document.n = 0;
        document.shows_default = conf ? conf_shows : manual_shows;
        document.quiet = quiet;
        (conf ? read_conf : read_manual)(text, &document);
        return compare(&document);
}

static void read_document(const char *path, char *ret_text, size_t size) {
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        size_t n;

        assert_non_null(file);
        n = fread(ret_text, 1, size - 1, file);
        assert_true(n > 0 && n < size - 1);
        ret_text[n] = '\0';
}

static char text[65536], changed[sizeof(text)];

static void test_conf(void **state) {
        (void)state;
        read_document(CONF, text, sizeof(text));
        assert_int_equal(check_text(CONF, text, false), 0);
}

static void test_manual(void **state) {
        (void)state;
        read_document(MANUAL, text, sizeof(text));
        assert_int_equal(check_text(MANUAL, text, false), 0);
}

/* --- the comparison itself --- */

/* Copies the text without its line that begins there. */
static void leave_out_line(const char *line) {
        size_t head = (size_t)(line - text), length = strcspn(line, "\n") + 1;

        memcpy(changed, text, head);
        (void)snprintf(changed + head, sizeof(changed) - head, "%s", line + length);
}

/* Each line with a setting, left out, must be missed. */
static void test_a_line_left_out_is_noticed(void **state) {
        static const struct {
                const char *path, *setting;
        } documents[] = {{CONF, " = "}, {MANUAL, ".It Cm "}};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(documents); i++) {
                size_t n = 0;

                read_document(documents[i].path, text, sizeof(text));
                for (char *line = text; *line; line += strcspn(line, "\n") + 1) {
                        const char *found = strstr(line, documents[i].setting);

                        if (line[1] == ' ' || !found || found > line + strcspn(line, "\n"))
                                continue;
                        n++;
                        leave_out_line(line);
                        if (check_text(documents[i].path, changed, true) == 0)
                                fail_msg("not missed: %.*s", (int)strcspn(line, "\n"), line);
                }
                assert_true(n >= 30);
        }
}

/* Replaces the first occurrence. */
static size_t check_replaced(const char *path, const char *old, const char *new) {
        const char *found;

        read_document(path, text, sizeof(text));
        found = strstr(text, old);
        assert_non_null(found);
        (void)snprintf(
                changed, sizeof(changed), "%.*s%s%s", (int)(found - text), text, new, found + strlen(old));
        return check_text(path, changed, true);
}

static void test_what_the_table_does_not_have_is_noticed(void **state) {
        static const struct {
                const char *path, *old, *new;
        } rows[] = {
                {CONF, "#prefix = 24", "#prefix = 24\n#bogus = 1"},
                {CONF, "#prefix = 24", "#prefix = 22"},
                {CONF, "#prefix = 24", "#prefix = 24\n#prefix = 24"},
                {CONF, "#subnet = ", "#network = 10.0.0.0/8\n#subnet = "},
                {CONF, "[site]", ""},
                {MANUAL, ".It Cm prefix", ".It Cm bogus No = 1\n.It Cm prefix"},
                {MANUAL, "The default is 24,", "The default is 22,"},
                {MANUAL, "The default is 24,", "The default is 245,"},
                {MANUAL, ".It Cm nat , ", ".It Cm nat , prefix , "},
                {MANUAL, ", cpu-quota", ""},
                {MANUAL, ", Cm cpu-quota No = Ar percentage", ""},
                {MANUAL, ".Ss The section [site]", ".Ss The settings"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (check_replaced(rows[i].path, rows[i].old, rows[i].new) == 0)
                        fail_msg("not noticed: row %zu, %s", i, rows[i].new);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_conf),
                cmocka_unit_test(test_manual),
                cmocka_unit_test(test_a_line_left_out_is_noticed),
                cmocka_unit_test(test_what_the_table_does_not_have_is_noticed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
