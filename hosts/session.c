/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The steps: a lease is granted, or the one of the earlier program is renewed; then the key is read, and set
 * if it is not this lease's; then the lease counts, until it is renewed a sixth of its time later.
 */

#include <systemd/sd-id128.h>

#include "claim.h"
#include "clock.h"
#include "etcd.h"
#include "log.h"
#include "run-state.h"
#include "session.h"
#include "version.h"

#define CONTRACT 1

/* No two servers have the same one. It is made of the machine's id, which should not be published. */
static const sd_id128_t application =
        SD_ID128_MAKE(5e, 0b, 6a, 9d, 3c, 1f, 4b, 0e, 9a, 77, 40, 2c, 83, d5, 16, 2b);

static void ask_lease(struct session *session);
static void read_key(struct session *session);

/* --- time ------------------------------------------------------------------------------------ */

static int handle_time(sd_event_source *source, uint64_t usec, void *userdata) {
        struct session *session = userdata;

        (void)source;
        (void)usec;
        session->timer = sd_event_source_disable_unref(session->timer);
        ask_lease(session);
        return 0;
}

static void try_again(struct session *session, uint64_t usec) {
        session->timer = sd_event_source_disable_unref(session->timer);
        if (sd_event_add_time_relative(
                    session->event, &session->timer, CLOCK_BOOTTIME, usec, 1, handle_time, session) < 0)
                (void)sd_event_exit(session->event, EXIT_FAILURE);
}

/* After an attempt that failed: the store has paused already. */
#define AGAIN_USEC (500 * USEC_PER_MSEC)

/*
 * The store may be away for the time from a renewal to the deadline, which is five sixths of the lease's,
 * without the next renewal. So this is what the seats of all members lose of it.
 */
static uint64_t interval_usec(const struct session *session) {
        return session->seconds * USEC_PER_SEC / 6;
}

/* Longer: an attempt for each of the store's servers, one of which may be busy. */
static uint64_t within_usec(const struct session *session) {
        return session->seconds * USEC_PER_SEC / 3;
}

static void call(struct session *session, const char *path, char *body, store_callback_t callback) {
        if (store_call(session->store, path, body, within_usec(session), callback, session, &session->call) <
                0)
                try_again(session, AGAIN_USEC);
}

bool session_is_good(const struct session *session) {
        return session->lease && now_boottime_usec() < session->deadline_usec;
}

/* --- ends and beginnings ---------------------------------------------------------------------- */

void session_is_over(struct session *session, uint64_t lease) {
        if (session->lease != lease || !lease)
                return;
        store_call_drop(&session->call);
        session->lease = 0;
        session->published = false;
        (void)run_state_set_lease(session->root, 0);
        session->events.over(session->events.userdata);
        try_again(session, 0);
}

/* The lease is this member's, and its key says so. */
static void confirm(struct session *session) {
        bool begins = session->lease != session->asked_lease;

        session->lease = session->asked_lease;
        session->conflict[0] = '\0';
        if (begins && run_state_set_lease(session->root, session->lease) < 0)
                log_warning(
                        "The store's lease cannot be noted: a restart of this program will need a new one");
        if (begins && session->is_new)
                session->events.begun(session->events.userdata);
        else if (begins)
                session->events.resumed(session->events.userdata);
        session->deadline_usec = claim_deadline(session->sent_usec, session->asked_seconds);
        session->events.renewed(session->events.userdata);
        /* The value may have changed while this one was under way. */
        try_again(session, session->published ? interval_usec(session) : 0);
}

/* --- the key --------------------------------------------------------------------------------- */

static void format_key(const struct session *session, char ret_key[static STORE_KEY_SIZE]) {
        (void)snprintf(ret_key, STORE_KEY_SIZE, STORE_MEMBERS "%s", session->own.name);
}

/* Whether the key's value is of this machine. */
static bool is_ours(const struct session *session, const struct etcd_pair *pair) {
        json_object *found = json_tokener_parse(pair->value), *own = json_tokener_parse(session->value);
        const char *a = json_text(found, "machine"), *b = json_text(own, "machine");
        bool same = a && b && string_equal(a, b);

        json_object_put(found);
        json_object_put(own);
        return same;
}

/* Two servers of one name would each take the other's claims for its own. */
static void complain(struct session *session) {
        if (!session->conflict[0])
                log_error("Another server has the name %s in the store: set host-name on one of them; if it "
                          "was replaced by this one, this ends when the claim-time is over",
                        session->own.name);
        (void)snprintf(session->conflict, sizeof(session->conflict),
                "another server is %s in the store: set host-name on one of them", session->own.name);
        try_again(session, interval_usec(session));
}

/* A renewal counts only under the leader of its own term. A new lease is granted by a quorum. */
static bool is_of_term(const struct session *session, const struct etcd_header *header) {
        return session->is_new || header->term == session->term;
}

static void handle_set(void *userdata, int error, json_object *answer, uint64_t sent_usec) {
        struct session *session = userdata;
        struct etcd_header header;

        (void)sent_usec;
        if (error == -ENOENT && session->lease == session->asked_lease)
                session_is_over(session, session->lease);
        else if (error == -ENOENT) {
                session->asked_lease = 0;
                try_again(session, 0);
        } else if (error < 0 || !etcd_read_header(answer, &header))
                try_again(session, AGAIN_USEC);
        else if (!etcd_succeeded(answer))
                read_key(session);
        else if (!is_of_term(session, &header))
                try_again(session, AGAIN_USEC);
        else {
                session->revision = header.revision;
                session->published = session->asked_edition == session->edition;
                confirm(session);
        }
}

