/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * coursenet-worker: makes the network of a seat as soon as the activator asks for it. systemd would start
 * three programs one after another for that, and a login would wait for each. It is one process with one
 * thread, and has no state of its own: everything that it has made and that no unit has adopted has a
 * receipt. So it may be killed at any moment.
 */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/stderr.h"
#include "base/subcommand.h"
#include "firewall/nftables.h"
#include "kernel/procfs.h"
#include "number.h"
#include "preparation.h"
#include "server.h"

#define EXIT_USAGE 2

#define OWN_NETNS "/proc/self/ns/net"

/* systemd passes the socket as this descriptor: sd_listen_fds(3). */
#define LISTEN_FD 3

struct worker {
        struct settings_cache cache;
        int netns_fd; /* the host's */
        struct stat netns;
};

/* The socket of coursenet-worker.socket; -EINVAL: none was passed to this process. */
static int listen_fd(void) {
        const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
        char own[16];

        (void)snprintf(own, sizeof(own), "%d", (int)getpid());
        if (!pid || !n || !string_equal(pid, own) || !string_equal(n, "1"))
                return -EINVAL;
        return fcntl(LISTEN_FD, F_SETFD, FD_CLOEXEC) < 0 ? -errno : LISTEN_FD;
}

static int open_worker(struct worker *ret) {
        ret->netns_fd = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
        return ret->netns_fd < 0 || fstat(ret->netns_fd, &ret->netns) < 0 ? -errno : 0;
}

/*
 * A step that enters a namespace and cannot return from it fails, and the next request would be carried out
 * in there.
 */
static bool is_at_home(const struct worker *worker) {
        struct stat now;

        return stat(OWN_NETNS, &now) >= 0 && now.st_ino == worker->netns.st_ino &&
               now.st_dev == worker->netns.st_dev;
}

static int carry_out(
        struct worker *worker, const struct worker_request *request, struct diagnostics *diagnostics) {
        return request->verb == WORKER_PREPARE
                       ? preparation_make(&worker->cache, request->seat, diagnostics)
                       : preparation_discard(worker->cache.etc, request->seat, diagnostics);
}

static void handle(const struct worker_request *request, struct worker_reply *ret, void *userdata) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct worker *worker = userdata;
        char text[REPLY_TEXT_SIZE] = "";
        int r;

        r = carry_out(worker, request, &diagnostics);
        if (r < 0 && diagnostics.n_items > 0)
                diagnostic_format(&diagnostics.items[diagnostics.n_items - 1], text, sizeof(text));
        /* What cannot be made is no error here: the activator logs the reason, and the units report it when
         * they try. -EBUSY happens at any time: a unit is faster. */
        if (request->verb == WORKER_DISCARD && r != -EBUSY)
                stderr_print_diagnostics(&diagnostics);
        if (!is_at_home(worker) && setns(worker->netns_fd, CLONE_NEWNET) < 0) {
                stderr_warning("the worker cannot return from a seat's namespace and ends: %m");
                _exit(EXIT_FAILURE);
        }
        worker_reply_init(ret, request->id, r < 0 ? r : 0, text);
}

static void be_idle(void *userdata) {
        (void)userdata;
        procfs_renew();
}

static int run(void) {
        struct worker worker = {.cache.etc = ETC_DIRECTORY};
        sigset_t signals;
        int fd, r;

        fd = listen_fd();
        if (fd < 0) {
                stderr_warning("coursenet-worker.service starts this program, with a socket");
                return fd;
        }
        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGTERM);
        r = sigprocmask(SIG_BLOCK, &signals, NULL) < 0 ? -errno : open_worker(&worker);
        if (r >= 0) {
                nftables_load();
                procfs_renew();
                r = server_run(fd, 0, handle, be_idle, &worker);
                settings_cache_done(&worker.cache);
        }
        if (r < 0)
                stderr_warning("the worker's socket cannot be used: %s", strerror(-r));
        return r;
}

static const char usage[] =
        "usage: coursenet-worker   coursenet-worker.service runs it, with the socket of the same name\n";

static bool is_help(const char *word) {
        return string_equal(word, "-h") || string_equal(word, "--help") || string_equal(word, "help");
}

int main(int argc, char **argv) {
        if (argc == 2 && is_help(argv[1])) {
                (void)fputs(usage, stdout);
                return EXIT_SUCCESS;
        }
        if (argc > 1) {
                (void)fputs(usage, stderr);
                return EXIT_USAGE;
        }
        return run() < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
