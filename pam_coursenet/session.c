/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A session from open to close. What has to be undone is stored in the PAM handle, in one struct session that
 * is made at the first open and stays until pam_end(). An empty lease in it means that no lease is held.
 *
 * A lease is ended by close_session(), from whichever process calls it; by pam_end() with an error, which
 * sshd calls when a later module of the stack failed; or by the activator, when the opener has died.
 */

#include <sys/pidfd.h>
#include <syslog.h>

#include <security/pam_modutil.h>

#include "activator-client.h"
#include "address.h"
#include "join.h"
#include "number.h"
#include "seat-namespace.h"
#include "session.h"

#define DATA_NAME "coursenet-session"

#define MSEC_PER_SEC 1000U

/* How many times a login or a logout asks, if the activator goes away each time. */
#define CALL_ATTEMPTS 4

/* Has the user and the service of the open, because the handle's items may change later. */
struct session {
        pid_t opener;
        bool debug;
        unsigned timeout_seconds;
        char user[USER_NAME_SIZE];
        char service[SERVICE_SIZE];
        char lease[LEASE_ID_SIZE];
        struct origin origin;
};

static const char *const variables[] = {"COURSENET_COURSE", "COURSENET_SEAT", "COURSENET_ADDRESS"};

static void session_init(struct session *session, const struct login *login) {
        *session = (struct session){
                .opener = getpid(),
                .debug = login->options->debug,
                .timeout_seconds = login->options->timeout_seconds,
                .origin = ORIGIN_NONE,
        };
        protocol_copy_text(session->user, sizeof(session->user), login->user);
        protocol_copy_text(session->service, sizeof(session->service), login->service ? login->service : "");
}

/* --- the activator --------------------------------------------------------------------------- */

/* Describes a failure to talk to the activator, and where to look. */
static void describe_error(int error, unsigned timeout_seconds, char *text, size_t size) {
        switch (error) {
        case -ETIMEDOUT:
                (void)snprintf(text, size,
                        "no answer from the activator within %u s; journalctl -u "
                        "coursenet-activator.service",
                        timeout_seconds);
                break;
        case -ECONNRESET:
        case -EPIPE:
                (void)snprintf(
                        text, size, "the activator hung up; journalctl -u coursenet-activator.service");
                break;
        case -EBADMSG:
        case -EPROTO:
                (void)snprintf(text, size,
                        "the activator is of another version; systemctl restart "
                        "coursenet-activator.service");
                break;
        default:
                (void)snprintf(text, size,
                        "cannot reach the activator (" ACTIVATOR_SOCKET "): %s; systemctl status "
                        "coursenet-activator.socket",
                        strerror(-error));
        }
}

/*
 * An activator that goes away is restarted at once, so the request is sent again. repeatable: the request may
 * be carried out twice. If it may not, it is sent again only if the activator has not read it. An activator
 * of another version carries nothing out; an upgrade replaces it a moment later.
 */
static int call_until_answered(
        const struct request *request, int pidfd, bool repeatable, uint64_t deadline, struct reply *ret) {
        int r;

        do {
                r = -EPIPE;
                for (int i = 0; i < CALL_ATTEMPTS && (r == -EPIPE || (r == -ECONNRESET && repeatable)); i++)
                        r = activator_call(ACTIVATOR_SOCKET, request, pidfd, deadline, ret);
        } while (r == -EPROTO && activator_retry(r, deadline));
        return r;
}

/*
 * Ends the session's lease; if that is empty, a lease of this process, service and user. Such leases are
 * alike, and a second close would end another one.
 */
static void end_lease(pam_handle_t *pamh, const struct session *session) {
        struct request request;
        struct reply reply;
        char text[256];
        int r;

        request_init(&request, REQUEST_CLOSE);
        protocol_copy_text(request.user, sizeof(request.user), session->user);
        protocol_copy_text(request.service, sizeof(request.service), session->service);
        protocol_copy_text(request.lease, sizeof(request.lease), session->lease);
        request.timeout_ms = session->timeout_seconds * MSEC_PER_SEC;

        r = call_until_answered(
                &request, -1, request.lease[0], deadline_after_ms(request.timeout_ms), &reply);
        if (r == -EACCES || r == -EPERM) {
                /* A process that is no longer root often closes the session. */
                if (session->debug)
                        pam_syslog(pamh, LOG_DEBUG,
                                "%s: no right to end the lease, which ends with its opener", session->user);
        } else if (r < 0) {
                describe_error(r, session->timeout_seconds, text, sizeof(text));
                pam_syslog(pamh, LOG_ERR, "%s: cannot end the lease: %s", session->user, text);
        } else if (reply.type != REPLY_DONE)
                pam_syslog(pamh, LOG_ERR, "%s: the lease was not ended: %s", session->user, reply.text);
        else if (session->debug)
                pam_syslog(pamh, LOG_DEBUG, "%s: lease %s ended", session->user,
                        session->lease[0] ? session->lease : "of this process");
}

