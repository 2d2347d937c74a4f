/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A child process makes the namespace, so that it disappears with the child in any case. The child writes the
 * listings to a memory file, each with its NUL.
 */

#include <sched.h>
#include <sys/mman.h>

#include "base/failure.h"
#include "child.h"
#include "finding-line.h"
#include "firewall/nftables.h"
#include "kernel/link.h"
#include "scratch.h"
#include "stand-in.h"

#define WHAT "the firewall as planned"

/* A chain needs a link of any kind. Every kernel that we support has bridges. */
static int make_links(unsigned n_links) {
        static const struct mac mac = {{0x02, 0x63, 0, 0, 0, 1}};
        _cleanup_link_socket_ struct link_socket socket = {0};
        int r;

        r = link_open(&socket);
        for (unsigned i = 0; r >= 0 && i < n_links; i++) {
                char name[IFNAMSIZ];

                stand_in_name(i, name);
                r = link_create_bridge(&socket, name, &mac);
        }
        return r;
}

/* Of a flowtable in the commands: ruleset.h writes each of its devices in quotes. */
static int make_devices(const char *commands) {
        static const struct mac mac = {{0x02, 0x63, 0, 0, 0, 1}};
        const char *line = commands ? strstr(commands, "\t\tdevices = {") : NULL;
        _cleanup_free_ char *names = line ? strndup(line, strcspn(line, "\n")) : NULL;
        _cleanup_link_socket_ struct link_socket socket = {0};
        char *rest = names;
        int r;

        if (!line)
                return 0;
        r = names ? link_open(&socket) : -ENOMEM;
        while (r >= 0 && strsep(&rest, "\"") && rest)
                r = link_create_bridge(&socket, strsep(&rest, "\""), &mac);
        return r;
}

static int list_tables(
        const struct scratch_table *tables, size_t n_tables, FILE *stream, struct diagnostics *diagnostics) {
        for (size_t i = 0; i < n_tables; i++) {
                _cleanup_free_ char *listing = NULL;
                int r = 0;

                if (tables[i].commands) {
                        r = nftables_apply(tables[i].commands, tables[i].name, diagnostics);
                        if (r >= 0)
                                r = nftables_list_table(tables[i].name, &listing);
                }
                if (r < 0 && r != -ENOENT)
                        return r;
                /* An empty text stands for no table. */
                (void)fputs(listing ? listing : "", stream);
                (void)fputc('\0', stream);
        }
        return fflush(stream) != 0 ? -EIO : 0;
}

/* Runs in the child. If it fails, the file has the error instead of the listings. */
static int work(const struct scratch_table *tables, size_t n_tables, unsigned n_links, FILE *stream) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        int r;

        if (unshare(CLONE_NEWNET) < 0)
                r = failure(&diagnostics, WHAT, -errno, "no network namespace can be made for it");
        else {
                r = make_links(n_links);
                for (size_t i = 0; r >= 0 && i < n_tables; i++)
                        r = make_devices(tables[i].commands);
                if (r < 0)
                        r = failure(&diagnostics, WHAT, r, "its links cannot be made");
        }
        if (r >= 0)
                r = list_tables(tables, n_tables, stream, &diagnostics);
        if (r >= 0)
                return EXIT_SUCCESS;
        rewind(stream);
        if (fflush(stream) != 0 || ftruncate(fileno(stream), 0) < 0)
                return EXIT_FAILURE;
        (void)finding_lines_write(stream, &diagnostics);
        return EXIT_FAILURE;
}

static int read_listings(FILE *stream, struct scratch_table *tables, size_t n_tables) {
        for (size_t i = 0; i < n_tables; i++) {
                _cleanup_free_ char *listing = NULL;
                size_t size = 0;

                if (getdelim(&listing, &size, '\0', stream) < 0)
                        return -EIO;
                if (listing[0] == '\0')
                        continue;
                tables[i].listing = listing;
                listing = NULL;
        }
        return 0;
}

static void read_findings(FILE *stream, struct diagnostics *diagnostics) {
        _cleanup_free_ char *line = NULL;
        size_t size = 0;

        while (getline(&line, &size, stream) > 0)
                (void)finding_line_read(line, diagnostics);
}

int scratch_list(
        struct scratch_table *tables, size_t n_tables, unsigned n_links, struct diagnostics *diagnostics) {
        _cleanup_fclose_ FILE *stream = NULL;
        size_t n_items = diagnostics->n_items;
        int fd, r, status = -1;
        pid_t pid;

        fd = memfd_create("coursenet-firewall", MFD_CLOEXEC);
        stream = fd < 0 ? NULL : fdopen(fd, "w+e");
        if (!stream)
                return failure(diagnostics, WHAT, -errno, "cannot be listed");

        pid = fork();
        if (pid < 0)
                return failure(diagnostics, WHAT, -errno, "cannot be listed");
        if (pid == 0)
                _exit(work(tables, n_tables, n_links, stream));
        r = child_wait(pid, &status);
        rewind(stream);

        if (r >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
                r = read_listings(stream, tables, n_tables);
        else {
                read_findings(stream, diagnostics);
                r = r < 0 ? r : -EIO;
        }
        return r < 0 && diagnostics->n_items == n_items ? failure(diagnostics, WHAT, r, "cannot be listed")
                                                        : r;
}
