/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The mirror proposes a number, and the transaction decides. When another member has just given it to
 * somebody else, the next one is tried.
 */

#include <json-c/json.h>

#include "claim-value.h"
#include "clock.h"
#include "number.h"
#include "refusal.h"
#include "seat-number.h"

#define TRIES_MAX 64U

/* The last host of the widest subnet. */
#define NUMBER_MAX 65534U

#define WITHIN_USEC (HOSTS_ANSWER_SECONDS * USEC_PER_SEC - 500 * USEC_PER_MSEC)

struct number_call {
        const struct mirror *mirror;
        const struct session *session;
        char course[COURSE_SIZE], user[USER_NAME_SIZE];
        uint32_t id;
        unsigned number, n_tries;
        uint64_t until_usec; /* CLOCK_BOOTTIME */
        number_answer_t answer;
        void *userdata;
        struct store_call *call;
        struct number_call **place;
};

static void format_user_key(const char *course, const char *user, char ret_key[static STORE_KEY_SIZE]) {
        (void)snprintf(ret_key, STORE_KEY_SIZE, STORE_NUMBERS "%s/%s", course, user);
}

static void format_seat_key(const char *course, unsigned number, char ret_key[static STORE_KEY_SIZE]) {
        (void)snprintf(ret_key, STORE_KEY_SIZE, STORE_SEATS "%s/%u", course, number);
}

unsigned number_first_free(const struct mirror *mirror, const char *course, unsigned number) {
        for (; number <= NUMBER_MAX; number++) {
                char key[STORE_KEY_SIZE];

                format_seat_key(course, number, key);
                if (!mirror_find(mirror, key))
                        return number;
        }
        return 0;
}

char *number_body(const char *course, const char *user, unsigned number) {
        json_object *text = json_object_new_string(user);
        char user_key[STORE_KEY_SIZE], seat_key[STORE_KEY_SIZE], number_text[16], *body = NULL;

        format_user_key(course, user, user_key);
        format_seat_key(course, number, seat_key);
        (void)snprintf(number_text, sizeof(number_text), "%u", number);
        if (text)
                body = etcd_put_both_body(user_key, number_text, seat_key,
                        json_object_to_json_string_ext(text, JSON_C_TO_STRING_PLAIN));
        json_object_put(text);
        return body;
}

enum number_step number_judge(
        const struct etcd_pairs *pairs, const char *course, const char *user, unsigned *ret) {
        char key[STORE_KEY_SIZE];
        unsigned number;

        format_user_key(course, user, key);
        for (size_t i = 0; i < pairs->n_items; i++) {
                if (!string_equal(pairs->items[i].key, key))
                        continue;
                if (number_parse(pairs->items[i].value, 1, NUMBER_MAX, &number) < 0)
                        return NUMBER_BAD;
                *ret = number;
                return NUMBER_GIVEN;
        }
        return NUMBER_TAKEN;
}

void number_call_drop(struct number_call **place) {
        struct number_call *call = *place;

        if (!call)
                return;
        *place = NULL;
        store_call_drop(&call->call);
        free(call);
}

static void answer(struct number_call *call, struct hosts_reply *reply) {
        number_answer_t callback = call->answer;
        void *userdata = call->userdata;

        reply->id = call->id;
        number_call_drop(call->place);
        callback(userdata, reply);
}

static void answer_refusal(struct number_call *call, enum hosts_reason reason, const char *text) {
        struct hosts_reply reply;

        refusal_fill(&reply, reason, text);
        answer(call, &reply);
}

static void answer_number(struct number_call *call, unsigned number) {
        struct hosts_reply reply;

        hosts_reply_init(&reply, HOSTS_DONE, 1);
        reply.number = number;
        answer(call, &reply);
}

static void answer_no_store(struct number_call *call) {
        struct hosts_reply reply;

        refusal_of_session(call->session, &reply);
        answer(call, &reply);
}

static int try(struct number_call *call);

static void handle_tried(void *userdata, int error, json_object *answer_object, uint64_t sent_usec) {
        _cleanup_etcd_pairs_ struct etcd_pairs pairs = {0};
        struct number_call *call = userdata;
        char text[REPLY_TEXT_SIZE];
        unsigned number = 0;

        (void)sent_usec;
        if (error < 0) {
                answer_no_store(call);
                return;
        }
        if (etcd_succeeded(answer_object)) {
                answer_number(call, call->number);
                return;
        }
        switch (etcd_read_txn_pairs(answer_object, &pairs) < 0
                        ? NUMBER_BAD
                        : number_judge(&pairs, call->course, call->user, &number)) {
        case NUMBER_GIVEN:
                answer_number(call, number);
                return;
        case NUMBER_TAKEN:
                call->number = number_first_free(call->mirror, call->course, call->number + 1);
                if (try(call) < 0)
                        answer_no_store(call);
                return;
        case NUMBER_BAD:
                break;
        }
        (void)snprintf(text, sizeof(text),
                "the store's seat number of %s in course %s is not one that this "
                "version writes",
                call->user, call->course);
        answer_refusal(call, HOSTS_NO_NUMBER, text);
}

/* It may answer at once, and is done then. Negative errno: it has not answered. */
static int try(struct number_call *call) {
        uint64_t now = now_boottime_usec();
        char text[REPLY_TEXT_SIZE];

        if (call->number == 0) {
                (void)snprintf(
                        text, sizeof(text), "the store has no free seat number in course %s", call->course);
                answer_refusal(call, HOSTS_NO_NUMBER, text);
                return 0;
        }
        if (++call->n_tries > TRIES_MAX || now >= call->until_usec) {
                (void)snprintf(text, sizeof(text),
                        "other servers give out seat numbers of course %s at the moment: try again",
                        call->course);
                answer_refusal(call, HOSTS_NO_NUMBER, text);
                return 0;
        }
        return store_call(call->session->store, ETCD_TXN, number_body(call->course, call->user, call->number),
                call->until_usec - now, handle_tried, call, &call->call);
}

int number_call_begin(const struct mirror *mirror, const struct session *session,
        const struct hosts_request *request, number_answer_t callback, void *userdata,
        struct number_call **place) {
        struct number_call *call = calloc(1, sizeof(*call));
        char key[STORE_KEY_SIZE];
        int r;

        if (!call)
                return -ENOMEM;
        format_user_key(request->course, request->user, key);
        *call = (struct number_call){.mirror = mirror,
                .session = session,
                .id = request->id,
                /* A user who has one gets it, whatever is tried. */
                .number = mirror_find(mirror, key)
                                  ? request->number
                                  : number_first_free(mirror, request->course, request->number),
                .until_usec = now_boottime_usec() + WITHIN_USEC,
                .answer = callback,
                .userdata = userdata,
                .place = place};
        (void)string_copy(call->course, sizeof(call->course), request->course);
        (void)string_copy(call->user, sizeof(call->user), request->user);
        *place = call;
        r = try(call);
        if (r < 0)
                number_call_drop(place);
        return r;
}
