/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Children that print reports. A struct report has one child, or waits for its turn. It stays until its child
 * has been reaped, even if the peer has hung up, so that the limits count every child.
 */

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <utlist.h>

#include "base/peer.h"
#include "peer-report.h"
#include "protocol.h"

#define REPORTS_MAX 4U

/* A user database may take some seconds, and so may a journal of years. */
#define REPORT_TIMEOUT_USEC UINT64_C(20000000)

#define CHUNK_SIZE 16384U

enum stream {
        STREAM_OUTPUT,
        STREAM_ERRORS,
        _STREAM_MAX,
};

struct report {
        struct server *server;
        struct connection *connection; /* NULL: nobody waits for it any more */
        uid_t key;                     /* as whom the peer counts */
        uid_t uid;
        char what[64]; /* for the log */
        int input, streams[_STREAM_MAX];
        off_t sizes[_STREAM_MAX], sent[_STREAM_MAX];
        pid_t pid;  /* 0: it has none, or none any more */
        bool begun; /* it has had its turn */
        bool late;
        sd_event_source *exit_source, *timeout_source;
        struct report *prev, *next;
};

static void destroy(struct report *report) {
        DL_DELETE(report->server->reports, report);
        (void)sd_event_source_disable_unref(report->exit_source);
        (void)sd_event_source_disable_unref(report->timeout_source);
        close_pointer(&report->input);
        for (size_t i = 0; i < _STREAM_MAX; i++)
                close_pointer(&report->streams[i]);
        free(report);
}

void report_free(struct report *report) {
        if (!report)
                return;
        report->connection = NULL;
        if (report->pid > 0)
                (void)kill(report->pid, SIGKILL); /* handle_exit() goes on */
        else
                destroy(report);
}

/* --- the child ------------------------------------------------------------------------------- */

static int spawn(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, struct report *report) {
        char program[] = "coursenetctl", command[] = REPORT_COMMAND, path[] = "PATH=/usr/sbin:/usr/bin";
        char *const arguments[] = {program, command, NULL}, *const environment[] = {path, NULL};
        sigset_t none;
        int r;

        (void)sigemptyset(&none);
        r = posix_spawn_file_actions_adddup2(actions, report->input, STDIN_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(actions, report->streams[STREAM_OUTPUT], STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(actions, report->streams[STREAM_ERRORS], STDERR_FILENO);
        if (r == 0)
                r = posix_spawnattr_setsigmask(attributes, &none);
        if (r == 0)
                r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK);
        if (r == 0)
                r = posix_spawn(&report->pid, BIN_DIRECTORY "/coursenetctl", actions, attributes, arguments,
                        environment);
        return -r;
}

static int start_child(struct report *report) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        int r;

        r = -posix_spawn_file_actions_init(&actions);
        if (r < 0)
                return r;
        r = -posix_spawnattr_init(&attributes);
        if (r == 0) {
                r = spawn(&actions, &attributes, report);
                (void)posix_spawnattr_destroy(&attributes);
        }
        (void)posix_spawn_file_actions_destroy(&actions);
        if (r < 0)
                report->pid = 0;
        return r;
}

static void start_waiting(struct server *server);

static void fail(struct report *report, const char *reason) {
        struct connection *connection = report->connection;

        query_log(
                report->server, report->uid, "asks for a report (%s), which fails: %s", report->what, reason);
        if (!connection)
                return;
        connection_set_report(connection, NULL);
        report->connection = NULL;
        connection_reply_text(connection, REPLY_FAILED, reason);
}

/* What the child has printed is the answer, whatever its status. */
static void answer(struct report *report, int status) {
        struct reply reply;
        struct stat st;

        for (size_t i = 0; i < _STREAM_MAX; i++)
                report->sizes[i] = fstat(report->streams[i], &st) < 0 ? 0 : st.st_size;
        query_log(report->server, report->uid, "asks for a report (%s): status %d, %lld bytes", report->what,
                status, (long long)report->sizes[STREAM_OUTPUT]);
        reply_init(&reply, REPLY_REPORT);
        reply.pid = status;
        reply.address = (uint32_t)report->sizes[STREAM_OUTPUT];
        reply.prefix = (uint32_t)report->sizes[STREAM_ERRORS];
        connection_send_report(report->connection, &reply);
}

static const char *failure_reason(const struct report *report, const siginfo_t *info) {
        if (report->late || info->si_status == SIGXCPU)
                return "it took too long; does the user database answer?";
        if (info->si_status == SIGXFSZ)
                return "the answer is too long: ask for less at once";
        return "it failed; see journalctl -u coursenet-activator.service";
}

static int handle_exit(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct report *report = userdata;
        struct server *server = report->server;
        siginfo_t info = {0};

        (void)source;
        (void)fd;
        (void)events;
        (void)waitid(P_PID, (id_t)report->pid, &info, WEXITED | WNOHANG);
        report->pid = 0;
        report->exit_source = sd_event_source_disable_unref(report->exit_source);
        report->timeout_source = sd_event_source_disable_unref(report->timeout_source);

        if (report->connection && info.si_code == CLD_EXITED)
                answer(report, info.si_status);
        else {
                if (report->connection)
                        fail(report, failure_reason(report, &info));
                destroy(report);
        }
        start_waiting(server);
        return 0;
}

static int handle_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        struct report *report = userdata;

        (void)source;
        (void)usec;
        report->late = true;
        (void)kill(report->pid, SIGKILL);
        return 0;
}

