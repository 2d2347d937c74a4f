/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The list has a call for each request without a reply, oldest first, which is the order of the replies. A
 * call that was dropped stays in the list until its reply comes. When the connection breaks, every call
 * fails.
 *
 * There is no time limit. A login that waits for the worker also waits for systemd, and goes on when that is
 * ready first. To give up a connection that is only slow would lose the order of what was sent over it.
 */

#include <dirent.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <utlist.h>

#include "base/event.h"
#include "base/log.h"
#include "number.h"
#include "worker-client.h"
#include "worker-protocol.h"

struct worker_call {
        struct worker_call **place; /* NULL: it was dropped, or nobody waits for it */
        worker_callback_t callback;
        void *userdata;
        uint32_t id;
        enum worker_verb verb;
        char seat[SEAT_ID_SIZE];
        struct worker_call *prev, *next;
};

struct worker_client {
        sd_event *event;
        struct sockaddr_un address;
        const char *receipts;
        int fd; /* -1: not connected */
        sd_event_source *source;
        struct worker_call *calls; /* a utlist */
        uint32_t last_id;
        bool told; /* the log has that it cannot be reached */
        void (*silent)(void *userdata);
        void *userdata;
        sd_event_source *timer; /* until the worker is silent; NULL: nothing is waited for */
};

struct worker_client *worker_client_new(sd_event *event, const char *socket, const char *receipts) {
        struct worker_client *client = calloc(1, sizeof(*client));

        if (!client)
                return NULL;
        client->event = event;
        client->fd = -1;
        client->address.sun_family = AF_UNIX;
        (void)string_copy(client->address.sun_path, sizeof(client->address.sun_path), socket);
        client->receipts = receipts;
        return client;
}

void worker_client_on_silence(struct worker_client *client, void (*silent)(void *userdata), void *userdata) {
        if (!client)
                return;
        client->silent = silent;
        client->userdata = userdata;
}

/* --- silence --------------------------------------------------------------------------------- */

/* systemd restarts the worker much sooner, and a request takes some milliseconds. */
#define SILENCE_USEC (2 * USEC_PER_SEC)

static void watch_silence(struct worker_client *client);

static int handle_silence(sd_event_source *source, uint64_t usec, void *userdata) {
        struct worker_client *client = userdata;

        (void)source;
        (void)usec;
        client->timer = sd_event_source_disable_unref(client->timer);
        if (client->fd >= 0 && !client->calls)
                return 0;
        client->silent(client->userdata);
        if (client->calls)
                watch_silence(client);
        return 0;
}

static void watch_silence(struct worker_client *client) {
        if (!client->silent || client->timer)
                return;
        (void)sd_event_add_time_relative(
                client->event, &client->timer, CLOCK_MONOTONIC, SILENCE_USEC, 0, handle_silence, client);
}

/* --- calls ----------------------------------------------------------------------------------- */

void worker_call_drop(struct worker_call **place) {
        if (*place)
                (*place)->place = NULL;
        *place = NULL;
}

/* The callback may make another call with the same place. */
static void finish(struct worker_client *client, struct worker_call *call, int error) {
        worker_callback_t callback = call->place ? call->callback : NULL;
        void *userdata = call->userdata;

        if (call->place)
                *call->place = NULL;
        DL_DELETE(client->calls, call);
        free(call);
        if (callback)
                callback(userdata, error);
}

static void disconnect(struct worker_client *client, int error) {
        struct worker_call *failed = client->calls, *call, *next;

        client->source = sd_event_source_disable_unref(client->source);
        close_pointer(&client->fd);
        /* What a callback sends goes to the next connection. */
        client->calls = NULL;
        DL_FOREACH_SAFE(failed, call, next) {
                DL_DELETE(failed, call);
                DL_APPEND(client->calls, call);
                finish(client, call, error);
        }
}

void worker_client_free(struct worker_client *client) {
        struct worker_call *call, *next;

        if (!client)
                return;
        DL_FOREACH_SAFE(client->calls, call, next) {
                if (call->place)
                        worker_call_drop(call->place);
        }
        disconnect(client, -ECANCELED);
        client->timer = sd_event_source_disable_unref(client->timer);
        free(client);
}

/* --- replies --------------------------------------------------------------------------------- */

static void handle_reply(struct worker_client *client, const struct worker_reply *reply) {
        struct worker_call *call = client->calls;

        if (!call || call->id != reply->id) {
                log_error("coursenet-worker sent a reply that no request waits for");
                disconnect(client, -EBADMSG);
                return;
        }
        /* The program of a unit that is at work is no mistake; that unit goes on with it. */
        if (reply->error < 0 && reply->error != -EBUSY)
                log_warning("coursenet-worker could not %s seat %s: %s",
                        call->verb == WORKER_PREPARE ? "prepare" : "discard", call->seat, reply->text);
        finish(client, call, reply->error);
}

