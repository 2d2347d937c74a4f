/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The grant comes from the activator, everything else from a user. The link is opened, and the only
 * capability dropped, before the user's filter is used. That filter is a program of the kernel's packet
 * filter, and no text: coursenet-capture has compiled it, as the user, so no parser runs here.
 */

#include <inttypes.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <time.h>

#include "link-capture.h"
#include "message-fd.h"
#include "session.h"

/* How long the user's coursenet-capture may take for its first message, and for reading the last one. */
#define START_TIMEOUT_MS 10000
#define END_TIMEOUT_MS 5000

/* How long a capture goes on when the user has ended it: the kernel still has packets from before. */
#define LAST_PACKETS_MS (2 * LINK_CAPTURE_DELAY_MS)

/* How soon a capture ends at the latest when its link has gone. */
#define LINK_CHECK_MS 1000U

struct session {
        int fd, place;
        struct seat_grant grant;
        struct capture_start start;
        struct link_capture capture;
        uint64_t end_msec, bytes_left, n_packets;
        bool stopping; /* the user has ended it */
};

static uint64_t now_msec(void) {
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000U + (uint64_t)ts.tv_nsec / 1000000U;
}

static int wait_for(int fd, short events, int timeout_ms) {
        struct pollfd pollfd = {.fd = fd, .events = events};
        int r;

        do
                r = poll(&pollfd, 1, timeout_ms);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return -errno;
        return r == 0 ? -ETIMEDOUT : 0;
}

/* --- the beginning --------------------------------------------------------------------------- */

