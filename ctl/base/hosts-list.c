/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "hosts-list.h"
#include "complain.h"
#include "hosts-client.h"
#include "json.h"
#include "moment.h"
#include "scope.h"

void hosts_list_done(struct hosts_list *list) {
        free(list->members);
        free(list->claims);
        json_done(&list->document);
        *list = (struct hosts_list){0};
}

/* --- the JSON -------------------------------------------------------------------------------- */

/* NULL: the object has no such key, or is none. */
static json_object *get(json_object *object, const char *key) {
        json_object *value = NULL;

        if (json_object_is_type(object, json_type_object))
                (void)json_object_object_get_ex(object, key, &value);
        return value;
}

/* Cuts what does not fit. Empty if there is no such text. */
static void get_text(json_object *object, const char *key, char *ret, size_t size) {
        json_object *value = get(object, key);

        (void)snprintf(ret, size, "%s",
                json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "");
        for (char *c = ret; *c; c++)
                if ((unsigned char)*c < ' ' || *c == 0x7f)
                        *c = '?';
}

static uint64_t get_number(json_object *object, const char *key) {
        int64_t number = json_object_get_int64(get(object, key));

        return number > 0 ? (uint64_t)number : 0;
}

static bool get_bool(json_object *object, const char *key) {
        return json_object_get_boolean(get(object, key));
}

static void parse_member(json_object *object, struct listed_member *ret) {
        json_object *drained = get(object, "drained");

        get_text(object, "host", ret->host, sizeof(ret->host));
        get_text(object, "address", ret->address, sizeof(ret->address));
        get_text(object, "version", ret->version, sizeof(ret->version));
        get_text(object, "boot", ret->boot, sizeof(ret->boot));
        ret->listed = get_bool(object, "listed");
        ret->up = get_bool(object, "up");
        ret->contract = json_object_get_int(get(object, "contract"));
        ret->since_usec = get_number(object, "since");
        ret->courses = get(object, "courses");
        ret->drained = json_object_is_type(drained, json_type_object);
        get_text(drained, "by", ret->drained_by, sizeof(ret->drained_by));
        ret->drained_usec = get_number(drained, "since");
}

/* False: it is of no seat. */
static bool parse_claim(json_object *object, unsigned course_digits, struct listed_claim *ret) {
        get_text(object, "seat", ret->seat, sizeof(ret->seat));
        get_text(object, "user", ret->user, sizeof(ret->user));
        get_text(object, "host", ret->host, sizeof(ret->host));
        ret->since_usec = get_number(object, "since");
        return seat_id_parse(ret->seat, course_digits, &ret->id) >= 0;
}

static int compare_claims(const void *a, const void *b) {
        const struct listed_claim *one = a, *other = b;
        int r = strcmp(one->id.course, other->id.course);

        if (r != 0)
                return r;
        return one->id.number < other->id.number ? -1 : one->id.number > other->id.number;
}

static void parse_own(json_object *object, struct hosts_list *ret) {
        get_text(object, "host", ret->own, sizeof(ret->own));
        get_text(object, "store", ret->store, sizeof(ret->store));
        get_text(object, "error", ret->error, sizeof(ret->error));
        ret->cut_off = get_bool(object, "cut_off");
        ret->left_ms = get_number(object, "left_ms");
        ret->claim_seconds = (unsigned)get_number(object, "claim_seconds");
}

static void parse_arrays(
        json_object *members, json_object *claims, unsigned course_digits, struct hosts_list *list) {
        for (size_t i = 0; i < json_object_array_length(members); i++)
                parse_member(json_object_array_get_idx(members, i), &list->members[list->n_members++]);
        for (size_t i = 0; i < json_object_array_length(claims); i++)
                list->n_claims += parse_claim(
                        json_object_array_get_idx(claims, i), course_digits, &list->claims[list->n_claims]);
        qsort(list->claims, list->n_claims, sizeof(*list->claims), compare_claims);
        for (size_t i = 0; i < list->n_members; i++)
                for (size_t j = 0; j < list->n_claims; j++)
                        list->members[i].n_claims +=
                                string_equal(list->members[i].host, list->claims[j].host);
}

