/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the module, coursenetctl and coursenet-enter say to the activator, and what it answers: one fixed-size
 * request and one fixed-size reply (for REQUEST_STATUS: any number of replies, then an end) over AF_UNIX
 * SOCK_SEQPACKET, so that the kernel keeps messages whole. Both ends are on one machine and of one
 * installation, so integers have the machine's own format, and a message with another size, magic or version
 * is refused.
 *
 * REQUEST_OPEN and REQUEST_ENTER carry one file descriptor, SCM_RIGHTS: a pidfd of the sender. With it the
 * activator notices the opener's death, even if the process number is reused. The answer to REQUEST_ENTER
 * carries the seat's network namespace. REQUEST_CHANGE may carry a sealed memfd with a text, see below.
 */

#include <stdint.h>

#include "name-rule.h"
#include "seat-id.h"

#define ACTIVATOR_SOCKET "/run/coursenet/activator.sock"
#define QUERY_SOCKET "/run/coursenet/query.sock"

#define PROTOCOL_MAGIC 0x636f7572U /* "cour" */
#define PROTOCOL_VERSION 2U

#define SERVICE_SIZE 32U /* a PAM service name; longer ones are cut */
#define ORIGIN_SIZE 128U /* a tty or a remote host; longer ones are cut */
#define LEASE_ID_SIZE 32U
#define ENTER_SERVICE "coursenet-enter" /* the service of a lease by REQUEST_ENTER */
#define HOLD_SERVICE "hold"         /* the service of an administrator's hold in REPLY_LEASE; its pid is 0 */
#define SCHEDULE_SERVICE "schedule" /* the same, of a hold for the time of a class */
#define REPLY_TEXT_SIZE 512U        /* room for a name in it */

/*
 * A random number in hexadecimal digits, which the caller of REQUEST_OPEN or REQUEST_ENTER sends instead of a
 * lease. If the activator goes away before it has answered, the same request to the next activator gets the
 * same lease: a restart refuses no login, and nobody has two leases.
 */
#define TOKEN_SIZE 17U
#define TOKEN_DIGITS "0123456789abcdef"

enum request_type {
        REQUEST_OPEN =
                1, /* root: a lease on the user's seat; the answer comes when the seat is up or has failed */
        REQUEST_CLOSE,  /* root: end the lease with that id; without an id, one of this process, service and
                           user */
        REQUEST_STATUS, /* the leases: all for root, their own for others */
        REQUEST_HOLD,   /* root: a lease on the user's seat that lasts until REQUEST_RELEASE or REQUEST_STOP;
                           service is HOLD_SERVICE or SCHEDULE_SERVICE, and empty is the first */
        REQUEST_STOP,   /* root: end every lease of the user, seat or course in user */
        REQUEST_RELOAD, /* root: read settings and rosters again and write the wiring of new seats */
        REQUEST_ENTER,  /* everybody: a lease on one's own seat that lasts as long as the sending process; the
                           activator fills in user, uid and service */
        REQUEST_NOTE,   /* root: the session of this account was refused; if it goes on anyway, the fence must
                           have its uid */
        REQUEST_REPORT, /* everybody: the output of the coursenetctl command in service ("status", "roster
                           list", "status --hosts"), limited to what the peer may see; user has its argument,
                           and tty, remote_host and lease have those of
                           --at, --since and --until; all may be empty */
        REQUEST_RELEASE, /* root: end the holds on the seats of the user, seat or course in user, and no
                            login; with a service only the holds of that service */
        REQUEST_CHANGE,  /* everybody: as REQUEST_REPORT, of a command that changes what the peer is staff of
                          */
        REQUEST_CAPTURE, /* everybody: the packets of the seat that user names by its id or its student, or of
                            one's own seat if user is empty. The answer brings a connection to
                            coursenet-capture@.service, see capture-protocol.h */
        REQUEST_VISIT, /* everybody: the network of the seat that user names by its id or its student, without
                          a lease. The answer brings the namespace */
        _REQUEST_TYPE_MAX,
};

enum request_flags {
        REQUEST_WAIT_CONTAINER = 1 << 0, /* answer when the container runs, not when the network is up */
        REQUEST_NO_WAIT = 1 << 1,   /* answer when the lease is made, whether or not anything is up yet */
        REQUEST_JSON = 1 << 2,      /* REQUEST_REPORT: with --json */
        REQUEST_NO_LEGEND = 1 << 3, /* REQUEST_REPORT: with --no-legend */
};

enum reply_type {
        REPLY_DONE = 1, /* yes; for REQUEST_STATUS: there are no more leases */
        REPLY_LEASE,    /* one lease of REQUEST_STATUS; more replies follow */
        REPLY_NO_SEAT,  /* the roster does not have this user */
        REPLY_NO_NAME,  /* by the site's settings this cannot be a course user's name */
        REPLY_REFUSED,  /* not allowed, or a limit is hit */
        REPLY_FAILED,   /* the seat did not come up */
        REPLY_TIMEOUT,  /* it did not come up in time */
        REPLY_KEPT,     /* REQUEST_STATUS: a lease that lingers after its login; more replies follow */
        REPLY_REPORT,   /* to REQUEST_REPORT: pid is the command's status; then its standard output follows,
                           address bytes, and its standard error, prefix bytes, in messages of any size */
        REPLY_NO_CONTAINER, /* REQUEST_WAIT_CONTAINER: the seat is up, its container is not; text says why,
                               also for the student */
        REPLY_NOT_HERE, /* the seat cannot be live on this server now; text is a sentence for the student */
        _REPLY_TYPE_MAX,
};

