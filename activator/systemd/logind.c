/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Goes through the sessions of one user, one call at a time. */

#include <utlist.h>

#include "bus-call.h"
#include "logind.h"

#define LOGIND_NAME "org.freedesktop.login1"
#define LOGIND_PATH "/org/freedesktop/login1"
#define LOGIND_MANAGER "org.freedesktop.login1.Manager"

struct leader_search {
        struct bus *bus;
        struct leader_search **place;
        uid_t uid;
        pid_t leader;
        char **sessions; /* object paths of the user's sessions that are still to be asked about */
        size_t n_sessions;
        struct bus_call *call;
        leader_callback_t callback;
        void *userdata;
};

void logind_drop_search(struct leader_search **place) {
        struct leader_search *search = *place;

        if (!search)
                return;
        *place = NULL;
        bus_call_drop(&search->call);
        for (size_t i = 0; i < search->n_sessions; i++)
                free(search->sessions[i]);
        free(search->sessions);
        free(search);
}

static void finish(struct leader_search *search, enum leader_answer answer) {
        leader_callback_t callback = search->callback;
        void *userdata = search->userdata;

        logind_drop_search(search->place);
        callback(userdata, answer);
}

static void read_leader(sd_bus_message *reply, bus_function_t callback, void *userdata, int kind);

static int ask_leader(struct leader_search *search, const char *session) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(search->bus->connection, &message, LOGIND_NAME, session,
                "org.freedesktop.DBus.Properties", "Get");
        if (r >= 0)
                r = sd_bus_message_append(message, "ss", "org.freedesktop.login1.Session", "Leader");
        return r < 0 ? r : bus_call_send(search->bus, message, read_leader, 0, NULL, search, &search->call);
}

/* Takes the last session off the list and asks who leads it. */
static void ask_next(struct leader_search *search) {
        _cleanup_free_ char *session = NULL;

        if (search->n_sessions == 0) {
                finish(search, LEADER_NONE);
                return;
        }
        session = search->sessions[--search->n_sessions];
        if (ask_leader(search, session) < 0)
                finish(search, LEADER_UNKNOWN);
}

static void read_leader(sd_bus_message *reply, bus_function_t callback, void *userdata, int kind) {
        struct leader_search *search = userdata;
        uint32_t leader = 0;

        (void)callback;
        (void)kind;
        /* A session that has ended since does not count. */
        if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_UNKNOWN_OBJECT))
                ask_next(search);
        else if (bus_reply_error(reply) < 0 || sd_bus_message_read(reply, "v", "u", &leader) < 0)
                finish(search, LEADER_UNKNOWN);
        else if (leader == (uint32_t)search->leader)
                finish(search, LEADER_FOUND);
        else
                ask_next(search);
}

static int add_session(struct leader_search *search, const char *path) {
        char **sessions = reallocarray(search->sessions, search->n_sessions + 1, sizeof(*sessions));

        if (!sessions)
                return -ENOMEM;
        search->sessions = sessions;
        sessions[search->n_sessions] = strdup(path);
        return sessions[search->n_sessions++] ? 0 : -ENOMEM;
}

/* id, uid, user, seat, path */
#define SESSION_TYPE "(susso)"

static int collect_sessions(struct leader_search *search, sd_bus_message *reply) {
        const char *path;
        uint32_t uid;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', SESSION_TYPE);
        while (r >= 0 && (r = sd_bus_message_read(reply, SESSION_TYPE, NULL, &uid, NULL, NULL, &path)) > 0)
                if (uid == search->uid)
                        r = add_session(search, path);
        return r;
}

static void read_sessions(sd_bus_message *reply, bus_function_t callback, void *userdata, int kind) {
        struct leader_search *search = userdata;

        (void)callback;
        (void)kind;
        if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_SERVICE_UNKNOWN))
                finish(search, LEADER_NONE);
        else if (bus_reply_error(reply) < 0 || collect_sessions(search, reply) < 0)
                finish(search, LEADER_UNKNOWN);
        else
                ask_next(search);
}

static int ask_sessions(struct leader_search *search) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(
                search->bus->connection, &message, LOGIND_NAME, LOGIND_PATH, LOGIND_MANAGER, "ListSessions");
        return r < 0 ? r : bus_call_send(search->bus, message, read_sessions, 0, NULL, search, &search->call);
}

int logind_find_leader(struct bus *bus, uid_t uid, pid_t leader, leader_callback_t callback, void *userdata,
        struct leader_search **place) {
        struct leader_search *search;
        int r;

        logind_drop_search(place);
        search = malloc(sizeof(*search));
        if (!search)
                return -ENOMEM;
        *search = (struct leader_search){
                .bus = bus,
                .place = place,
                .uid = uid,
                .leader = leader,
                .callback = callback,
                .userdata = userdata,
        };
        *place = search;
        r = ask_sessions(search);
        if (r < 0)
                logind_drop_search(place);
        return r;
}

/* --- the end of sessions --------------------------------------------------------------------- */

static int handle_session_removed(sd_bus_message *message, void *userdata, sd_bus_error *error);

static const struct bus_signal session_removed = {
        LOGIND_NAME, LOGIND_PATH, LOGIND_MANAGER, "SessionRemoved", handle_session_removed};

static int handle_session_removed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const struct bus_subscription *subscription;
        struct bus *bus = userdata;

        (void)message;
        (void)error;
        DL_FOREACH (bus->subscriptions, subscription)
                if (subscription->signal == &session_removed)
                        ((session_removed_t)subscription->callback)(subscription->userdata);
        return 0;
}

int logind_on_session_removed(struct bus *bus, session_removed_t callback, void *userdata) {
        return bus_subscribe(bus, &session_removed, (bus_function_t)callback, userdata);
}
