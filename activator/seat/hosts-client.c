/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The first message over each connection is HOSTS_WATCH. Calls stay in the list until their replies come, and
 * are sent again over the next connection. Nothing is lost by that: a claim that the member has is answered
 * with yes.
 */

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <utlist.h>

#include "base/event.h"
#include "base/log.h"
#include "hosts-client.h"

/* A restart of coursenet-hosts takes a second. */
#define AGAIN_USEC (USEC_PER_SEC / 5)
#define TIMEOUT_USEC (HOSTS_ANSWER_SECONDS * USEC_PER_SEC)

struct hosts_call {
        struct hosts_client *client;
        struct hosts_call **place;
        hosts_callback_t callback;
        void *userdata;
        struct hosts_request request;
        sd_event_source *timer;
        struct hosts_call *prev, *next;
};

struct hosts_client {
        sd_event *event;
        struct sockaddr_un address;
        int fd; /* -1: not connected */
        sd_event_source *source, *timer;
        struct hosts_call *calls; /* a utlist */
        uint32_t last_id;
        bool known; /* it has been connected */
        hosts_push_t push;
        void *userdata;
};

static void connect_later(struct hosts_client *client);

static void free_call(struct hosts_call *call) {
        *call->place = NULL;
        DL_DELETE(call->client->calls, call);
        (void)sd_event_source_disable_unref(call->timer);
        free(call);
}

void hosts_call_drop(struct hosts_call **place) {
        if (*place)
                free_call(*place);
}

static void finish(struct hosts_call *call, const struct hosts_reply *reply) {
        hosts_callback_t callback = call->callback;
        void *userdata = call->userdata;

        free_call(call);
        callback(userdata, reply);
}

static void disconnect(struct hosts_client *client) {
        client->source = sd_event_source_disable_unref(client->source);
        close_pointer(&client->fd);
}

/* --- messages -------------------------------------------------------------------------------- */

static void handle_reply(struct hosts_client *client, const struct hosts_reply *reply) {
        struct hosts_call *call;

        if (reply->id == 0) {
                client->push(client->userdata, reply);
                return;
        }
        DL_FOREACH (client->calls, call)
                if (call->request.id == reply->id) {
                        finish(call, reply);
                        return;
                }
}

static int handle_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct hosts_client *client = userdata;
        struct {
                struct hosts_reply reply;
                char more; /* so that a longer message is seen to be one */
        } message;
        ssize_t n;

        (void)source;
        (void)events;
        n = recv(fd, &message, sizeof(message), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n > 0 && hosts_reply_check(&message, (size_t)n) >= 0) {
                handle_reply(client, &message.reply);
                return 0;
        }
        if (n > 0)
                log_error("coursenet-hosts sent something that is no reply; is it of another version?");
        disconnect(client);
        connect_later(client);
        return 0;
}