static void set_key(struct session *session, int64_t revision) {
        char key[STORE_KEY_SIZE];

        format_key(session, key);
        session->asked_edition = session->edition;
        call(session, ETCD_TXN, etcd_put_if_body(key, revision, session->value, session->asked_lease),
                handle_set);
}

static void handle_key(void *userdata, int error, json_object *answer, uint64_t sent_usec) {
        _cleanup_etcd_pairs_ struct etcd_pairs pairs = {0};
        struct session *session = userdata;
        struct etcd_header header;
        bool ours;

        (void)sent_usec;
        if (error < 0 || !etcd_read_header(answer, &header) || etcd_read_pairs(answer, &pairs) < 0) {
                try_again(session, AGAIN_USEC);
                return;
        }
        if (pairs.n_items > 0 && !is_ours(session, &pairs.items[0])) {
                complain(session);
                return;
        }
        ours = pairs.n_items > 0 && pairs.items[0].lease == session->asked_lease;
        if (ours && !is_of_term(session, &header))
                try_again(session, AGAIN_USEC);
        else if (ours && session->published) {
                session->revision = header.revision;
                confirm(session);
        } else
                set_key(session, pairs.n_items > 0 ? pairs.items[0].revision : 0);
}

static void read_key(struct session *session) {
        char key[STORE_KEY_SIZE];

        format_key(session, key);
        call(session, ETCD_RANGE, etcd_range_body(key, false), handle_key);
}

/* --- the lease ------------------------------------------------------------------------------- */

/* Not longer than was asked for, whatever the store says. */
static void take_lease(struct session *session, uint64_t lease, unsigned seconds, uint64_t sent_usec) {
        session->asked_lease = lease;
        session->asked_seconds = seconds < session->seconds ? seconds : session->seconds;
        session->sent_usec = sent_usec;
        read_key(session);
}

static void handle_grant(void *userdata, int error, json_object *answer, uint64_t sent_usec) {
        struct session *session = userdata;
        unsigned seconds;
        uint64_t lease;

        if (error < 0 || !etcd_read_lease(answer, &lease, &seconds))
                try_again(session, AGAIN_USEC);
        else
                take_lease(session, lease, seconds, sent_usec);
}

static void grant(struct session *session) {
        session->is_new = true;
        session->published = false;
        call(session, ETCD_GRANT, etcd_grant_body(session->seconds), handle_grant);
}

static void handle_renewal(void *userdata, int error, json_object *answer, uint64_t sent_usec) {
        struct session *session = userdata;
        struct etcd_header header;
        unsigned seconds;
        uint64_t lease;

        if ((error < 0 && error != -ENOENT) || (error >= 0 && !etcd_read_header(answer, &header)))
                try_again(session, AGAIN_USEC);
        else if (error >= 0 && etcd_read_lease(answer, &lease, &seconds)) {
                session->term = header.term;
                take_lease(session, lease, seconds, sent_usec);
        } else if (session->lease)
                session_is_over(session, session->lease);
        else
                /* The earlier program's is over. */
                grant(session);
}

static void ask_renewal(struct session *session, uint64_t lease) {
        session->is_new = false;
        call(session, ETCD_KEEPALIVE, etcd_lease_body(lease), handle_renewal);
}

/* The lease of an earlier program is given up only when the store says that there is none. */
static void ask_lease(struct session *session) {
        uint64_t lease = session->lease ? session->lease : run_state_lease(session->root);

        if (lease)
                ask_renewal(session, lease);
        else
                grant(session);
}

/* --- what others know of this member --------------------------------------------------------- */

static void add_text(json_object *object, const char *name, const char *text) {
        (void)json_object_object_add(object, name, json_object_new_string(text));
}

/*
 * The unit has it from systemd. In a container, a unit of systemd 252 with a /proc of its own reads the boot
 * ID of the container's host there.
 */
static int get_boot(sd_id128_t *ret) {
        const char *boot = getenv("COURSENET_BOOT_ID");

        return boot && sd_id128_from_string(boot, ret) >= 0 ? 0 : sd_id128_get_boot(ret);
}

static json_object *describe(const struct session *session, json_object *courses) {
        char address[ADDRESS_TEXT_SIZE], text[SD_ID128_STRING_MAX];
        json_object *object = json_object_new_object();
        sd_id128_t id;

        if (!object)
                return NULL;
        address_format_ip(session->own.address, address);
        add_text(object, "address", address);
        add_text(object, "version", COURSENET_VERSION);
        (void)json_object_object_add(object, "contract", json_object_new_int(CONTRACT));
        if (sd_id128_get_machine_app_specific(application, &id) >= 0)
                add_text(object, "machine", sd_id128_to_string(id, text));
        if (get_boot(&id) >= 0)
                add_text(object, "boot", sd_id128_to_string(id, text));
        (void)json_object_object_add(object, "since", json_object_new_int64((int64_t)session->since_usec));
        (void)json_object_object_add(object, "courses", json_object_get(courses));
        return object;
}

int session_set_courses(struct session *session, json_object *courses) {
        json_object *object;
        char *value;

        if (session->since_usec == 0)
                session->since_usec = now_realtime_usec();
        object = describe(session, courses);
        value = object ? strdup(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN)) : NULL;
        json_object_put(object);
        if (!value)
                return -ENOMEM;
        free(session->value);
        session->value = value;
        session->published = false;
        session->edition++;
        if (session->lease && !session->call)
                try_again(session, 0);
        return 0;
}

int session_begin(struct session *session) {
        ask_lease(session);
        return 0;
}

void session_done(struct session *session) {
        store_call_drop(&session->call);
        session->timer = sd_event_source_disable_unref(session->timer);
        free(session->value);
        session->value = NULL;
}
