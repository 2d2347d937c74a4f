/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Parses pam.d as libpam does, as far as the lines of one module need it. */

#include <dirent.h>

#include "pam-config.h"
#include "trusted-file.h"

#define MODULE "pam_coursenet.so"
#define BLANKS " \t\r"

/* A line of a PAM file; the strings are in the line. */
struct entry {
        char *type;
        char *module;
        char *arguments;
};

static char *next_word(char **text) {
        char *word = *text + strspn(*text, BLANKS);
        char *end;

        if (*word == '\0')
                return NULL;
        /* "[success=1 default=ignore]" and "[rule=...]" are each one word. */
        end = *word == '[' ? strchr(word, ']') : NULL;
        end = end ? end + 1 : word + strcspn(word, BLANKS);
        *text = *end ? end + 1 : end;
        *end = '\0';
        return word;
}

static bool parse_entry(char *line, struct entry *ret) {
        struct entry entry = {0};

        entry.type = next_word(&line);
        if (!entry.type || entry.type[0] == '#' || entry.type[0] == '@')
                return false;
        /* "-session": the same, but quiet if the module is not installed. */
        if (entry.type[0] == '-')
                entry.type++;
        if (!next_word(&line))
                return false;
        entry.module = next_word(&line);
        entry.arguments = line;
        if (!entry.module)
                return false;

        *ret = entry;
        return true;
}

static bool is_module(const struct entry *entry, const char *name) {
        const char *slash = strrchr(entry->module, '/');

        return string_equal(slash ? slash + 1 : entry->module, name);
}

/* The value of the last rule= among the arguments, like in the module. The arguments are changed. */
static const char *find_rule(char *arguments) {
        const char *rule = NAME_RULE_DEFAULT;

        for (char *word; (word = next_word(&arguments));) {
                size_t length = strlen(word);

                if (word[0] == '[' && word[length - 1] == ']') {
                        word[length - 1] = '\0';
                        word++;
                }
                if (string_starts_with(word, "rule="))
                        rule = word + strlen("rule=");
        }
        return rule;
}

static void check_module_line(const struct entry *entry, const char *path, unsigned line,
        const struct settings *settings, struct diagnostics *diagnostics) {
        const char *rule;

        if (strcasecmp(entry->type, "session") != 0) {
                diagnostics_error(diagnostics, path, line,
                        MODULE " works on 'session' lines only, not on '%s' lines", entry->type);
                return;
        }
        rule = find_rule(entry->arguments);
        if (settings && !string_equal(rule, settings->rule_text)) {
                diagnostics_error(diagnostics, path, line,
                        "the rule of " MODULE " is %s here, but name-rule in " SETTINGS_FILE " is %s", rule,
                        settings->rule_text);
                diagnostics_advise(
                        diagnostics, "write rule=%s on this line, or change name-rule", settings->rule_text);
        }
}

/* Joins lines that end in a backslash, in place; *line counts the lines of the file. NULL: no more lines. */
static char *next_line(char **text, unsigned *line) {
        char *start = *text, *p = start;

        if (*p == '\0')
                return NULL;
        for ((*line)++; *p && *p != '\n'; p++)
                if (p[0] == '\\' && p[1] == '\n') {
                        p[0] = p[1] = ' ';
                        (*line)++;
                        p++;
                }
        *text = *p ? p + 1 : p;
        *p = '\0';
        return start;
}

unsigned pam_config_check_text(const char *text, const char *path, const struct settings *settings,
        struct diagnostics *diagnostics) {
        _cleanup_free_ char *copy = strdup(text);
        unsigned line = 0, systemd_line = 0, n = 0;
        char *next = copy;

        if (!copy)
                diagnostics_error(diagnostics, path, 0, "out of memory");
        for (char *start; copy && (start = next_line(&next, &line));) {
                struct entry entry;

                if (!parse_entry(start, &entry))
                        continue;
                if (is_module(&entry, "pam_systemd.so") && strcasecmp(entry.type, "session") == 0)
                        systemd_line = line;
                if (!is_module(&entry, MODULE))
                        continue;

                n++;
                check_module_line(&entry, path, line, settings, diagnostics);
                if (systemd_line > 0) {
                        diagnostics_warning(diagnostics, path, line,
                                MODULE " comes after pam_systemd.so (line %u), so the user's systemd manager "
                                       "starts before the seat is up",
                                systemd_line);
                        diagnostics_advise(diagnostics, "move this line above that one");
                }
        }
        return n;
}

/* Backup files of editors and packages are not services that anybody logs in with. */
static int is_service(const struct dirent *entry) {
        static const char *const tails[] = {
                "~", ".bak", ".dpkg-old", ".dpkg-new", ".dpkg-dist", ".dpkg-bak", ".pam-old"};
        size_t length = strlen(entry->d_name);

        if (entry->d_name[0] == '.')
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(tails); i++) {
                size_t tail = strlen(tails[i]);

                if (length > tail && string_equal(entry->d_name + length - tail, tails[i]))
                        return 0;
        }
        return 1;
}

static unsigned check_file(const char *directory, const char *name, const struct settings *settings,
        struct diagnostics *diagnostics) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        const char *reason;
        int r;

        if (asprintf(&path, "%s/%s", directory, name) < 0) {
                path = NULL;
                diagnostics_error(diagnostics, directory, 0, "out of memory");
                return 0;
        }
        r = trusted_file_read(path, &text, &reason);
        if (r < 0) {
                /* Links are common: libpam follows them, and packages make them. */
                if (r != -ELOOP)
                        diagnostics_warning(diagnostics, path, 0, "is not checked: %s", reason);
                return 0;
        }
        return pam_config_check_text(text, path, settings, diagnostics);
}

void pam_config_check(
        const char *directory, const struct settings *settings, struct diagnostics *diagnostics) {
        struct dirent **entries;
        unsigned n_lines = 0;
        int n;

        n = scandir(directory, &entries, is_service, alphasort);
        if (n < 0) {
                diagnostics_warning(diagnostics, directory, 0, "cannot be read: %m");
                return;
        }
        for (int i = 0; i < n; i++) {
                n_lines += check_file(directory, entries[i]->d_name, settings, diagnostics);
                free(entries[i]);
        }
        free(entries);

        if (n_lines == 0) {
                diagnostics_warning(
                        diagnostics, directory, 0, "no file calls " MODULE ", so no login starts a seat");
                diagnostics_advise(diagnostics, "pam-auth-update --enable coursenet");
        }
}
