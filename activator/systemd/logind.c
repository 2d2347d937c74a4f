/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Goes through the sessions of one user, one question at a time. */

#include "logind.h"
#include "units.h"

struct leader_check {
        struct manager *manager;
        uid_t uid;
        pid_t leader;
        char **sessions; /* object paths of the user's sessions */
        size_t n_sessions;
        sd_bus_slot *slot;
        leader_callback_t callback;
        void *userdata;
};

void leader_check_free(struct leader_check *check) {
        if (!check)
                return;
        for (size_t i = 0; i < check->n_sessions; i++)
                free(check->sessions[i]);
        free(check->sessions);
        sd_bus_slot_unref(check->slot);
        free(check);
}

static void finish_check(struct leader_check *check, enum leader_answer answer) {
        leader_callback_t callback = check->callback;
        void *userdata = check->userdata;

        leader_check_free(check);
        callback(userdata, answer);
}

static int handle_leader(sd_bus_message *reply, void *userdata, sd_bus_error *error);

/* Takes the last session off the list and asks who leads it. */
static void ask_next(struct leader_check *check) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (check->n_sessions == 0) {
                finish_check(check, LEADER_NONE);
                return;
        }
        path = check->sessions[--check->n_sessions];
        check->slot = sd_bus_slot_unref(check->slot);
        r = logind_get_leader(check->manager, path, handle_leader, check, &check->slot);
        if (r < 0)
                finish_check(check, LEADER_UNKNOWN);
}

static int handle_leader(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct leader_check *check = userdata;
        uint32_t leader = 0;

        (void)error;
        /* A session that is gone meanwhile answers with an error, and is no session any more. */
        if (!sd_bus_message_is_method_error(reply, NULL) &&
                sd_bus_message_read(reply, "v", "u", &leader) >= 0 && leader == (uint32_t)check->leader)
                finish_check(check, LEADER_FOUND);
        else
                ask_next(check);
        return 0;
}

static int collect_sessions(struct leader_check *check, sd_bus_message *reply) {
        const char *path;
        uint32_t uid;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "(susso)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(susso)", NULL, &uid, NULL, NULL, &path)) > 0) {
                char **sessions;

                if (uid != check->uid)
                        continue;
                sessions = reallocarray(check->sessions, check->n_sessions + 1, sizeof(*sessions));
                if (!sessions)
                        return -ENOMEM;
                check->sessions = sessions;
                sessions[check->n_sessions] = strdup(path);
                if (!sessions[check->n_sessions])
                        return -ENOMEM;
                check->n_sessions++;
        }
        return r;
}

static int handle_sessions(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct leader_check *check = userdata;

        (void)error;
        if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_SERVICE_UNKNOWN))
                finish_check(check, LEADER_NONE);
        else if (sd_bus_message_is_method_error(reply, NULL) || collect_sessions(check, reply) < 0)
                finish_check(check, LEADER_UNKNOWN);
        else
                ask_next(check);
        return 0;
}

int leader_check_start(struct manager *manager, uid_t uid, pid_t leader, leader_callback_t callback,
        void *userdata, struct leader_check **ret_check) {
        struct leader_check *check;
        int r;

        check = malloc(sizeof(*check));
        if (!check)
                return -ENOMEM;
        *check = (struct leader_check){
                .manager = manager,
                .uid = uid,
                .leader = leader,
                .callback = callback,
                .userdata = userdata,
        };

        r = logind_list_sessions(manager, handle_sessions, check, &check->slot);
        if (r < 0) {
                leader_check_free(check);
                return r;
        }
        *ret_check = check;
        return 0;
}
