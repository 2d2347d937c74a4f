/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The names of machines are theirs: what they have sent is believed, but shown with printable characters
 * only. */

#include <dirent.h>

#include "base/journal-entry.h"
#include "collected.h"

void collected_done(struct collected *collected) {
        free(collected->machines);
        *collected = (struct collected){0};
}

/* --- files --------------------------------------------------------------------------------------- */

static void try_file(const char *path, struct collected *collected) {
        const char *const paths[] = {path, NULL};
        sd_journal *journal;
        int r = sd_journal_open_files(&journal, (const char **)(uintptr_t)paths, 0);

        if (r >= 0) {
                sd_journal_close(journal);
                collected->n_files++;
                return;
        }
        /* The writer has just made it, or has just removed it. */
        if (r == -ENODATA || r == -ENOENT)
                return;
        collected->n_bad++;
        collected->bad_error = r;
        (void)snprintf(collected->bad, sizeof(collected->bad), "%s", path);
}

static bool is_journal(const char *name) {
        const char *end = strrchr(name, '.');

        return end && (string_equal(end, ".journal") || string_equal(end, ".journal~"));
}

static int look_into(const char *directory, bool below, struct collected *collected) {
        DIR *folder = opendir(directory);
        struct dirent *entry;

        if (!folder)
                return -errno;
        while ((entry = readdir(folder))) {
                char path[PATH_MAX];
                int n = snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);

                if (n < 0 || (size_t)n >= sizeof(path) || entry->d_name[0] == '.')
                        continue;
                if (is_journal(entry->d_name))
                        try_file(path, collected);
                else if (below)
                        (void)look_into(path, false, collected);
        }
        (void)closedir(folder);
        return 0;
}

int collected_find_files(const char *directory, struct collected *collected) {
        return look_into(directory, true, collected);
}

/* --- machines ------------------------------------------------------------------------------------ */

void collected_read_name(sd_journal *journal, char ret[static MACHINE_NAME_SIZE]) {
        journal_read_field(journal, "_HOSTNAME", ret, MACHINE_NAME_SIZE);
        ret[strcspn(ret, ".")] = '\0';
        string_make_printable(ret);
}

/* A machine's whole name may have changed. */
static int add_machine(struct collected *collected, const struct machine *machine) {
        struct machine *known = (struct machine *)(uintptr_t)collected_find(collected, machine->name);

        if (!known) {
                known = reallocarray(collected->machines, collected->n_machines + 1, sizeof(*known));
                if (!known)
                        return -ENOMEM;
                collected->machines = known;
                known[collected->n_machines++] = *machine;
                return 0;
        }
        if (machine->begins_usec < known->begins_usec)
                known->begins_usec = machine->begins_usec;
        if (machine->ends_usec > known->ends_usec) {
                known->ends_usec = machine->ends_usec;
                known->last_boot = machine->last_boot;
        }
        return 0;
}

/* "_HOSTNAME=NAME" is the match. Returns 1, 0 if there is no such entry, or negative errno. */
static int find_reach(sd_journal *journal, const char *match, struct machine *machine) {
        uint64_t monotonic;
        int r;

        sd_journal_flush_matches(journal);
        r = sd_journal_add_match(journal, match, 0);
        if (r >= 0)
                r = sd_journal_seek_head(journal);
        if (r >= 0)
                r = sd_journal_next(journal);
        if (r > 0)
                r = sd_journal_get_realtime_usec(journal, &machine->begins_usec);
        if (r >= 0)
                r = sd_journal_seek_tail(journal);
        if (r >= 0)
                r = sd_journal_previous(journal);
        if (r <= 0)
                return r;
        collected_read_name(journal, machine->name);
        r = sd_journal_get_realtime_usec(journal, &machine->ends_usec);
        if (r >= 0)
                r = sd_journal_get_monotonic_usec(journal, &monotonic, &machine->last_boot);
        return r < 0 ? r : 1;
}

/* Copies, because a new match ends the enumeration. */
struct names {
        char **matches;
        size_t n;
};

static void names_done(struct names *names) {
        for (size_t i = 0; i < names->n; i++)
                free(names->matches[i]);
        free(names->matches);
}

static int list_names(sd_journal *journal, struct names *names) {
        const void *data;
        size_t size;
        int r = sd_journal_query_unique(journal, "_HOSTNAME");

        while (r >= 0 && (r = sd_journal_enumerate_available_unique(journal, &data, &size)) > 0) {
                char **matches = reallocarray(names->matches, names->n + 1, sizeof(*matches));

                if (!matches)
                        return -ENOMEM;
                names->matches = matches;
                matches[names->n] = strndup(data, size);
                if (!matches[names->n])
                        return -ENOMEM;
                names->n++;
        }
        return r;
}

int collected_find_machines(sd_journal *journal, struct collected *collected) {
        _cleanup_(names_done) struct names names = {0};
        int r = list_names(journal, &names);

        for (size_t i = 0; r >= 0 && i < names.n; i++) {
                struct machine machine = {0};

                r = find_reach(journal, names.matches[i], &machine);
                /* A file may be damaged where this is. */
                if (r > 0)
                        r = add_machine(collected, &machine);
                else if (r == -EBADMSG)
                        r = 0;
        }
        sd_journal_flush_matches(journal);
        return r;
}

const struct machine *collected_find(const struct collected *collected, const char *name) {
        for (size_t i = 0; i < collected->n_machines; i++)
                if (string_equal(collected->machines[i].name, name))
                        return &collected->machines[i];
        return NULL;
}