/* --- the handle's data ----------------------------------------------------------------------- */

/*
 * Releases everything that the session has. The process leaves the namespace first: if it stayed, it would
 * keep the namespace, and would have no network when the seat is down.
 */
static void session_release(pam_handle_t *pamh, struct session *session) {
        int r = join_leave(&session->origin);

        if (r < 0)
                pam_syslog(pamh, LOG_ERR,
                        "%s: cannot go back to the network namespace from before the session: %s",
                        session->user, strerror(-r));
        if (session->lease[0] == '\0')
                return;
        end_lease(pamh, session);
        session->lease[0] = '\0';
}

/*
 * libpam calls this from pam_end(). The status has flags above the PAM code. Success means that the session
 * goes on without the handle, like JupyterHub's. A process other than the opener (a forked child that cleans
 * up) has nothing to end.
 */
static void session_free(pam_handle_t *pamh, void *data, int error_status) {
        bool silent = error_status & PAM_DATA_SILENT;
        int status = error_status & ~(PAM_DATA_SILENT | PAM_DATA_REPLACE);
        struct session *session = data;

        if (!silent && status != PAM_SUCCESS && session->opener == getpid())
                session_release(pamh, session);
        origin_done(&session->origin);
        free(session);
}

static struct session *session_find(pam_handle_t *pamh) {
        const void *data = NULL;

        return pam_get_data(pamh, DATA_NAME, &data) == PAM_SUCCESS ? (struct session *)data : NULL;
}

/* The handle's session, borrowed and empty: if a session was opened and not closed, it is released. */
static int session_prepare(const struct login *login, struct session **ret) {
        struct session *session = session_find(login->pamh);

        if (session && session->opener == getpid()) {
                session_release(login->pamh, session);
                session_init(session, login);
                *ret = session;
                return 0;
        }

        session = malloc(sizeof(*session));
        if (!session)
                return -ENOMEM;
        session_init(session, login);
        if (pam_set_data(login->pamh, DATA_NAME, session, session_free) != PAM_SUCCESS) {
                free(session);
                return -ENOMEM;
        }
        *ret = session;
        return 0;
}

/* --- open ------------------------------------------------------------------------------------ */

static void copy_item(const struct login *login, int item, char *array, size_t size) {
        const void *text = NULL;

        if (pam_get_item(login->pamh, item, &text) == PAM_SUCCESS && text)
                protocol_copy_text(array, size, text);
}

static void build_request(
        const struct login *login, const struct session *session, uid_t uid, struct request *ret) {
        static const uint32_t wait_flags[] = {
                [WAIT_NETWORK] = 0,
                [WAIT_CONTAINER] = REQUEST_WAIT_CONTAINER,
                [WAIT_NONE] = REQUEST_NO_WAIT,
        };

        request_init(ret, REQUEST_OPEN);
        ret->uid = uid;
        ret->flags = wait_flags[login->options->wait];
        ret->timeout_ms = session->timeout_seconds * MSEC_PER_SEC;
        protocol_copy_text(ret->user, sizeof(ret->user), session->user);
        protocol_copy_text(ret->service, sizeof(ret->service), session->service);
        copy_item(login, PAM_TTY, ret->tty, sizeof(ret->tty));
        copy_item(login, PAM_RHOST, ret->remote_host, sizeof(ret->remote_host));
}

/* The reply's texts become names of files and variables, so they are checked, although root sent them. */
static bool reply_names_seat(const struct login *login, const struct reply *reply) {
        size_t length = strlen(login->course);

        return reply->lease[0] && string_equal(reply->course, login->course) && digits_only(reply->seat) &&
               strlen(reply->seat) < SEAT_ID_SIZE && strlen(reply->seat) > length &&
               string_starts_with(reply->seat, login->course) && reply->address != 0;
}

