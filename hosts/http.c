/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * libcurl says which sockets and which time it waits for, and is told when they are ready
 * (curl_multi_socket_action(3)). While it runs it must not be called again. So its callbacks only collect
 * data, and what was collected is passed on when it has returned.
 */

#include <curl/curl.h>
#include <sys/epoll.h>
#include <utlist.h>

#include "clock.h"
#include "http.h"

#define CONNECT_TIMEOUT_MS 500L
#define CONNECTIONS_MAX 32L

/* A store of 64 courses with 600 seats each has 10 MiB. */
#define BODY_SIZE_MAX ((size_t)64 * 1024 * 1024)

struct http_call {
        struct http *http;
        CURL *easy;
        struct curl_slist *headers;
        char *data; /* what came and was not passed on; NUL-terminated */
        size_t size, room;
        http_line_t line;
        http_done_t done;
        void *userdata;
        char error[CURL_ERROR_SIZE];
        struct http_call *prev, *next;
};

struct http {
        sd_event *event;
        CURLM *multi;
        sd_event_source *timer;
        struct http_files files;
        struct http_call *calls; /* a utlist */
};

/* --- what libcurl waits for ------------------------------------------------------------------ */

static void act(struct http *http, curl_socket_t fd, int events);

static int handle_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        int flags = 0;

        (void)source;
        if (events & EPOLLIN)
                flags |= CURL_CSELECT_IN;
        if (events & EPOLLOUT)
                flags |= CURL_CSELECT_OUT;
        if (events & (EPOLLERR | EPOLLHUP))
                flags |= CURL_CSELECT_ERR;
        act(userdata, fd, flags);
        return 0;
}

static int handle_socket(CURL *easy, curl_socket_t fd, int action, void *userdata, void *socket_data) {
        static const uint32_t masks[] = {
                [CURL_POLL_IN] = EPOLLIN, [CURL_POLL_OUT] = EPOLLOUT, [CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT};
        sd_event_source *source = socket_data;
        struct http *http = userdata;

        (void)easy;
        if (action == CURL_POLL_REMOVE) {
                (void)sd_event_source_disable_unref(source);
                (void)curl_multi_assign(http->multi, fd, NULL);
                return 0;
        }
        if (source)
                return sd_event_source_set_io_events(source, masks[action]) < 0 ? -1 : 0;
        if (sd_event_add_io(http->event, &source, fd, masks[action], handle_io, http) < 0)
                return -1;
        (void)curl_multi_assign(http->multi, fd, source);
        return 0;
}

static int handle_time(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        act(userdata, CURL_SOCKET_TIMEOUT, 0);
        return 0;
}

static int handle_timer(CURLM *multi, long timeout_ms, void *userdata) {
        struct http *http = userdata;

        (void)multi;
        if (timeout_ms < 0)
                return sd_event_source_set_enabled(http->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
        if (sd_event_source_set_time_relative(http->timer, (uint64_t)timeout_ms * USEC_PER_MSEC) < 0)
                return -1;
        return sd_event_source_set_enabled(http->timer, SD_EVENT_ONESHOT) < 0 ? -1 : 0;
}

/* --- data ------------------------------------------------------------------------------------ */

static size_t handle_data(char *data, size_t one, size_t size, void *userdata) {
        struct http_call *call = userdata;

        (void)one;
        if (call->size + size > BODY_SIZE_MAX)
                return 0;
        if (call->size + size + 1 > call->room) {
                size_t room = 2 * (call->size + size + 1);
                char *grown = realloc(call->data, room);

                if (!grown)
                        return 0;
                call->data = grown;
                call->room = room;
        }
        memcpy(call->data + call->size, data, size);
        call->size += size;
        call->data[call->size] = '\0';
        return size;
}

/* The first whole line, which the caller frees; NULL: there is none. */
static char *take_line(struct http_call *call) {
        char *end = call->line && call->data ? memchr(call->data, '\n', call->size) : NULL, *line;
        size_t length;

        if (!end)
                return NULL;
        length = (size_t)(end - call->data);
        line = strndup(call->data, length);
        if (!line)
                return NULL;
        call->size -= length + 1;
        memmove(call->data, end + 1, call->size + 1);
        return line;
}

/* A callback may free any call. Returns whether a line was passed on. */
static bool pass_line(struct http *http) {
        struct http_call *call;

        DL_FOREACH (http->calls, call) {
                _cleanup_free_ char *line = take_line(call);

                if (line) {
                        call->line(call->userdata, line);
                        return true;
                }
        }
        return false;
}

/* --- calls ----------------------------------------------------------------------------------- */

static int error_of(CURLcode code) {
        if (code == CURLE_OK)
                return 0;
        return code == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EIO;
}

static void finish(CURL *easy, CURLcode code) {
        http_done_t done;
        char *pointer = NULL;
        struct http_call *call;
        void *userdata;
        long status = 0;
        _cleanup_free_ char *body = NULL;
        char error[CURL_ERROR_SIZE];

        (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &pointer);
        call = (struct http_call *)(void *)pointer;
        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        body = call->data;
        call->data = NULL;
        done = call->done;
        userdata = call->userdata;
        (void)snprintf(error, sizeof(error), "%s", call->error[0] ? call->error : curl_easy_strerror(code));
        http_call_free(call);
        done(userdata, error_of(code), status, code != CURLE_OK ? error : body ? body : "");
}

static bool finish_one(struct http *http) {
        CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(http->multi, &left)))
                if (message->msg == CURLMSG_DONE) {
                        finish(message->easy_handle, message->data.result);
                        return true;
                }
        return false;
}