int hosts_list_parse(const char *text, unsigned course_digits, struct hosts_list *ret) {
        _cleanup_hosts_list_ struct hosts_list list = {.document = json_tokener_parse(text)};
        json_object *members = get(list.document, "members"), *claims = get(list.document, "claims");

        if (!json_object_is_type(get(list.document, "own"), json_type_object) ||
                !json_object_is_type(members, json_type_array) ||
                !json_object_is_type(claims, json_type_array))
                return -EBADMSG;
        list.members = calloc(json_object_array_length(members) + 1, sizeof(*list.members));
        list.claims = calloc(json_object_array_length(claims) + 1, sizeof(*list.claims));
        if (!list.members || !list.claims)
                return -ENOMEM;
        parse_own(get(list.document, "own"), &list);
        parse_arrays(members, claims, course_digits, &list);
        *ret = list;
        list = (struct hosts_list){0};
        return 0;
}

/* --- asking ---------------------------------------------------------------------------------- */

static int read_file(int fd, size_t size, unsigned course_digits, struct hosts_list *ret) {
        _cleanup_free_ char *text = calloc(1, size + 1);
        size_t done = 0;

        if (!text)
                return -ENOMEM;
        while (done < size) {
                ssize_t n = pread(fd, text + done, size - done, (off_t)done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -EBADMSG;
                done += (size_t)n;
        }
        return hosts_list_parse(text, course_digits, ret);
}

int hosts_list_ask(const char *socket, unsigned course_digits, struct hosts_list *ret) {
        struct hosts_request request;
        struct hosts_reply reply;
        _cleanup_close_ int fd = -1;
        int r;

        hosts_request_init(&request, HOSTS_LIST, 1);
        r = hosts_call(socket, &request, &reply, &fd);
        if (r < 0)
                return r;
        if (reply.type != HOSTS_DONE || fd < 0)
                return -EBADMSG;
        return read_file(fd, reply.number, course_digits, ret);
}

int hosts_complain(const char *socket, int error) {
        if (error == -EACCES || error == -EPERM) {
                complain("Only root may ask coursenet-hosts (%s: %s).", socket, strerror(-error));
                return EXIT_NO;
        }
        if (error == -EPROTO)
                complain("coursenet-hosts is of another version. Run: systemctl restart "
                         "coursenet-hosts.service");
        else
                complain("coursenet-hosts, which knows the other servers, cannot be reached (%s: %s). See: "
                         "systemctl status coursenet-hosts.service",
                        socket, strerror(-error));
        return EXIT_UNREACHABLE;
}

bool hosts_required(const struct settings *settings) {
        if (hosts_configured(settings))
                return true;
        complain("This server shares no courses with others: coursenet.conf has no members = in a section "
                 "[hosts]. See coursenet.conf(5).");
        return false;
}

int hosts_list_load(const char *socket, const struct settings *settings, struct hosts_list *ret) {
        int r;

        if (!hosts_required(settings))
                return EXIT_NO;
        r = hosts_list_ask(socket, settings->course_digits, ret);
        return r < 0 ? hosts_complain(socket, r) : EXIT_DONE;
}

/* --- looking up ------------------------------------------------------------------------------ */

const struct listed_member *hosts_list_member(const struct hosts_list *list, const char *host) {
        for (size_t i = 0; i < list->n_members; i++)
                if (string_equal(list->members[i].host, host))
                        return &list->members[i];
        return NULL;
}

const struct listed_claim *hosts_list_claim(const struct hosts_list *list, const char *seat) {
        for (size_t i = 0; i < list->n_claims; i++)
                if (string_equal(list->claims[i].seat, seat))
                        return &list->claims[i];
        return NULL;
}

/* --- seats that are live elsewhere ----------------------------------------------------------- */

static bool is_elsewhere(const struct hosts_list *list, const struct listed_claim *claim, const char *word,
        const struct scope *scope) {
        if (string_equal(claim->host, list->own) || !scope_has_seat(scope, claim->id.course, claim->user))
                return false;
        return string_equal(word, claim->seat) || string_equal(word, claim->user) ||
               string_equal(word, claim->id.course);
}

size_t hosts_list_tell_elsewhere(const struct hosts_list *list, const char *word, const struct scope *scope,
        const char *command, FILE *stream) {
        char since[32];
        size_t n = 0;

        for (size_t i = 0; i < list->n_claims; i++) {
                const struct listed_claim *claim = &list->claims[i];

                if (!is_elsewhere(list, claim, word, scope))
                        continue;
                moment_format_minute(claim->since_usec, since, sizeof(since));
                (void)fprintf(stream, "Seat %s of %s is live on %s since %s. There: coursenetctl %s %s\n",
                        claim->seat, claim->user, claim->host, since, command, claim->seat);
                n++;
        }
        return n;
}
