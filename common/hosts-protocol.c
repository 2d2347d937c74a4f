/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes and checks messages. */

#include "hosts-protocol.h"
#include "number.h"
#include "setting-value.h"

_Static_assert(sizeof(struct hosts_request) == 80 + USER_NAME_SIZE, "struct hosts_request has padding");
_Static_assert(sizeof(struct hosts_reply) == 88 + REPLY_TEXT_SIZE, "struct hosts_reply has padding");
_Static_assert(sizeof(((struct hosts_request *)NULL)->member) >= HOST_MEMBER_NAME_SIZE, "a member fits");

void hosts_request_init(struct hosts_request *request, enum hosts_verb verb, uint32_t id) {
        *request = (struct hosts_request){
                .magic = HOSTS_MAGIC, .version = HOSTS_VERSION, .verb = (uint16_t)verb, .id = id};
}

void hosts_reply_init(struct hosts_reply *reply, enum hosts_reply_type type, uint32_t id) {
        *reply = (struct hosts_reply){
                .magic = HOSTS_MAGIC, .version = HOSTS_VERSION, .type = (uint16_t)type, .id = id};
}

/* What a field must be. */
enum need {
        NEED_NONE,
        NEED_ONE
};

#define TEXT_OK(array) protocol_text_valid(array, sizeof(array))

static bool need_met(enum need need, const char *text) {
        return (need == NEED_ONE) == (text[0] != '\0');
}

static bool seat_valid(const char *seat) {
        return seat[0] == '\0' || (digits_only(seat) && strlen(seat) < SEAT_ID_SIZE);
}

static bool course_valid(const char *course) {
        return course[0] == '\0' || (digits_only(course) && strlen(course) < COURSE_SIZE);
}

static bool member_valid(const char *member) {
        return member[0] == '\0' || host_member_name_valid(member);
}

/* It becomes a part of a key and of a value in the store, where other members expect such a name only. */
static bool user_valid(const char *user) {
        return user[0] == '\0' || user_name_valid(user);
}

static bool request_fits_verb(const struct hosts_request *request) {
        static const struct {
                enum need seat, course, member, user;
                bool number;
        } needs[_HOSTS_VERB_MAX] = {
                [HOSTS_CLAIM] = {.seat = NEED_ONE, .user = NEED_ONE},
                [HOSTS_RELEASE] = {.seat = NEED_ONE},
                [HOSTS_DRAIN] = {.member = NEED_ONE, .user = NEED_ONE, .number = true},
                [HOSTS_EXAM] = {.course = NEED_ONE},
                [HOSTS_NUMBER] = {.course = NEED_ONE, .user = NEED_ONE, .number = true},
        };

        return need_met(needs[request->verb].seat, request->seat) &&
               need_met(needs[request->verb].course, request->course) &&
               need_met(needs[request->verb].member, request->member) &&
               need_met(needs[request->verb].user, request->user) && user_valid(request->user) &&
               (needs[request->verb].number || request->number == 0);
}

int hosts_request_check(const void *message, size_t size) {
        const struct hosts_request *request = message;

        if (size < 8 || request->magic != HOSTS_MAGIC)
                return -EBADMSG;
        if (request->version != HOSTS_VERSION)
                return -EPROTO;
        if (size != sizeof(*request) || request->verb == 0 || request->verb >= _HOSTS_VERB_MAX ||
                request->id == 0 || !TEXT_OK(request->course) || !TEXT_OK(request->seat) ||
                !TEXT_OK(request->member) || !TEXT_OK(request->user) || !course_valid(request->course) ||
                !seat_valid(request->seat) || !member_valid(request->member) || !request_fits_verb(request))
                return -EBADMSG;
        return 0;
}

static bool is_push(const struct hosts_reply *reply) {
        return reply->type == HOSTS_TAKEN || reply->type == HOSTS_CUT_OFF || reply->type == HOSTS_BACK;
}

static bool reply_fits_type(const struct hosts_reply *reply) {
        bool names_other = reply->type == HOSTS_ELSEWHERE || reply->type == HOSTS_TAKEN;

        return is_push(reply) == (reply->id == 0) &&
               (reply->type == HOSTS_REFUSED) == (reply->reason != HOSTS_NO_REASON) &&
               (!names_other || reply->member[0] != '\0') &&
               (reply->type != HOSTS_TAKEN || reply->seat[0] != '\0');
}

int hosts_reply_check(const void *message, size_t size) {
        const struct hosts_reply *reply = message;

        if (size < 8 || reply->magic != HOSTS_MAGIC)
                return -EBADMSG;
        if (reply->version != HOSTS_VERSION)
                return -EPROTO;
        if (size != sizeof(*reply) || reply->type == 0 || reply->type >= _HOSTS_REPLY_TYPE_MAX ||
                reply->reason >= _HOSTS_REASON_MAX || reply->reserved != 0 || !TEXT_OK(reply->seat) ||
                !TEXT_OK(reply->member) || !TEXT_OK(reply->text) || !seat_valid(reply->seat) ||
                !member_valid(reply->member) || !reply_fits_type(reply))
                return -EBADMSG;
        return 0;
}
