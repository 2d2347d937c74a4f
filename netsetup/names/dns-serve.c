/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * dnsmasq gives everybody the same answers. So that a seat learns the names of its own course only, each
 * course has a dnsmasq of its own, which listens on the bridge of the course (by its name: "br-*" would be an
 * administrator's bridges, too) and has read no other names.
 *
 * They are one service, because they share a configuration that changes with the list of courses; then the
 * watch restarts all of them. If the dnsmasq of one course cannot run, the others do.
 */

#include <dirent.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/failure.h"
#include "base/stderr.h"
#include "dns-format.h"
#include "dns.h"
#include "number.h"

#define AGAIN_AFTER_SECONDS 1U

struct server {
        char course[COURSE_SIZE];
        pid_t pid; /* -1: it does not run */
};

struct servers {
        struct server *items;
        size_t n_items;
        const char *dnsmasq; /* borrowed */
};

static int add(struct servers *servers, const char *course) {
        struct server *items = reallocarray(servers->items, servers->n_items + 1, sizeof(*items));

        if (!items)
                return -ENOMEM;
        servers->items = items;
        items[servers->n_items] = (struct server){.pid = -1};
        return string_copy(items[servers->n_items++].course, COURSE_SIZE, course);
}

static int find_courses(struct servers *servers) {
        DIR *directory = opendir(DNS_SERVED_HOSTS_DIRECTORY);
        int r = 0;

        if (!directory)
                return -errno;
        for (struct dirent *entry; r >= 0 && (entry = readdir(directory));)
                if (digits_only(entry->d_name) && strlen(entry->d_name) < COURSE_SIZE)
                        r = add(servers, entry->d_name);
        (void)closedir(directory);
        return r;
}

static void start(const struct servers *servers, struct server *server) {
        char hosts[sizeof("--hostsdir=" DNS_SERVED_HOSTS_DIRECTORY "/") + COURSE_SIZE];
        char interface[sizeof("--interface=") + IFNAMSIZ];
        const char *const words[] = {servers->dnsmasq, "--keep-in-foreground",
                "--conf-file=" DNS_SERVED_CONFIGURATION, interface, hosts, NULL};
        struct bridge_plan bridge;
        int r;

        bridge_plan_name(server->course, &bridge);
        (void)snprintf(interface, sizeof(interface), "--interface=%s", bridge.name);
        (void)snprintf(hosts, sizeof(hosts), "--hostsdir=" DNS_SERVED_HOSTS_DIRECTORY "/%s", server->course);
        r = posix_spawn(&server->pid, servers->dnsmasq, NULL, NULL, (char *const *)(uintptr_t)words, environ);
        if (r == 0)
                return;
        server->pid = -1;
        stderr_warning("%s cannot be run for course %s: %s", servers->dnsmasq, server->course, strerror(r));
}

static void start_all(const struct servers *servers) {
        for (size_t i = 0; i < servers->n_items; i++)
                if (servers->items[i].pid < 0)
                        start(servers, &servers->items[i]);
}

static void note_end(const struct servers *servers, pid_t pid, int status) {
        for (size_t i = 0; i < servers->n_items; i++) {
                struct server *server = &servers->items[i];

                if (server->pid != pid)
                        continue;
                server->pid = -1;
                stderr_warning("The name service of course %s has ended (%s %d) and is started again",
                        server->course, WIFEXITED(status) ? "status" : "signal",
                        WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
        }
}

/* A stop of the service ends this process; systemd ends the others. */
static _Noreturn void keep(const struct servers *servers) {
        int status;
        pid_t pid;

        for (;;) {
                pid = waitpid(-1, &status, 0);
                if (pid < 0 && errno == ECHILD && servers->n_items == 0)
                        (void)pause();
                if (pid > 0)
                        note_end(servers, pid, status);
                /* The pause prevents a busy loop with a dnsmasq that ends at once. */
                if (pid > 0 || errno == ECHILD)
                        (void)sleep(AGAIN_AFTER_SECONDS);
                start_all(servers);
        }
}

int dns_serve(const char *dnsmasq, struct diagnostics *diagnostics) {
        struct servers servers = {.dnsmasq = dnsmasq};
        int r;

        r = find_courses(&servers);
        if (r < 0) {
                free(servers.items);
                return failure(diagnostics, DNS_SERVED_HOSTS_DIRECTORY, r, "cannot be read");
        }
        start_all(&servers);
        keep(&servers);
}
