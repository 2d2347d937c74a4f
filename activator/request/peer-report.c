/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Children that print reports. A struct report has one child, which may have to wait in the queue. */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "child.h"
#include "peer-report.h"
#include "protocol.h"

#define REPORTS_MAX 4U

/* A user database may take some seconds, and so may a journal of years. */
#define REPORT_TIMEOUT_USEC UINT64_C(20000000)

/* Changes have a queue of their own, because the start of a course takes longer than any report. */
#define CHANGES_MAX 2U
#define CHANGE_TIMEOUT_USEC UINT64_C(180000000)

#define CHUNK_SIZE 16384U

enum stream {
        STREAM_OUTPUT,
        STREAM_ERRORS,
        _STREAM_MAX,
};

struct report {
        struct peer_reports *reports;
        struct report **place;
        uid_t uid;
        char what[64]; /* for the log */
        int input, streams[_STREAM_MAX];
        off_t sizes[_STREAM_MAX], sent[_STREAM_MAX];
        struct child *child; /* NULL: it has ended */
        report_callback_t callback;
        void *userdata;
};

void report_free(struct report **place) {
        struct report *report = *place;

        if (!report)
                return;
        *place = NULL;
        child_drop(&report->child);
        close_pointer(&report->input);
        for (size_t i = 0; i < _STREAM_MAX; i++)
                close_pointer(&report->streams[i]);
        free(report);
}

/* --- the child ------------------------------------------------------------------------------- */

static int start_child(void *userdata, pid_t *ret_pid) {
        static const char *const arguments[] = {"coursenetctl", REPORT_COMMAND, NULL};
        char path[] = "PATH=/usr/sbin:/usr/bin";
        char *const environment[] = {path, NULL};
        const struct report *report = userdata;
        const struct child_streams streams = {
                report->input, report->streams[STREAM_OUTPUT], report->streams[STREAM_ERRORS]};

        return child_spawn_file(BIN_DIRECTORY "/coursenetctl", arguments, &streams, environment, ret_pid);
}

static void fail(struct report *report, const char *reason) {
        report_callback_t callback = report->callback;
        void *userdata = report->userdata;
        struct reply reply;

        query_log(report->reports->log, report->uid, "asks for a report (%s), which fails: %s", report->what,
                reason);
        report_free(report->place);
        reply_init(&reply, REPLY_FAILED);
        protocol_copy_text(reply.text, sizeof(reply.text), reason);
        callback(userdata, &reply);
}

/* What the child has printed is the answer, whatever its status. */
static void answer(struct report *report, int status) {
        struct reply reply;
        struct stat st;

        for (size_t i = 0; i < _STREAM_MAX; i++)
                report->sizes[i] = fstat(report->streams[i], &st) < 0 ? 0 : st.st_size;
        query_log(report->reports->log, report->uid, "asks for a report (%s): status %d, %lld bytes",
                report->what, status, (long long)report->sizes[STREAM_OUTPUT]);
        reply_init(&reply, REPLY_REPORT);
        reply.pid = status;
        reply.address = (uint32_t)report->sizes[STREAM_OUTPUT];
        reply.prefix = (uint32_t)report->sizes[STREAM_ERRORS];
        report->callback(report->userdata, &reply);
}

static const char *failure_reason(const siginfo_t *info, bool late) {
        if (!info)
                return "it cannot be started; see journalctl -u coursenet-activator.service";
        if (late || info->si_status == SIGXCPU)
                return "it took too long; does the user database answer?";
        if (info->si_status == SIGXFSZ)
                return "the answer is too long: ask for less at once";
        return "it failed; see journalctl -u coursenet-activator.service";
}

static void handle_end(void *userdata, const siginfo_t *info, bool late, int error) {
        struct report *report = userdata;

        (void)error;
        if (info && info->si_code == CLD_EXITED)
                answer(report, info->si_status);
        else
                fail(report, failure_reason(info, late));
}