/* Strings are NUL-terminated within their arrays and filled with NUL; request_check() checks that. */
struct request {
        uint32_t magic;
        uint16_t version;
        uint16_t type;  /* enum request_type */
        uint32_t flags; /* enum request_flags */
        uint32_t uid; /* OPEN, NOTE: the account's uid. The module has it from NSS, which the activator never
                         asks. HOLD: the same, or 0 if it is not known */
        uint32_t timeout_ms; /* REQUEST_OPEN, REQUEST_ENTER: how long the caller will wait */
        uint32_t reserved;   /* zero */
        char user[USER_NAME_SIZE];
        char lease[LEASE_ID_SIZE]; /* REQUEST_CLOSE; OPEN, ENTER: a token. May be empty */
        char service[SERVICE_SIZE];
        char tty[ORIGIN_SIZE];
        char remote_host[ORIGIN_SIZE];
};

struct reply {
        uint32_t magic;
        uint16_t version;
        uint16_t type; /* enum reply_type */
        uint32_t uid;
        int32_t pid; /* REPLY_LEASE: the opener's; REPLY_KEPT: of the process that keeps the seat, 0: none */
        uint64_t
                since_usec; /* REPLY_LEASE: CLOCK_REALTIME in microseconds; REPLY_KEPT: until when, at most */
        uint32_t address;   /* of the seat, host byte order */
        uint32_t prefix;
        char lease[LEASE_ID_SIZE];
        char course[8]; /* COURSE_SIZE, rounded up */
        char seat[16];  /* SEAT_ID_SIZE, rounded up */
        char user[USER_NAME_SIZE];
        char service[SERVICE_SIZE];
        char tty[ORIGIN_SIZE];
        char remote_host[ORIGIN_SIZE];
        char text[REPLY_TEXT_SIZE]; /* a sentence for the log or an administrator: what failed and where to
                                       look; REPLY_KEPT: the process' name, and tty has its systemd unit */
};

/* Sets magic, version and type; everything else is zero. */
void request_init(struct request *request, enum request_type type);
void reply_init(struct reply *reply, enum reply_type type);

/*
 * Checks a received message before anything in it is used: size, magic, version, type, flags, and that every
 * string is terminated and printable, because strings get into logs, unit descriptions and terminals.
 * -EBADMSG if it is not a message of this protocol, -EPROTO if it is of another version.
 */
int request_check(const void *message, size_t size);
int reply_check(const void *message, size_t size);

/*
 * Copies text into a fixed array, cut to size, zero-filled; what is not printable ASCII becomes '?'.
 * For texts from outside (tty, remote host). Names are checked instead, and not changed.
 */
void protocol_copy_text(char *array, size_t size, const char *text);

/* Whether a string in a fixed array is terminated, printable, and filled with NUL. */
bool protocol_text_valid(const char *array, size_t size);

/* --- reports ------------------------------------------------------------------------------------ */

/*
 * REQUEST_REPORT: a user other than root asks for what only root can read. The activator starts `coursenetctl
 * for-peer` as root, which finds out what that user may see and prints only that. The activator itself never
 * asks the user database. On the child's standard input: a struct report_peer, then n_groups times a gid_t,
 * then the text of a REQUEST_CHANGE that has one.
 * REQUEST_CHANGE: the same, for what only root can do. The child sends a request of root's over
 * activator.sock.
 */
#define REPORT_COMMAND "for-peer"
#define REPORT_GROUPS_MAX 65536U /* NGROUPS_MAX, limits.h of Linux */

/*
 * A text that is too long for the request: the file of an exam, see exam.h. It is in a memfd that nobody can
 * change any more, because another kind of file could make its reader wait.
 */
#define CHANGE_TEXT_MAX 16384U
#define CHANGE_TEXT_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct report_peer {
        uint32_t uid;      /* as the kernel says */
        uint32_t n_groups; /* the supplementary groups, and the group itself */
        struct request request;
};

/*
 * What the child prints instead of text for REQUEST_CAPTURE and REQUEST_VISIT, if the peer may do that with
 * the seat.
 */
struct seat_grant {
        uint32_t address; /* of the seat, host byte order */
        uint32_t own;     /* 1: the seat is the peer's own; 0: it is somebody else's */
        char course[8];
        char seat[16];
        char user[USER_NAME_SIZE]; /* whose seat it is */
        char peer[USER_NAME_SIZE]; /* who asks; empty: the name is too long for a course user's */
};

/* -EBADMSG unless the strings are terminated and printable, and the seat is a number. */
int seat_grant_check(const void *message, size_t size);

/* --- the journal -------------------------------------------------------------------------------- */

/*
 * What the activator logs about leases, for `coursenetctl history`: the field COURSENET_EVENT is one of
 * these. They are also the middle of the message, "Seat 12310 (10.0.123.10) given to cs123-newellz2: sshd,
 * …".
 */

#define LEASE_GIVEN "given to"
/* Logged again for each lease that lasts, when the activator starts and once a day, because the journal drops
 * old entries.
 */
#define LEASE_HELD "still held by"
#define LEASE_GIVEN_BACK "given back by"
#define LEASE_TAKEN "taken from"
/* With linger: the login has ended and the seat stays; then the seat stops, too. */
#define LEASE_LINGERS "kept for a while for"
#define LEASE_LINGER_OVER "kept no longer for"