static int handle_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct worker_client *client = userdata;
        struct {
                struct worker_reply reply;
                char more; /* so that a longer message is seen to be one */
        } message;
        ssize_t n;

        (void)source;
        (void)events;
        n = recv(fd, &message, sizeof(message), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n <= 0) {
                disconnect(client, -ECONNRESET);
                /* The time of an earlier request would be over before systemd has restarted the worker. */
                client->timer = sd_event_source_disable_unref(client->timer);
                watch_silence(client);
        } else if (worker_reply_check(&message, (size_t)n) < 0) {
                log_error("coursenet-worker sent something that is no reply; is it of another version?");
                disconnect(client, -EBADMSG);
        } else
                handle_reply(client, &message.reply);
        return 0;
}

/* --- requests -------------------------------------------------------------------------------- */

/* connect() of this kind of socket is done at once, or fails. */
static int open_connection(struct worker_client *client) {
        _cleanup_close_ int fd = -1;
        int r;

        if (client->fd >= 0)
                return 0;
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&client->address, sizeof(client->address)) < 0)
                return -errno;
        r = sd_event_add_io(client->event, &client->source, fd, EPOLLIN, handle_io, client);
        if (r >= 0)
                r = sd_event_source_set_priority(client->source, PRIORITY_BUS);
        if (r < 0) {
                client->source = sd_event_source_disable_unref(client->source);
                return r;
        }
        client->fd = fd;
        fd = -1;
        return 0;
}

static int send_over(struct worker_client *client, const struct worker_request *request) {
        int r = open_connection(client);

        if (r < 0)
                return r;
        return send(client->fd, request, sizeof(*request), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void note_result(struct worker_client *client, int error) {
        if (error < 0 && !client->told)
                log_explained(MESSAGE_NO_WORKER, SD_NOTICE,
                        "coursenet-worker cannot be asked (%s); logins wait for the units of their seats",
                        strerror(-error));
        client->told = error < 0;
}

/* A connection of a worker that has ended is noticed here, if its end has not been read yet. */
static int send_request(struct worker_client *client, struct worker_call *call) {
        struct worker_request request;
        int r;

        call->id = ++client->last_id;
        worker_request_init(&request, call->verb, call->id, call->seat);
        r = send_over(client, &request);
        if (r == -EPIPE || r == -ECONNRESET) {
                disconnect(client, r);
                r = send_over(client, &request);
        }
        note_result(client, r);
        return r;
}

static int begin(struct worker_client *client, enum worker_verb verb, const char *seat,
        worker_callback_t callback, void *userdata, struct worker_call **place) {
        struct worker_call *call;
        int r;

        if (!client)
                return -ENOTCONN;
        call = calloc(1, sizeof(*call));
        if (!call)
                return -ENOMEM;
        *call = (struct worker_call){.callback = callback, .userdata = userdata, .verb = verb};
        (void)string_copy(call->seat, sizeof(call->seat), seat);
        r = send_request(client, call);
        if (r < 0) {
                free(call);
                return r;
        }
        DL_APPEND(client->calls, call);
        watch_silence(client);
        call->place = place;
        if (place)
                *place = call;
        return 0;
}

int worker_client_prepare(struct worker_client *client, const char *seat, worker_callback_t callback,
        void *userdata, struct worker_call **place) {
        worker_call_drop(place);
        return begin(client, WORKER_PREPARE, seat, callback, userdata, place);
}

/*
 * Whether something has a receipt that is of the seat, or of its course: a worker that was killed may have
 * made the bridge only.
 */
static bool has_receipt(const struct worker_client *client, const char *seat) {
        DIR *dir = opendir(client->receipts);
        bool found = false;
        struct dirent *entry;

        while (dir && !found && (entry = readdir(dir))) {
                const char *at = strchr(entry->d_name, '@');

                if (at && at[1] != '\0')
                        found = string_starts_with(entry->d_name, "netbr@") ? string_starts_with(seat, at + 1)
                                                                            : string_equal(seat, at + 1);
        }
        if (dir)
                (void)closedir(dir);
        return found;
}

static bool is_being_prepared(const struct worker_client *client, const char *seat) {
        const struct worker_call *call;

        DL_FOREACH (client->calls, call)
                if (call->verb == WORKER_PREPARE && string_equal(call->seat, seat))
                        return true;
        return false;
}

int worker_client_discard(struct worker_client *client, const char *seat) {
        int r;

        if (!client || (!is_being_prepared(client, seat) && !has_receipt(client, seat)))
                return 0;
        r = begin(client, WORKER_DISCARD, seat, NULL, NULL, NULL);
        return r < 0 ? r : 1;
}

void worker_client_list(
        struct worker_client *client, void (*visit)(void *userdata, const char *seat), void *userdata) {
        DIR *dir = client ? opendir(client->receipts) : NULL;
        struct dirent *entry;

        while (dir && (entry = readdir(dir))) {
                const char *at = strchr(entry->d_name, '@');

                if (at && digits_only(at + 1) && strlen(at + 1) < SEAT_ID_SIZE)
                        visit(userdata, at + 1);
        }
        if (dir)
                (void)closedir(dir);
}