static struct child_queue make_queue(sd_event *event, unsigned children_max, uint64_t timeout_usec) {
        return (struct child_queue){
                .event = event,
                .children_max = children_max,
                .timeout_usec = timeout_usec,
                .start = start_child,
                .ended = handle_end,
        };
}

void peer_reports_init(
        struct peer_reports *reports, sd_event *event, struct query_log *log, struct query_peers *peers) {
        *reports = (struct peer_reports){
                .log = log,
                .peers = peers,
                .children = make_queue(event, REPORTS_MAX, REPORT_TIMEOUT_USEC),
                .changes = make_queue(event, CHANGES_MAX, CHANGE_TIMEOUT_USEC),
        };
}

void peer_reports_done(struct peer_reports *reports) {
        child_queue_done(&reports->children);
        child_queue_done(&reports->changes);
}

/* --- what comes from the peer ---------------------------------------------------------------- */

/* The groups that the peer had when it connected. Returns their number; the caller frees them. */
static int read_groups(int fd, const struct ucred *peer, gid_t **ret) {
        gid_t *groups = NULL, *more;
        socklen_t size = 0;

        /* The first call only returns the size. */
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

/* The seals come first: they are in the kernel, and whatever else is asked of another file may hang. */
static int copy_text(int from, int to) {
        int seals = fcntl(from, F_GET_SEALS);
        char text[CHANGE_TEXT_MAX + 1];
        ssize_t n;

        if (seals < 0 || (seals & CHANGE_TEXT_SEALS) != CHANGE_TEXT_SEALS)
                return -EBADF;
        n = pread(from, text, sizeof(text), 0);
        if (n < 0 || n > (ssize_t)CHANGE_TEXT_MAX)
                return n < 0 ? -errno : -EFBIG;
        return write(to, text, (size_t)n) != n ? -EIO : 0;
}

/* text: -1, or a descriptor of the peer's. */
static int write_input(
        struct report *report, int fd, const struct request *request, const struct ucred *peer, int text) {
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
                write(report->input, groups, size) != (ssize_t)size)
                return -EIO;
        n = text < 0 ? 0 : copy_text(text, report->input);
        return n >= 0 && lseek(report->input, 0, SEEK_SET) < 0 ? -EIO : n;
}

/* The descriptors of the report, and on its input who asks and for what. */
static int fill(
        struct report *report, int fd, const struct request *request, const struct ucred *peer, int text) {
        int r = make_memory("coursenet-report-input", &report->input);

        for (size_t i = 0; r >= 0 && i < _STREAM_MAX; i++)
                r = make_memory("coursenet-report", &report->streams[i]);
        return r < 0 ? r : write_input(report, fd, request, peer, text);
}

int report_begin(struct peer_reports *reports, int fd, const struct request *request,
        const struct ucred *peer, int text, report_callback_t callback, void *userdata,
        struct report **place) {
        bool change = request->type == REQUEST_CHANGE;
        struct report *report = malloc(sizeof(*report));
        int r;

        if (!report)
                return -ENOMEM;
        *report = (struct report){
                .reports = reports,
                .place = place,
                .uid = peer->uid,
                .input = -1,
                .streams = {-1, -1},
                .callback = callback,
                .userdata = userdata,
        };
        *place = report;
        (void)snprintf(report->what, sizeof(report->what), "%.16s%s%.32s", request->service,
                request->user[0] ? " " : "", request->user);
        r = fill(report, fd, request, peer, change ? text : -1);
        if (r >= 0)
                r = child_queue_add(change ? &reports->changes : &reports->children,
                        query_peer_key(reports->peers, peer->uid), report, &report->child);
        if (r < 0)
                report_free(place);
        return r;
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

int report_read_grant(const struct report *report, struct seat_grant *ret) {
        /* One byte more than a grant, so that a longer text is none. */
        char buffer[sizeof(struct seat_grant) + 1];
        ssize_t n = pread(report->streams[STREAM_OUTPUT], buffer, sizeof(buffer), 0);
        int r = n < 0 ? -errno : seat_grant_check(buffer, (size_t)n);

        if (r >= 0)
                memcpy(ret, buffer, sizeof(*ret));
        return r;
}