static int check_answer(const struct login *login, const struct reply *reply) {
        switch (reply->type) {
        case REPLY_DONE:
                if (reply_names_seat(login, reply))
                        return 0;
                return login_deny(login, -EBADMSG, REFUSAL_NO_ACTIVATOR, SENTENCE_FAILED,
                        "the activator answered with seat '%s' of course '%s', which is not valid",
                        reply->seat, reply->course);
        case REPLY_NO_SEAT:
                return login_deny(
                        login, -ENOENT, REFUSAL_LOGGED, SENTENCE_NO_SEAT, "no seat: %s", reply->text);
        case REPLY_NO_NAME:
                return login_deny_name(login, REFUSAL_LOGGED, reply->text);
        case REPLY_REFUSED:
                return login_deny(login, -EPERM, REFUSAL_LOGGED, SENTENCE_FAILED, "refused: %s", reply->text);
        case REPLY_NOT_HERE:
                return login_deny(login, -EPERM, REFUSAL_LOGGED, SENTENCE_TOLD, "%s", reply->text);
        case REPLY_FAILED:
                return login_deny(login, -EIO, REFUSAL_LOGGED, SENTENCE_FAILED,
                        "the seat did not come up: %s", reply->text);
        case REPLY_NO_CONTAINER:
                return login_deny(login, -EIO, REFUSAL_LOGGED, SENTENCE_FAILED,
                        "the seat's container did not come up: %s", reply->text);
        case REPLY_TIMEOUT:
                return login_deny(login, -ETIMEDOUT, REFUSAL_LOGGED, SENTENCE_SLOW,
                        "the seat did not come up in time: %s", reply->text);
        default:
                return login_deny(login, -EBADMSG, REFUSAL_NO_ACTIVATOR, SENTENCE_FAILED,
                        "the activator sent an unexpected answer (%u)", reply->type);
        }
}

/* Even if the rest of the answer is wrong, the session has to end a lease in it from here on. */
static int get_lease(const struct login *login, uid_t uid, struct session *session, struct reply *ret) {
        uint64_t deadline = deadline_after_ms(session->timeout_seconds * MSEC_PER_SEC);
        _cleanup_close_ int pidfd = -1;
        struct request request;
        char text[256];
        int r;

        pidfd = pidfd_open(getpid(), 0);
        if (pidfd < 0) {
                r = -errno;
                return login_deny(
                        login, r, REFUSAL_PROGRAM, SENTENCE_FAILED, "cannot open a pidfd: %s", strerror(-r));
        }

        build_request(login, session, uid, &request);
        r = activator_draw_token(request.lease);
        if (r < 0)
                return login_deny(login, r, REFUSAL_PROGRAM, SENTENCE_FAILED,
                        "cannot draw a random number: %s", strerror(-r));
        /* The token makes it one request. */
        r = call_until_answered(&request, pidfd, true, deadline, ret);
        if (r < 0) {
                describe_error(r, session->timeout_seconds, text, sizeof(text));
                return login_deny(login, r, REFUSAL_NO_ACTIVATOR,
                        r == -ETIMEDOUT ? SENTENCE_SLOW : SENTENCE_FAILED, "%s", text);
        }

        if (ret->type == REPLY_DONE)
                protocol_copy_text(session->lease, sizeof(session->lease), ret->lease);
        return check_answer(login, ret);
}

static int enter_seat(const struct login *login, struct session *session, const char *seat) {
        const char *failed;
        int r;

        if (!login->options->join)
                return 0;
        r = join_seat(seat, &session->origin, &failed);
        if (r < 0)
                return login_deny(login, r, REFUSAL_PROGRAM, SENTENCE_FAILED,
                        SEAT_NAMESPACE "%s %s: %s; systemctl status netns@%s", seat, failed, strerror(-r),
                        seat);
        login_debug(login, "joined " SEAT_NAMESPACE "%s", seat);
        return 0;
}

static int set_variables(const struct login *login, const struct reply *reply) {
        char address[ADDRESS_TEXT_SIZE], text[64];
        const char *const values[] = {reply->course, reply->seat, address};

        address_format_ip(reply->address, address);
        for (size_t i = 0; i < ELEMENTSOF(variables); i++) {
                (void)snprintf(text, sizeof(text), "%s=%s", variables[i], values[i]);
                if (pam_putenv(login->pamh, text) != PAM_SUCCESS)
                        return login_deny(
                                login, -ENOMEM, REFUSAL_PROGRAM, SENTENCE_FAILED, "cannot set %s", text);
        }
        return 0;
}

