/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * dnsmasq gives everybody the same answers. So that a seat learns the names of its own course only, each
 * course has a dnsmasq of its own, which listens on the bridge of the course (by its name: "br-*" would be an
 * administrator's bridges, too) and has read no other names.
 *
 * They are one service, because they share a configuration that changes with the list of courses; then the
 * watch restarts all of them. If the dnsmasq of one course cannot run, the others do.
 *
 * A course in an exam has a second one, on another port, which knows the names that the exam allows and asks
 * nobody. The firewall decides which of the two a seat reaches. It starts and ends with the file of the
 * exam's names, so the other courses do not notice an exam.
 */

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/failure.h"
#include "base/stderr.h"
#include "dns-format.h"
#include "dns.h"
#include "firewall/ruleset.h"
#include "number.h"

#define AGAIN_AFTER_MS 1000

struct server {
        char course[COURSE_SIZE];
        bool exam;   /* of an exam */
        bool wanted; /* false: the exam is over */
        pid_t pid;   /* -1: it does not run */
};

struct servers {
        struct server *items;
        size_t n_items;
        const char *dnsmasq; /* borrowed */
};

static bool is_course(const char *name) {
        return digits_only(name) && strlen(name) < COURSE_SIZE;
}

static struct server *find(const struct servers *servers, const char *course, bool exam) {
        for (size_t i = 0; i < servers->n_items; i++)
                if (servers->items[i].exam == exam && string_equal(servers->items[i].course, course))
                        return &servers->items[i];
        return NULL;
}

/* NULL: out of memory. */
static struct server *add(struct servers *servers, const char *course, bool exam) {
        struct server *items = reallocarray(servers->items, servers->n_items + 1, sizeof(*items));

        if (!items)
                return NULL;
        servers->items = items;
        items[servers->n_items] = (struct server){.exam = exam, .wanted = true, .pid = -1};
        (void)string_copy(items[servers->n_items].course, COURSE_SIZE, course);
        return &items[servers->n_items++];
}

static int find_courses(struct servers *servers) {
        DIR *directory = opendir(DNS_SERVED_HOSTS_DIRECTORY);
        int r = 0;

        if (!directory)
                return -errno;
        for (struct dirent *entry; r >= 0 && (entry = readdir(directory));)
                if (is_course(entry->d_name) && !add(servers, entry->d_name, false))
                        r = -ENOMEM;
        (void)closedir(directory);
        return r;
}

static void spawn(const struct servers *servers, struct server *server, const char *const words[]) {
        posix_spawnattr_t attributes;
        sigset_t none;
        int r;

        /* This process blocks signals that dnsmasq needs. */
        (void)sigemptyset(&none);
        (void)posix_spawnattr_init(&attributes);
        (void)posix_spawnattr_setsigmask(&attributes, &none);
        (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        r = posix_spawn(
                &server->pid, servers->dnsmasq, NULL, &attributes, (char *const *)(uintptr_t)words, environ);
        (void)posix_spawnattr_destroy(&attributes);
        if (r == 0)
                return;
        server->pid = -1;
        stderr_warning("%s cannot be run for course %s: %s", servers->dnsmasq, server->course, strerror(r));
}

static void start(const struct servers *servers, struct server *server) {
        char hosts[sizeof("--hostsdir=" DNS_SERVED_HOSTS_DIRECTORY "/") + COURSE_SIZE];
        char allowed[sizeof("--addn-hosts=" DNS_SERVED_EXAM_DIRECTORY "/") + COURSE_SIZE];
        char interface[sizeof("--interface=") + IFNAMSIZ];
        const char *const words[] = {servers->dnsmasq, "--keep-in-foreground",
                "--conf-file=" DNS_SERVED_CONFIGURATION, interface, hosts, NULL};
        /* --no-ident: the counters of CHAOS queries would tell the seats of each other. */
        const char *const exam_words[] = {servers->dnsmasq, "--keep-in-foreground", "--conf-file=/dev/null",
                "--port=" STRINGIFY(RULESET_EXAM_DNS_PORT), "--bind-dynamic", "--except-interface=lo",
                "--no-hosts", "--no-resolv", "--no-ident", "--pid-file", "--log-facility=-", interface,
                allowed, NULL};
        struct bridge_plan bridge;

        bridge_plan_name(server->course, &bridge);
        (void)snprintf(interface, sizeof(interface), "--interface=%s", bridge.name);
        (void)snprintf(hosts, sizeof(hosts), "--hostsdir=" DNS_SERVED_HOSTS_DIRECTORY "/%s", server->course);
        (void)snprintf(
                allowed, sizeof(allowed), "--addn-hosts=" DNS_SERVED_EXAM_DIRECTORY "/%s", server->course);
        spawn(servers, server, server->exam ? exam_words : words);
}

static void start_all(const struct servers *servers) {
        for (size_t i = 0; i < servers->n_items; i++)
                if (servers->items[i].wanted && servers->items[i].pid < 0)
                        start(servers, &servers->items[i]);
}

/* True if it is one that should run. */
static bool note_end(const struct servers *servers, pid_t pid, int status) {
        for (size_t i = 0; i < servers->n_items; i++) {
                struct server *server = &servers->items[i];

                if (server->pid != pid)
                        continue;
                server->pid = -1;
                if (!server->wanted)
                        return false;
                stderr_warning("The name service of course %s has ended (%s %d) and is started again",
                        server->course, WIFEXITED(status) ? "status" : "signal",
                        WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
                return true;
        }
        return false;
}

/* --- exams ------------------------------------------------------------------------------------------- */

/* A file that has appeared, changed or gone. */
static void handle_exam(struct servers *servers, const char *course) {
        char path[sizeof(DNS_SERVED_EXAM_DIRECTORY "/") + COURSE_SIZE];
        struct server *server = find(servers, course, true);
        bool wanted;

        (void)snprintf(path, sizeof(path), DNS_SERVED_EXAM_DIRECTORY "/%s", course);
        wanted = access(path, F_OK) >= 0;
        if (!server && wanted)
                server = add(servers, course, true);
        if (!server)
                return;
        server->wanted = wanted;
        if (server->pid > 0)
                (void)kill(server->pid, wanted ? SIGHUP : SIGTERM);
}

static void read_exams(struct servers *servers) {
        DIR *directory = opendir(DNS_SERVED_EXAM_DIRECTORY);

        for (struct dirent *entry; directory && (entry = readdir(directory));)
                if (is_course(entry->d_name))
                        handle_exam(servers, entry->d_name);
        if (directory)
                (void)closedir(directory);
}

static void handle_files(struct servers *servers, int inotify_fd) {
        union {
                struct inotify_event event;
                char bytes[4096];
        } buffer;
        ssize_t n;

        while ((n = read(inotify_fd, &buffer, sizeof(buffer))) > 0)
                for (ssize_t at = 0; at < n;) {
                        const struct inotify_event *event =
                                (const struct inotify_event *)(const void *)(buffer.bytes + at);

                        if (event->mask & IN_Q_OVERFLOW)
                                read_exams(servers);
                        else if (event->len > 0 && is_course(event->name))
                                handle_exam(servers, event->name);
                        at += (ssize_t)(sizeof(*event) + event->len);
                }
}

/* ------------------------------------------------------------------------------------------------------- */

/* True if one has ended that should run. */
static bool reap(const struct servers *servers, int signal_fd) {
        struct signalfd_siginfo info;
        bool ended = false;
        int status;
        pid_t pid;

        while (read(signal_fd, &info, sizeof(info)) > 0)
                ;
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
                ended |= note_end(servers, pid, status);
        return ended;
}

/* A stop of the service ends this process; systemd ends the others. */
static _Noreturn void keep(struct servers *servers, int signal_fd, int inotify_fd) {
        for (;;) {
                struct pollfd fds[] = {
                        {.fd = signal_fd, .events = POLLIN}, {.fd = inotify_fd, .events = POLLIN}};

                (void)poll(fds, ELEMENTSOF(fds), -1);
                handle_files(servers, inotify_fd);
                /* The pause prevents a busy loop with a dnsmasq that ends at once. */
                if (reap(servers, signal_fd))
                        (void)poll(NULL, 0, AGAIN_AFTER_MS);
                start_all(servers);
        }
}

static int open_signals(void) {
        sigset_t signals;
        int fd;

        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGCHLD);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return -errno;
        fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        return fd < 0 ? -errno : fd;
}

/* Before the first look, so that no exam is missed. */
static int watch_exams(void) {
        int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

        if (fd >= 0 && inotify_add_watch(fd, DNS_SERVED_EXAM_DIRECTORY,
                               IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_ONLYDIR) < 0)
                stderr_warning(
                        DNS_SERVED_EXAM_DIRECTORY " cannot be watched, so exams have no name service: %m");
        return fd < 0 ? -errno : fd;
}

int dns_serve(const char *dnsmasq, struct diagnostics *diagnostics) {
        struct servers servers = {.dnsmasq = dnsmasq};
        int r, signal_fd = open_signals(), inotify_fd = watch_exams();

        r = signal_fd < 0 ? signal_fd : inotify_fd < 0 ? inotify_fd : find_courses(&servers);
        if (r < 0) {
                close_pointer(&signal_fd);
                close_pointer(&inotify_fd);
                free(servers.items);
                return failure(diagnostics, DNS_SERVED_HOSTS_DIRECTORY, r, "cannot be read");
        }
        read_exams(&servers);
        start_all(&servers);
        keep(&servers, signal_fd, inotify_fd);
}