static void act(struct http *http, curl_socket_t fd, int events) {
        int running;

        (void)curl_multi_socket_action(http->multi, fd, events, &running);
        while (pass_line(http) || finish_one(http))
                ;
}

static bool set_options(struct http_call *call, const char *url, const char *body, unsigned timeout_ms) {
        const struct http_files *files = &call->http->files;
        CURL *easy = call->easy;
        bool good = true;

#define SET(option, value) good = good && curl_easy_setopt(easy, CURLOPT_##option, value) == CURLE_OK
        SET(URL, url);
        SET(PROTOCOLS_STR, "http,https");
        SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        SET(HTTPHEADER, call->headers);
        SET(COPYPOSTFIELDS, body);
        SET(WRITEFUNCTION, handle_data);
        SET(WRITEDATA, (void *)call);
        SET(PRIVATE, (void *)call);
        SET(ERRORBUFFER, call->error);
        SET(NOSIGNAL, 1L);
        SET(NOPROXY, "*");
        SET(FOLLOWLOCATION, 0L);
        SET(CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
        if (call->line) {
                /* A server that is gone without a word. */
                SET(TCP_KEEPALIVE, 1L);
                SET(TCP_KEEPIDLE, 5L);
                SET(TCP_KEEPINTVL, 2L);
        } else
                SET(TIMEOUT_MS, (long)timeout_ms);
        if (files->ca[0])
                SET(CAINFO, files->ca);
        if (files->cert[0])
                SET(SSLCERT, files->cert);
        if (files->key[0])
                SET(SSLKEY, files->key);
#undef SET
        return good;
}

/* Without "Expect: 100-continue" for a long body. more: NULL, or one header. NULL: out of memory. */
static struct curl_slist *make_headers(const char *more) {
        struct curl_slist *list = curl_slist_append(NULL, "Expect:"), *longer = NULL;

        if (!list || !more)
                return list;
        longer = curl_slist_append(list, more);
        if (!longer)
                curl_slist_free_all(list);
        return longer;
}

struct http_call *http_post(struct http *http, const char *url, const char *body, const char *header,
        unsigned timeout_ms, http_line_t line, http_done_t done, void *userdata) {
        struct http_call *call = calloc(1, sizeof(*call));

        if (!call)
                return NULL;
        *call = (struct http_call){.http = http, .line = line, .done = done, .userdata = userdata};
        DL_APPEND(http->calls, call);
        call->easy = curl_easy_init();
        call->headers = make_headers(header);
        if (!call->easy || !call->headers || !set_options(call, url, body, timeout_ms) ||
                curl_multi_add_handle(http->multi, call->easy) != CURLM_OK) {
                http_call_free(call);
                return NULL;
        }
        return call;
}

void http_call_free(struct http_call *call) {
        if (!call)
                return;
        DL_DELETE(call->http->calls, call);
        if (call->easy) {
                (void)curl_multi_remove_handle(call->http->multi, call->easy);
                curl_easy_cleanup(call->easy);
        }
        curl_slist_free_all(call->headers);
        free(call->data);
        free(call);
}

int http_new(sd_event *event, const struct http_files *files, struct http **ret) {
        struct http *http = calloc(1, sizeof(*http));
        int r;

        if (!http || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
                free(http);
                return -ENOMEM;
        }
        *http = (struct http){.event = event, .files = *files, .multi = curl_multi_init()};
        r = http->multi ? sd_event_add_time_relative(
                                  event, &http->timer, CLOCK_MONOTONIC, 0, 1, handle_time, http)
                        : -ENOMEM;
        if (r < 0) {
                http_free(http);
                return r;
        }
        (void)curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, handle_socket);
        (void)curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, (void *)http);
        (void)curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, handle_timer);
        (void)curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, (void *)http);
        (void)curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX);
        *ret = http;
        return 0;
}

void http_free(struct http *http) {
        if (!http)
                return;
        if (http->multi)
                (void)curl_multi_cleanup(http->multi);
        (void)sd_event_source_disable_unref(http->timer);
        free(http);
        curl_global_cleanup();
}