/* A session without a seat must not look like a session with one. */
static void unset_variables(const struct login *login) {
        for (size_t i = 0; i < ELEMENTSOF(variables); i++)
                if (pam_getenv(login->pamh, variables[i]))
                        (void)pam_putenv(login->pamh, variables[i]);
}

/* libpam and libc say no more of a look-up that fails than errno, which is also set if there is no such
 * account. */
static const char *describe_lookup(int error) {
        static const int shortages[] = {EAGAIN, EIO, EMFILE, ENFILE, ENOMEM, ETIMEDOUT};

        for (size_t i = 0; i < ELEMENTSOF(shortages); i++)
                if (error == shortages[i])
                        return strerror(error);
        return "there is no account of this name";
}

/* What can be refused without asking the activator. */
static int check_host(const struct login *login, uid_t *ret_uid) {
        const struct passwd *account;
        int r;

        errno = 0;
        account = pam_modutil_getpwnam(login->pamh, login->user);
        if (!account)
                return login_deny(login, -ENOENT, REFUSAL_PROGRAM, SENTENCE_FAILED,
                        "the account was not found: %s; getent passwd %s", describe_lookup(errno),
                        login->user);
        *ret_uid = account->pw_uid;

        if (!login->options->join)
                return 0;
        r = join_check_threads(login->service);
        if (r == -EBUSY)
                return login_deny(login, r, REFUSAL_PROGRAM, SENTENCE_FAILED,
                        "a program with threads cannot join a seat; its line in pam.d needs join=no");
        if (r < 0)
                return login_deny(login, r, REFUSAL_PROGRAM, SENTENCE_FAILED,
                        "cannot count threads in /proc/self/task: %s", strerror(-r));
        return 0;
}

static int fill_session(const struct login *login, uid_t uid, struct session *session) {
        struct reply reply;
        int r;

        r = get_lease(login, uid, session, &reply);
        if (r < 0)
                return r;
        login_debug(login, "lease %s on seat %s", reply.lease, reply.seat);

        r = enter_seat(login, session, reply.seat);
        if (r < 0)
                return r;
        return set_variables(login, &reply);
}

int session_open(const struct login *login) {
        struct session *session;
        uid_t uid = (uid_t)-1;
        int r;

        r = session_prepare(login, &session);
        if (r < 0)
                return login_deny(login, r, REFUSAL_PROGRAM, SENTENCE_FAILED, "%s", strerror(-r));
        unset_variables(login);

        r = check_host(login, &uid);
        if (r < 0)
                return r;

        r = fill_session(login, uid, session);
        if (r < 0) {
                session_release(login->pamh, session);
                unset_variables(login);
        }
        return r;
}

void session_note(const struct login *login) {
        const struct passwd *account = pam_modutil_getpwnam(login->pamh, login->user);
        unsigned timeout_seconds = login->options->timeout_seconds;
        struct request request;
        struct reply reply;
        char text[256];
        int r;

        if (!account)
                return;
        request_init(&request, REQUEST_NOTE);
        request.uid = account->pw_uid;
        protocol_copy_text(request.user, sizeof(request.user), login->user);
        request.timeout_ms = timeout_seconds * MSEC_PER_SEC;

        r = activator_call(ACTIVATOR_SOCKET, &request, -1, deadline_after_ms(request.timeout_ms), &reply);
        if (r >= 0)
                return;
        describe_error(r, timeout_seconds, text, sizeof(text));
        pam_syslog(login->pamh, LOG_ERR, "%s: this session could not be reported to the fence: %s",
                login->user, text);
}

/* --- close ----------------------------------------------------------------------------------- */

void session_close(const struct login *login) {
        struct session *session = session_find(login->pamh), elsewhere;

        if (session && session->opener == getpid()) {
                /* Without a lease, the activator is not asked, because it would end the lease of a similar
                 * session. */
                if (session->lease[0] == '\0')
                        login_debug(login, "there is no lease to end");
                session_release(login->pamh, session);
                unset_variables(login);
                return;
        }

        /* The session was opened on another handle or by another process, so the activator finds the lease.
         */
        session_init(&elsewhere, login);
        end_lease(login->pamh, &elsewhere);
}
