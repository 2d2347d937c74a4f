/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Large services give different addresses at each query. An address that a name had before stays allowed
 * during the exam, because a seat may still use it.
 */

#include <arpa/inet.h>
#include <dirent.h>
#include <netdb.h>

#include "base/failure.h"
#include "base/runtime-file.h"
#include "exam-names.h"
#include "number.h"

/* A service that changes its addresses all the time must not fill the memory. The newest stay. */
#define ADDRESSES_MAX 64U

typedef char hosts_path_t[sizeof(EXAM_HOSTS_DIRECTORY "/") + COURSE_SIZE];

/* The addresses of one name. */
struct addresses {
        char items[ADDRESSES_MAX][INET6_ADDRSTRLEN];
        size_t n_items;
};

static void add(struct addresses *addresses, const char *address) {
        for (size_t i = 0; i < addresses->n_items; i++)
                if (string_equal(addresses->items[i], address))
                        return;
        if (addresses->n_items < ADDRESSES_MAX)
                (void)string_copy(addresses->items[addresses->n_items++], INET6_ADDRSTRLEN, address);
}

/* What the host finds: also in /etc/hosts, and behind aliases. Returns a result of getaddrinfo(3). */
static int resolve(const char *name, struct addresses *addresses) {
        const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
        struct addrinfo *found = NULL;
        int r = getaddrinfo(name, NULL, &hints, &found);

        for (const struct addrinfo *each = found; r == 0 && each; each = each->ai_next) {
                char text[INET6_ADDRSTRLEN];

                if (getnameinfo(each->ai_addr, each->ai_addrlen, text, sizeof(text), NULL, 0,
                            NI_NUMERICHOST) == 0)
                        add(addresses, text);
        }
        if (r == 0)
                freeaddrinfo(found);
        return r;
}

/* Adds what the file has for the name, behind the addresses that were just found. */
static void add_former(const char *text, const char *name, struct addresses *addresses) {
        size_t length = strlen(name);

        for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
                size_t n = strcspn(line, " \n");
                char address[INET6_ADDRSTRLEN];

                if (line[n] != ' ' || n >= sizeof(address) || strncmp(line + n + 1, name, length) != 0 ||
                        line[n + 1 + length] != '\n')
                        continue;
                memcpy(address, line, n);
                address[n] = '\0';
                add(addresses, address);
        }
}

static int compare(const void *a, const void *b) {
        return strcmp(a, b);
}

/* Sorted, so that the file stays the same when the order of the answers changes. */
static void print_name(FILE *file, const char *name, struct addresses *addresses) {
        qsort(addresses->items, addresses->n_items, sizeof(*addresses->items), compare);
        for (size_t i = 0; i < addresses->n_items; i++)
                (void)fprintf(file, "%s %s\n", addresses->items[i], name);
}

static void find_name(const char *name, const char *course, const char *former, FILE *file,
        struct diagnostics *diagnostics) {
        struct addresses addresses = {0};
        int r = resolve(name, &addresses);

        add_former(former, name, &addresses);
        if (addresses.n_items == 0)
                diagnostics_warning(diagnostics, name, 0,
                        "is allowed in the exam of course %s, but has no address: %s", course,
                        gai_strerror(r));
        print_name(file, name, &addresses);
}

static void hosts_path(const char *course, hosts_path_t ret) {
        (void)snprintf(ret, sizeof(hosts_path_t), EXAM_HOSTS_DIRECTORY "/%s", course);
}

/* Returns 1 if the file has changed. */
static int update(const struct exam *exam, struct diagnostics *diagnostics) {
        _cleanup_free_ char *former = NULL, *text = NULL;
        hosts_path_t path;
        size_t size;
        FILE *file;
        int r;

        hosts_path(exam->course, path);
        (void)runtime_file_read(path, &former);
        file = open_memstream(&text, &size);
        if (!file)
                return failure(diagnostics, path, -ENOMEM, "cannot be written");
        for (size_t i = 0; i < exam->n_names; i++)
                find_name(exam->names[i], exam->course, former ? former : "", file, diagnostics);
        if (fclose(file) != 0)
                return failure(diagnostics, path, -ENOMEM, "cannot be written");
        /* The name service's user reads it; the folder above is closed to others. */
        r = runtime_file_write(path, text, 0644);
        return r < 0 ? failure(diagnostics, path, r, "cannot be written") : r;
}

/* A file of a course that is in no exam any more ends the exam's name service. */
static int remove_old(const struct exams *exams) {
        DIR *directory = opendir(EXAM_HOSTS_DIRECTORY);
        hosts_path_t path;
        int changed = 0;

        for (struct dirent *entry; directory && (entry = readdir(directory));) {
                if (!digits_only(entry->d_name) || strlen(entry->d_name) >= COURSE_SIZE ||
                        exams_find(exams, entry->d_name))
                        continue;
                hosts_path(entry->d_name, path);
                changed |= unlink(path) >= 0;
        }
        if (directory)
                (void)closedir(directory);
        return changed;
}

int exam_names_update(const struct exams *exams, struct diagnostics *diagnostics) {
        int changed = remove_old(exams), r = 0;

        /* A name server that does not answer must not delay the other names for half a minute each. */
        (void)setenv("RES_OPTIONS", "timeout:1 attempts:2", 1);
        for (size_t i = 0; i < exams->n_items && r >= 0; i++) {
                r = update(&exams->items[i], diagnostics);
                changed |= r > 0;
        }
        return r < 0 ? r : changed;
}
