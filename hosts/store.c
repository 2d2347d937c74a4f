/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <utlist.h>

#include "clock.h"
#include "etcd.h"
#include "http.h"
#include "store.h"

/* A store that works answers in milliseconds, and has a new leader after one or two seconds. */
#define ATTEMPT_USEC (1500 * USEC_PER_MSEC)
#define ATTEMPT_MIN_USEC (300 * USEC_PER_MSEC)
#define PAUSE_MIN_USEC (100 * USEC_PER_MSEC)
#define PAUSE_MAX_USEC (2 * USEC_PER_SEC)

struct store_call {
        struct store *store;
        const char *path; /* static */
        char *body;
        store_callback_t callback;
        void *userdata;
        struct store_call **place;
        struct http_call *attempt;
        sd_event_source *timer; /* until the next attempt */
        uint64_t until_usec, sent_usec, pause_usec;
        size_t endpoint, n_tried; /* of this round */
        struct store_call *prev, *next;
};

struct store {
        sd_event *event;
        struct http *http;
        const struct hosts_settings *hosts;
        size_t endpoint; /* in use */
        char error[256];
        struct store_call *calls; /* a utlist */
};

int store_new(sd_event *event, const struct hosts_settings *hosts, struct store **ret) {
        const struct http_files files = {
                .ca = hosts->store_ca, .cert = hosts->store_cert, .key = hosts->store_key};
        struct store *store = calloc(1, sizeof(*store));
        int r;

        if (!store)
                return -ENOMEM;
        *store = (struct store){.event = event, .hosts = hosts};
        r = http_new(event, &files, &store->http);
        if (r < 0)
                free(store);
        else
                *ret = store;
        return r;
}

static void free_call(struct store_call *call) {
        if (call->place)
                *call->place = NULL;
        DL_DELETE(call->store->calls, call);
        http_call_free(call->attempt);
        (void)sd_event_source_disable_unref(call->timer);
        free(call->body);
        free(call);
}

void store_free(struct store *store) {
        struct store_call *call, *next;

        if (!store)
                return;
        DL_FOREACH_SAFE(store->calls, call, next)
        free_call(call);
        http_free(store->http);
        free(store);
}

const char *store_endpoint(const struct store *store) {
        return store->hosts->stores[store->endpoint];
}

const char *store_error(const struct store *store) {
        return store->error;
}

void store_call_drop(struct store_call **place) {
        if (*place)
                free_call(*place);
}

static void end(struct store_call *call, int error, json_object *answer) {
        store_callback_t callback = call->callback;
        void *userdata = call->userdata;
        uint64_t sent_usec = call->sent_usec;

        free_call(call);
        callback(userdata, error, answer, sent_usec);
}

/* --- answers --------------------------------------------------------------------------------- */

/*
 * etcd's text for a lease that does not exist: ErrGRPCLeaseNotFound of its package rpctypes. Its code of
 * gRPC, NotFound, is no proof: a gateway answers a path that it does not know with the same code.
 */
#define LEASE_NOT_FOUND "etcdserver: requested lease not found"

static void note_error(struct store *store, size_t endpoint, const char *text) {
        (void)snprintf(
                store->error, sizeof(store->error), "%s: %.120s", store->hosts->stores[endpoint], text);
        string_make_printable(store->error);
}

/*
 * What the store says of a failure. NULL: it is no failure. In a stream, an object has the text. Otherwise it
 * is in "error", and from etcd 3.6 on in "message", beside a code.
 */
static const char *failure_text(json_object *answer) {
        json_object *error = NULL;

        if (!json_object_object_get_ex(answer, "error", &error))
                return json_number(answer, "code") > 0 ? json_text(answer, "message") : NULL;
        return json_object_is_type(error, json_type_object) ? json_text(error, "message")
                                                            : json_text(answer, "error");
}

/* The answers of streams are in a member of their own. */
static json_object *without_frame(json_object *answer) {
        json_object *result = NULL;

        return json_object_object_get_ex(answer, "result", &result) ? result : answer;
}

/* 0: the answer counts. -ENOENT: there is no such lease. -EAGAIN: this endpoint cannot do it. */
static int judge(
        struct store *store, size_t endpoint, int error, long status, const char *body, json_object *answer) {
        char status_text[64] = "its answer is not etcd's";
        const char *text = failure_text(answer);
        struct etcd_header header;

        /* Each answer of etcd has a header, and no other program's has. */
        if (error >= 0 && status == 200 && !text && etcd_read_header(without_frame(answer), &header))
                return 0;
        if (error >= 0 && text && string_equal(text, LEASE_NOT_FOUND))
                return -ENOENT;
        if (status != 200)
                (void)snprintf(status_text, sizeof(status_text), "it answered with HTTP status %ld", status);
        note_error(store, endpoint, error < 0 ? body : text ? text : status_text);
        return -EAGAIN;
}

static void attempt(struct store_call *call);

static int handle_pause(sd_event_source *source, uint64_t usec, void *userdata) {
        struct store_call *call = userdata;

        (void)source;
        (void)usec;
        call->timer = sd_event_source_disable_unref(call->timer);
        attempt(call);
        return 0;
}

static int pause_call(struct store_call *call) {
        uint64_t usec = call->pause_usec;

        call->n_tried = 0;
        call->pause_usec = 2 * usec > PAUSE_MAX_USEC ? PAUSE_MAX_USEC : 2 * usec;
        if (now_boottime_usec() + usec >= call->until_usec)
                return -ETIMEDOUT;
        return sd_event_add_time_relative(
                call->store->event, &call->timer, CLOCK_BOOTTIME, usec, 1, handle_pause, call);
}