static int receive_grant(struct session *session) {
        struct iovec iovec = {.iov_base = &session->grant, .iov_len = sizeof(session->grant)};
        struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1};
        struct message_fd room;
        struct ucred peer;
        socklen_t size = sizeof(peer);
        ssize_t n;

        if (getsockopt(session->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != 0)
                return -EPERM;
        message_expect_fd(&message, &room);
        n = recvmsg(session->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        if (n < 0)
                return -errno;
        session->place = message_take_fd(&message);
        if (session->place < 0 || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
                return -EBADMSG;
        return seat_grant_check(&session->grant, (size_t)n);
}

/* Descriptors that come along are closed by the kernel, because there is no room for them. */
static int receive_start(struct session *session) {
        struct capture_start *start = &session->start;
        ssize_t n;
        int r;

        r = wait_for(session->fd, POLLIN, START_TIMEOUT_MS);
        if (r < 0)
                return r;
        /* With MSG_TRUNC n is the size of the message and not of what fits. */
        n = recv(session->fd, start, sizeof(*start), MSG_DONTWAIT | MSG_TRUNC);
        if (n < (ssize_t)CAPTURE_START_SIZE(0) || start->n_instructions > BPF_MAXINSNS ||
                (size_t)n != CAPTURE_START_SIZE(start->n_instructions) || start->snaplen == 0 ||
                start->snaplen > CAPTURE_SNAPLEN_MAX)
                return -EBADMSG;
        return 0;
}

static int drop_capabilities(void) {
        static const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

        return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

static int open_link(struct session *session) {
        char link[sizeof("vl-") + SEAT_ID_SIZE];
        const struct capture_start *start = &session->start;
        int r;

        (void)snprintf(link, sizeof(link), "vl-%.*s", (int)SEAT_ID_SIZE, session->grant.seat);
        r = link_capture_open(&session->capture, link, start->snaplen);
        if (r < 0)
                return r;
        r = drop_capabilities();
        if (r >= 0 && start->n_instructions > 0)
                r = link_capture_filter(&session->capture, start->instructions, start->n_instructions);
        if (r < 0)
                link_capture_close(&session->capture);
        return r;
}

static const char *explain_failure(int error) {
        switch (error) {
        case -ENODEV:
                return "The seat is not up";
        case -EINVAL:
                return "The filter is no program of the packet filter";
        case -EBADMSG:
                return "The server is of another version";
        default:
                return strerror(-error);
        }
}

/* --- packets --------------------------------------------------------------------------------- */

/* 1: sent; 0: the socket has no room now; negative errno: the peer is gone. */
static int send_message(struct session *session) {
        struct link_capture *capture = &session->capture;

        if (send(session->fd, capture->message, capture->size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        session->bytes_left -= capture->size < session->bytes_left ? capture->size : session->bytes_left;
        capture->size = 0;
        return 1;
}

/* Sends packets until there is none, or no room for the next. 1: the one in the message waits for room. */
static int send_packets(struct session *session) {
        struct link_capture *capture = &session->capture;
        int r = 1;

        while (r > 0 && session->bytes_left > 0) {
                if (capture->size == 0) {
                        r = link_capture_next(capture);
                        if (r <= 0)
                                return r < 0 ? -ENETDOWN : 0;
                        session->n_packets++;
                }
                r = send_message(session);
                if (r == 0)
                        return 1;
        }
        return r < 0 ? r : 0;
}

/* Why the capture has ended, when poll() has returned: a static sentence, which may be empty. NULL: it has
 * not. */
static const char *find_end(struct session *session, const struct pollfd *peer, const struct pollfd *link) {
        uint64_t now = now_msec();

        if (peer->revents & POLLIN && !session->stopping) {
                session->stopping = true;
                if (session->end_msec > now + LAST_PACKETS_MS)
                        session->end_msec = now + LAST_PACKETS_MS;
        }
        if (session->bytes_left == 0)
                return "It has reached its greatest size.";
        if (now >= session->end_msec)
                return session->stopping ? "" : "Its time is over.";
        return link->revents & POLLERR ? "The seat has stopped." : NULL;
}

/*
 * For poll(). The kernel reports once that a link goes down, and nothing when it is deleted a moment later.
 * libpcap 1.10.5 may have taken that report while it looked for a packet, and goes on, because a link may
 * come up again. So the link is also looked at from time to time.
 */
static int time_left(const struct session *session) {
        uint64_t now = now_msec(), left = session->end_msec > now ? session->end_msec - now : 0;

        return (int)(left < LINK_CHECK_MS ? left : LINK_CHECK_MS);
}

/* Returns why the capture has ended, as a static sentence; NULL: the peer is gone. */
static const char *serve(struct session *session) {
        struct pollfd polled[] = {{.fd = session->fd}, {.fd = link_capture_fd(&session->capture)}};
        struct pollfd *peer = &polled[0], *link = &polled[1];
        bool waits = true;
        const char *why;
        int r;

        while (!(why = find_end(session, peer, link))) {
                /* The peer sends nothing more, and says with the end of its stream that it wants to stop. */
                peer->events = (short)((session->stopping ? 0 : POLLIN) | (waits ? POLLOUT : 0));
                link->events = waits ? 0 : POLLIN;
                if (poll(polled, ELEMENTSOF(polled), time_left(session)) < 0 && errno != EINTR)
                        return strerror(errno);
                if (peer->revents & (POLLHUP | POLLERR))
                        return NULL;
                r = send_packets(session);
                if (r == -ENETDOWN)
                        return "The seat has stopped.";
                if (r < 0)
                        return NULL;
                waits = r > 0;
        }
        return why;
}

/* --- the end --------------------------------------------------------------------------------- */

static void send_end(struct session *session, const char *format, ...) _printf_(2, 3);

static void send_end(struct session *session, const char *format, ...) {
        char text[256] = {CAPTURE_END};
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text + 1, sizeof(text) - 1, format, arguments);
        va_end(arguments);
        if (wait_for(session->fd, POLLOUT, END_TIMEOUT_MS) >= 0)
                (void)send(session->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void end(struct session *session, const char *why) {
        /* The one that still waits was never sent. */
        uint64_t n = session->n_packets - (session->n_packets > 0 && session->capture.size > 0);
        unsigned lost = link_capture_lost(&session->capture) + (unsigned)(session->n_packets - n);

        if (lost > 0)
                send_end(session,
                        "%s%s%" PRIu64 " packets; %u more were lost, because they were not read in time.",
                        why, why[0] ? " " : "", n, lost);
        else
                send_end(session, "%s%s%" PRIu64 " packets; none was lost.", why, why[0] ? " " : "", n);
}

static void run(struct session *session, const struct session_limits *limits) {
        const char *why;
        int r;

        r = receive_start(session);
        if (r >= 0)
                r = open_link(session);
        if (r < 0) {
                send_end(session, "%s.", explain_failure(r));
                return;
        }
        session->end_msec = now_msec() + limits->seconds * 1000U;
        session->bytes_left = limits->bytes;
        why = serve(session);
        if (why)
                end(session, why);
        link_capture_close(&session->capture);
}

int session_run(int fd, const struct session_limits *limits) {
        static struct session session;
        int r;

        session = (struct session){.fd = fd, .place = -1};
        r = receive_grant(&session);
        if (r >= 0)
                run(&session, limits);
        close_pointer(&session.place);
        return r;
}