static int send_request(const struct hosts_client *client, const struct hosts_request *request) {
        return send(client->fd, request, sizeof(*request), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* --- the connection -------------------------------------------------------------------------- */

/* connect() of this kind of socket is done at once, or fails. */
static int open_connection(struct hosts_client *client) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int r;

        if (fd < 0 || connect(fd, (struct sockaddr *)&client->address, sizeof(client->address)) < 0)
                return -errno;
        r = sd_event_add_io(client->event, &client->source, fd, EPOLLIN, handle_io, client);
        if (r < 0)
                return r;
        client->fd = fd;
        client->known = true;
        fd = -1;
        return 0;
}

static int greet(struct hosts_client *client) {
        struct hosts_request request;
        struct hosts_call *call;
        int r;

        hosts_request_init(&request, HOSTS_WATCH, ++client->last_id);
        r = send_request(client, &request);
        DL_FOREACH (client->calls, call)
                if (r >= 0)
                        r = send_request(client, &call->request);
        return r;
}

/* 0: connected, and all calls are sent. */
static int ensure_connection(struct hosts_client *client) {
        int r;

        if (client->fd >= 0)
                return 0;
        r = open_connection(client);
        if (r >= 0)
                r = greet(client);
        if (r < 0)
                disconnect(client);
        return r;
}

static int handle_time(sd_event_source *source, uint64_t usec, void *userdata) {
        struct hosts_client *client = userdata;

        (void)source;
        (void)usec;
        client->timer = sd_event_source_disable_unref(client->timer);
        if (ensure_connection(client) < 0)
                connect_later(client);
        return 0;
}

/* Often while somebody waits, else now and then: what another member takes is told over it. */
static void connect_later(struct hosts_client *client) {
        if (client->timer || (!client->calls && !client->known))
                return;
        (void)sd_event_add_time_relative(client->event, &client->timer, CLOCK_MONOTONIC,
                client->calls ? AGAIN_USEC : 5 * AGAIN_USEC, 0, handle_time, client);
}

struct hosts_client *hosts_client_new(
        sd_event *event, const char *socket, hosts_push_t push, void *userdata) {
        struct hosts_client *client = calloc(1, sizeof(*client));

        if (!client)
                return NULL;
        *client = (struct hosts_client){
                .event = event,
                .address.sun_family = AF_UNIX,
                .fd = -1,
                .push = push,
                .userdata = userdata,
        };
        (void)string_copy(client->address.sun_path, sizeof(client->address.sun_path), socket);
        (void)ensure_connection(client);
        return client;
}

void hosts_client_free(struct hosts_client *client) {
        struct hosts_call *call, *next;

        if (!client)
                return;
        DL_FOREACH_SAFE(client->calls, call, next)
        free_call(call);
        disconnect(client);
        (void)sd_event_source_disable_unref(client->timer);
        free(client);
}

/* --- requests -------------------------------------------------------------------------------- */

static int handle_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        struct hosts_call *call = userdata;
        struct hosts_reply reply;

        (void)source;
        (void)usec;
        hosts_reply_init(&reply, HOSTS_REFUSED, call->request.id);
        reply.reason = HOSTS_NOT_READY;
        protocol_copy_text(reply.text, sizeof(reply.text),
                call->client->fd < 0
                        ? "coursenet-hosts is not running; systemctl status coursenet-hosts.service"
                        : "coursenet-hosts does not answer; systemctl status "
                          "coursenet-hosts.service");
        finish(call, &reply);
        return 0;
}

/* Longer than coursenet-hosts takes for its own refusal, which says more. */
static int set_timeout(struct hosts_call *call) {
        return sd_event_add_time_relative(call->client->event, &call->timer, CLOCK_MONOTONIC,
                TIMEOUT_USEC + USEC_PER_SEC / 10, 0, handle_timeout, call);
}

int hosts_client_claim(struct hosts_client *client, const char *seat, const char *user,
        hosts_callback_t callback, void *userdata, struct hosts_call **place) {
        bool connected = client && client->fd >= 0;
        struct hosts_call *call = client ? calloc(1, sizeof(*call)) : NULL;
        int r;

        if (!call)
                return -ENOMEM;
        *call = (struct hosts_call){
                .client = client, .place = place, .callback = callback, .userdata = userdata};
        hosts_request_init(&call->request, HOSTS_CLAIM, ++client->last_id);
        protocol_copy_text(call->request.seat, sizeof(call->request.seat), seat);
        protocol_copy_text(call->request.user, sizeof(call->request.user), user);
        DL_APPEND(client->calls, call);
        *place = call;
        r = set_timeout(call);
        if (r < 0) {
                free_call(call);
                return r;
        }
        /* A new connection sends it with the others. */
        r = connected ? send_request(client, &call->request) : ensure_connection(client);
        if (r < 0) {
                disconnect(client);
                /* An attempt that was not urgent may be due much later. */
                client->timer = sd_event_source_disable_unref(client->timer);
                connect_later(client);
        }
        return 0;
}

void hosts_client_release(struct hosts_client *client, const char *seat) {
        struct hosts_request request;

        if (!client || ensure_connection(client) < 0)
                return;
        hosts_request_init(&request, HOSTS_RELEASE, ++client->last_id);
        protocol_copy_text(request.seat, sizeof(request.seat), seat);
        (void)send_request(client, &request);
}