/* The endpoint failed: the next one, or a pause, or the end. */
static void go_on(struct store_call *call) {
        struct store *store = call->store;
        int r = 0;

        /* Another call may have found a better one meanwhile. */
        if (store->endpoint == call->endpoint)
                store->endpoint = (store->endpoint + 1) % store->hosts->n_stores;
        call->endpoint = store->endpoint;
        if (++call->n_tried >= store->hosts->n_stores)
                r = pause_call(call);
        else if (now_boottime_usec() >= call->until_usec)
                r = -ETIMEDOUT;
        else
                attempt(call);
        if (r < 0)
                end(call, r, NULL);
}

static void handle_answer(void *userdata, int error, long status, const char *body) {
        struct store_call *call = userdata;
        json_object *answer = error >= 0 ? json_tokener_parse(body) : NULL;
        int r;

        call->attempt = NULL;
        r = judge(call->store, call->endpoint, error, status, body, answer);
        if (r == -EAGAIN)
                go_on(call);
        else {
                call->store->endpoint = call->endpoint;
                call->store->error[0] = '\0';
                end(call, r, without_frame(answer));
        }
        json_object_put(answer);
}

/* Its share, so that each endpoint of the round has its turn. */
static uint64_t attempt_usec(uint64_t left_usec, size_t n_untried) {
        uint64_t usec = left_usec / n_untried;

        if (usec < ATTEMPT_MIN_USEC)
                usec = ATTEMPT_MIN_USEC;
        if (usec > ATTEMPT_USEC)
                usec = ATTEMPT_USEC;
        return usec < left_usec ? usec : left_usec;
}

static void attempt(struct store_call *call) {
        uint64_t now = now_boottime_usec(), left = call->until_usec > now ? call->until_usec - now : 1;
        char url[STORE_URL_SIZE + 32];

        left = attempt_usec(left, call->store->hosts->n_stores - call->n_tried);
        (void)snprintf(url, sizeof(url), "%s%s", call->store->hosts->stores[call->endpoint], call->path);
        call->sent_usec = now;
        call->attempt = http_post(call->store->http, url, call->body, NULL,
                (unsigned)(left / USEC_PER_MSEC) + 1, NULL, handle_answer, call);
        if (!call->attempt)
                end(call, -ENOMEM, NULL);
}

static int handle_begin(sd_event_source *source, void *userdata) {
        struct store_call *call = userdata;

        (void)source;
        call->timer = sd_event_source_disable_unref(call->timer);
        attempt(call);
        return 0;
}

int store_call(struct store *store, const char *path, char *body, uint64_t within_usec,
        store_callback_t callback, void *userdata, struct store_call **place) {
        struct store_call *call = calloc(1, sizeof(*call));
        int r;

        if (!call || !body) {
                free(call);
                free(body);
                return -ENOMEM;
        }
        *call = (struct store_call){
                .store = store,
                .path = path,
                .body = body,
                .callback = callback,
                .userdata = userdata,
                .place = place,
                .endpoint = store->endpoint,
                .until_usec = now_boottime_usec() + within_usec,
                .pause_usec = PAUSE_MIN_USEC,
        };
        DL_APPEND(store->calls, call);
        if (place)
                *place = call;
        /* The callback never comes before this returns. */
        r = sd_event_add_defer(store->event, &call->timer, handle_begin, call);
        if (r < 0)
                free_call(call);
        return r;
}

/* --- a stream -------------------------------------------------------------------------------- */

/* A server of the store that has lost the others ends the stream then, instead of staying silent. */
#define NEED_LEADER "Grpc-Metadata-hasleader: true"

struct store_stream {
        struct store *store;
        struct http_call *call;
        size_t endpoint;
        store_message_t message;
        void *userdata;
};

void store_stream_close(struct store_stream *stream) {
        if (!stream)
                return;
        http_call_free(stream->call);
        free(stream);
}

static void end_stream(struct store_stream *stream) {
        store_message_t message = stream->message;
        void *owner = stream->userdata;

        store_stream_close(stream);
        message(owner, NULL);
}

static void handle_end(void *userdata, int error, long status, const char *body) {
        struct store_stream *stream = userdata;

        (void)status;
        if (error < 0)
                note_error(stream->store, stream->endpoint, body);
        stream->call = NULL;
        end_stream(stream);
}

/* A line that cannot be read may have had a change: who follows the changes has to begin again. */
static void handle_line(void *userdata, const char *line) {
        struct store_stream *stream = userdata;
        json_object *message = json_tokener_parse(line);

        if (message)
                stream->message(stream->userdata, message);
        else if (line[0])
                end_stream(stream);
        json_object_put(message);
}

struct store_stream *store_stream_open(
        struct store *store, const char *path, char *body, store_message_t message, void *userdata) {
        struct store_stream *stream = calloc(1, sizeof(*stream));
        char url[STORE_URL_SIZE + 32];

        if (stream && body) {
                *stream = (struct store_stream){.store = store,
                        .endpoint = store->endpoint,
                        .message = message,
                        .userdata = userdata};
                (void)snprintf(url, sizeof(url), "%s%s", store_endpoint(store), path);
                stream->call =
                        http_post(store->http, url, body, NEED_LEADER, 0, handle_line, handle_end, stream);
        }
        free(body);
        if (stream && stream->call)
                return stream;
        free(stream);
        return NULL;
}

bool store_stream_is_stale(const struct store_stream *stream) {
        return stream->endpoint != stream->store->endpoint;
}