static int watch_child(struct report *report) {
        sd_event *event = report->server->event;
        _cleanup_close_ int pidfd = peer_open_pidfd(report->pid);
        int r;

        if (pidfd < 0)
                return -EIO;
        r = sd_event_add_io(event, &report->exit_source, pidfd, EPOLLIN, handle_exit, report);
        if (r < 0)
                return r;
        (void)sd_event_source_set_io_fd_own(report->exit_source, true);
        pidfd = -1;
        return sd_event_add_time_relative(event, &report->timeout_source, CLOCK_MONOTONIC,
                REPORT_TIMEOUT_USEC, 0, handle_timeout, report);
}

static int start(struct report *report) {
        int r = start_child(report);

        if (r < 0)
                return r;
        r = watch_child(report);
        if (r < 0) {
                (void)kill(report->pid, SIGKILL);
                (void)waitpid(report->pid, NULL, 0);
                report->pid = 0;
        }
        return r;
}

/* --- turns ----------------------------------------------------------------------------------- */

static bool waits(const struct report *report) {
        return report->pid == 0 && !report->begun && report->connection;
}

/* One that was killed counts until it is reaped. */
static bool has_turn(const struct report *report) {
        const struct report *other;
        unsigned n = 0;

        DL_FOREACH (report->server->reports, other) {
                n += other->pid > 0;
                if (other->pid > 0 && other->key == report->key)
                        return false;
        }
        return n < REPORTS_MAX;
}

/* Starts what waits for its turn, the longest first. */
static void start_waiting(struct server *server) {
        struct report *report, *next;

        DL_FOREACH_SAFE(server->reports, report, next) {
                if (!waits(report) || !has_turn(report))
                        continue;
                report->begun = true;
                if (start(report) >= 0)
                        continue;
                fail(report, "it cannot be started; see journalctl -u coursenet-activator.service");
                destroy(report);
        }
}

/* --- what comes from the peer ---------------------------------------------------------------- */

/* The groups that the peer had when it connected. Returns their number; the caller frees them. */
static int read_groups(int fd, const struct ucred *peer, gid_t **ret) {
        gid_t *groups = NULL, *more;
        socklen_t size = 0;

        /* The first call only says how much room it takes. */
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) < 0 && errno != ERANGE)
                return -errno;
        more = realloc(groups, size + sizeof(gid_t));
        if (!more)
                return -ENOMEM;
        groups = more;
        if (size > 0 && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) {
                free(groups);
                return -errno;
        }
        groups[size / sizeof(gid_t)] = peer->gid;
        *ret = groups;
        return (int)(size / sizeof(gid_t)) + 1;
}

static int make_memory(const char *name, int *ret_fd) {
        *ret_fd = memfd_create(name, MFD_CLOEXEC);
        return *ret_fd < 0 ? -errno : 0;
}

static int write_input(
        struct report *report, int fd, const struct request *request, const struct ucred *peer) {
        struct report_peer input = {.uid = peer->uid, .request = *request};
        _cleanup_free_ gid_t *groups = NULL;
        size_t size;
        int n;

        n = read_groups(fd, peer, &groups);
        if (n < 0)
                return n;
        input.n_groups = (uint32_t)n;
        size = (size_t)n * sizeof(*groups);
        if (write(report->input, &input, sizeof(input)) != (ssize_t)sizeof(input) ||
                write(report->input, groups, size) != (ssize_t)size || lseek(report->input, 0, SEEK_SET) < 0)
                return -EIO;
        return 0;
}

static struct report *report_new(struct server *server, struct connection *connection,
        const struct request *request, const struct ucred *peer) {
        struct report *report = malloc(sizeof(*report));

        if (!report)
                return NULL;
        *report = (struct report){
                .server = server,
                .connection = connection,
                .key = query_peer_key(server, peer->uid),
                .uid = peer->uid,
                .input = -1,
                .streams = {-1, -1},
        };
        (void)snprintf(report->what, sizeof(report->what), "%.16s%s%.32s", request->service,
                request->user[0] ? " " : "", request->user);
        DL_APPEND(server->reports, report);
        return report;
}

void report_begin(struct server *server, struct connection *connection, int fd, const struct request *request,
        const struct ucred *peer) {
        struct report *report = report_new(server, connection, request, peer);
        int r = report ? make_memory("coursenet-report-input", &report->input) : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < _STREAM_MAX; i++)
                r = make_memory("coursenet-report", &report->streams[i]);
        if (r >= 0)
                r = write_input(report, fd, request, peer);
        if (r < 0) {
                if (report)
                        destroy(report);
                connection_reply_text(connection, REPLY_FAILED, strerror(-r));
                return;
        }
        connection_set_report(connection, report);
        start_waiting(server);
}

int report_send(struct report *report, int fd) {
        char chunk[CHUNK_SIZE];

        for (size_t i = 0; i < _STREAM_MAX; i++)
                while (report->sent[i] < report->sizes[i]) {
                        off_t left = report->sizes[i] - report->sent[i];
                        size_t size = left < (off_t)sizeof(chunk) ? (size_t)left : sizeof(chunk);
                        ssize_t n = pread(report->streams[i], chunk, size, report->sent[i]);

                        if (n <= 0)
                                return n < 0 ? -errno : -EIO;
                        n = send(fd, chunk, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
                        if (n < 0)
                                return errno == EAGAIN ? 0 : -errno;
                        report->sent[i] += n;
                }
        return 1;
}

void reports_done(struct server *server) {
        while (server->reports) {
                if (server->reports->pid > 0)
                        (void)kill(server->reports->pid, SIGKILL);
                destroy(server->reports);
        }
}
