/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <signal.h>
#include <utlist.h>

#include "clock.h"
#include "course-digest.h"
#include "daemon.h"
#include "drain.h"
#include "exam-sync.h"
#include "listing.h"
#include "log.h"
#include "refusal.h"
#include "run-state.h"
#include "seat-number.h"

/* A request that is not answered at once. */
struct pending {
        struct daemon *daemon;
        struct hosts_connection *connection;
        uint32_t id; /* of the request */
        struct claim_waiter *waiter;
        struct store_call *call;
        struct number_call *number;
        struct exam_waiter *exam;
        struct pending *prev, *next;
};

struct daemon {
        const struct daemon_paths *paths;
        sd_event *event;
        struct settings settings; /* as they were at the start */
        struct store *store;
        struct session session;
        struct mirror mirror;
        struct claim_keeper keeper;
        struct drain_file drain;
        struct exam_sync exams;
        struct course_digests digests;
        char *published; /* what was published of the courses last */
        struct links_watch links;
        struct hosts_server server;
        struct pending *pendings; /* a utlist */
        sd_event_source *deadline_timer;
        bool cut_off; /* the deadline has passed, and others were told */
        bool is_back; /* it is cut off no longer, and others will be told */
};

/* --- what others know of this member's courses ------------------------------------------------- */

static json_object *describe_digest(const struct course_digest *digest) {
        json_object *object = json_object_new_object();

        (void)json_object_object_add(object, "vni", json_object_new_int64(digest->vni));
        (void)json_object_object_add(object, "settings", json_object_new_string(digest->settings));
        (void)json_object_object_add(
                object, "settings_changed", json_object_new_int64((int64_t)digest->settings_usec));
        (void)json_object_object_add(object, "roster", json_object_new_string(digest->roster));
        (void)json_object_object_add(
                object, "roster_changed", json_object_new_int64((int64_t)digest->roster_usec));
        return object;
}

static void add_exams(const struct exam_sync *exams, json_object *courses) {
        const struct exam_course *exam;

        for (exam = exams->courses; exam; exam = exam->hh.next) {
                json_object *course = NULL;

                if (exam->applied_usec == 0)
                        continue;
                if (!json_object_object_get_ex(courses, exam->course, &course)) {
                        course = json_object_new_object();
                        (void)json_object_object_add(courses, exam->course, course);
                }
                (void)json_object_object_add(
                        course, "exam", json_object_new_int64((int64_t)exam->applied_usec));
        }
}

/* Looks at the files, and publishes what has changed. Negative errno. */
static int publish(struct daemon *daemon) {
        json_object *courses = json_object_new_object();
        char *text;
        int r = 0;

        (void)course_digests_refresh(&daemon->digests);
        for (size_t i = 0; i < daemon->digests.n_items; i++)
                (void)json_object_object_add(
                        courses, daemon->digests.items[i].course, describe_digest(&daemon->digests.items[i]));
        add_exams(&daemon->exams, courses);
        text = strdup(json_object_to_json_string_ext(courses, JSON_C_TO_STRING_PLAIN));
        if (!text)
                r = -ENOMEM;
        else if (!daemon->published || !string_equal(daemon->published, text))
                r = session_set_courses(&daemon->session, courses);
        json_object_put(courses);
        if (r < 0)
                free(text);
        else {
                free(daemon->published);
                daemon->published = text;
        }
        return r;
}

static void handle_applied(void *userdata) {
        (void)publish(userdata);
}

/* --- requests -------------------------------------------------------------------------------- */

static void free_pending(struct pending *pending) {
        claim_waiter_drop(&pending->waiter);
        store_call_drop(&pending->call);
        number_call_drop(&pending->number);
        exam_waiter_drop(&pending->exam);
        DL_DELETE(pending->daemon->pendings, pending);
        free(pending);
}

static void handle_gone(void *userdata, struct hosts_connection *connection) {
        struct daemon *daemon = userdata;
        struct pending *pending, *next;

        DL_FOREACH_SAFE(daemon->pendings, pending, next)
        if (pending->connection == connection)
                free_pending(pending);
        if (hosts_connection_watches(connection))
                claim_keeper_orphan(&daemon->keeper);
}

static void reply_simply(struct hosts_connection *connection, enum hosts_reply_type type, uint32_t id,
        enum hosts_reason reason, const char *text) {
        struct hosts_reply reply;

        hosts_reply_init(&reply, type, id);
        reply.reason = reason;
        protocol_copy_text(reply.text, sizeof(reply.text), text);
        hosts_reply_send(connection, &reply, -1);
}

/* NULL: it has been refused. */
static struct pending *add_pending(
        struct daemon *daemon, struct hosts_connection *connection, const struct hosts_request *request) {
        struct pending *pending = calloc(1, sizeof(*pending));

        if (!pending) {
                reply_simply(connection, HOSTS_REFUSED, request->id, HOSTS_NOT_READY, "out of memory");
                return NULL;
        }
        *pending = (struct pending){.daemon = daemon, .connection = connection, .id = request->id};
        DL_APPEND(daemon->pendings, pending);
        return pending;
}

static void reply_pending(struct pending *pending, const struct hosts_reply *reply) {
        struct hosts_connection *connection = pending->connection;

        free_pending(pending);
        hosts_reply_send(connection, reply, -1);
}

static void handle_claim_answer(void *userdata, const struct hosts_reply *reply) {
        reply_pending(userdata, reply);
}

static void handle_claim(
        struct daemon *daemon, struct hosts_connection *connection, const struct hosts_request *request) {
        struct pending *pending = add_pending(daemon, connection, request);

        if (pending)
                claim_keeper_claim(&daemon->keeper, request->seat, request->user, request->id,
                        handle_claim_answer, pending, &pending->waiter);
}

static void refuse_pending(struct pending *pending) {
        struct hosts_reply reply;

        refusal_of_session(&pending->daemon->session, &reply);
        reply.id = pending->id;
        reply_pending(pending, &reply);
}

static void handle_drained(void *userdata, int error, json_object *answer, uint64_t sent_usec) {
        struct pending *pending = userdata;
        struct hosts_reply reply;

        (void)answer;
        (void)sent_usec;
        if (error < 0) {
                refuse_pending(pending);
                return;
        }
        hosts_reply_init(&reply, HOSTS_DONE, pending->id);
        reply_pending(pending, &reply);
}

#define WITHIN_USEC (HOSTS_ANSWER_SECONDS * USEC_PER_SEC - 500 * USEC_PER_MSEC)

static void handle_drain(
        struct daemon *daemon, struct hosts_connection *connection, const struct hosts_request *request) {
        struct pending *pending;
        char text[REPLY_TEXT_SIZE];

        if (!drain_knows(&daemon->settings, &daemon->mirror, request->member)) {
                (void)snprintf(text, sizeof(text), "there is no server '%s'", request->member);
                reply_simply(connection, HOSTS_REFUSED, request->id, HOSTS_NO_MEMBER, text);
                return;
        }
        pending = add_pending(daemon, connection, request);
        if (pending &&
                store_call(daemon->store, ETCD_TXN,
                        drain_body(request->member, request->number > 0, request->user, now_realtime_usec()),
                        WITHIN_USEC, handle_drained, pending, &pending->call) < 0)
                refuse_pending(pending);
}

static void handle_number_answer(void *userdata, struct hosts_reply *reply) {
        reply_pending(userdata, reply);
}

static void handle_number(
        struct daemon *daemon, struct hosts_connection *connection, const struct hosts_request *request) {
        struct pending *pending;

        if (request->number == 0 || !user_name_valid(request->user)) {
                reply_simply(connection, HOSTS_REFUSED, request->id, HOSTS_NO_NUMBER,
                        "the request names no user, or no number to begin with");
                return;
        }
        pending = add_pending(daemon, connection, request);
        if (!pending)
                return;
        /* Without the store's keys each number would have to be tried. */
        if (!mirror_is_loaded(&daemon->mirror) ||
                number_call_begin(&daemon->mirror, &daemon->session, request, handle_number_answer, pending,
                        &pending->number) < 0)
                refuse_pending(pending);
}

static void handle_told(void *userdata, struct hosts_reply *reply) {
        reply_pending(userdata, reply);
}

static void handle_exam(
        struct daemon *daemon, struct hosts_connection *connection, const struct hosts_request *request) {
        struct pending *pending = add_pending(daemon, connection, request);

        if (pending)
                exam_sync_tell(
                        &daemon->exams, request->course, request->id, handle_told, pending, &pending->exam);
}

static void handle_list(
        struct daemon *daemon, struct hosts_connection *connection, const struct hosts_request *request) {
        const struct listing listing = {.settings = &daemon->settings,
                .session = &daemon->session,
                .store = daemon->store,
                .mirror = &daemon->mirror};
        struct hosts_reply reply;
        int fd;

        (void)publish(daemon);
        hosts_reply_init(&reply, HOSTS_DONE, request->id);
        fd = listing_make(&listing, &reply.number);
        if (fd < 0)
                reply_simply(connection, HOSTS_REFUSED, request->id, HOSTS_NOT_READY, strerror(-fd));
        else
                hosts_reply_send(connection, &reply, fd);
}

static void fill_taken(struct hosts_reply *reply, const char *seat, const char *member, uint64_t since_usec) {
        hosts_reply_init(reply, HOSTS_TAKEN, 0);
        reply->since_usec = since_usec;
        protocol_copy_text(reply->seat, sizeof(reply->seat), seat);
        protocol_copy_text(reply->member, sizeof(reply->member), member);
}

static void send_taken(void *userdata, const char *seat, const char *member, uint64_t since_usec) {
        struct hosts_reply reply;

        fill_taken(&reply, seat, member, since_usec);
        hosts_reply_send(userdata, &reply, -1);
}

/* The seats that it has to end, of which it may not have heard. */
static void handle_watch(
        struct daemon *daemon, struct hosts_connection *connection, const struct hosts_request *request) {
        reply_simply(connection, HOSTS_DONE, request->id, HOSTS_NO_REASON, "");
        hosts_connection_watch(connection);
        claim_keeper_each_taken(&daemon->keeper, send_taken, connection);
}

static void handle_request(
        void *userdata, struct hosts_connection *connection, const struct hosts_request *request) {
        struct daemon *daemon = userdata;

        switch ((enum hosts_verb)request->verb) {
        case HOSTS_CLAIM:
                handle_claim(daemon, connection, request);
                return;
        case HOSTS_RELEASE:
                claim_keeper_release(&daemon->keeper, request->seat);
                reply_simply(connection, HOSTS_DONE, request->id, HOSTS_NO_REASON, "");
                return;
        case HOSTS_LIST:
                handle_list(daemon, connection, request);
                return;
        case HOSTS_WATCH:
                handle_watch(daemon, connection, request);
                return;
        case HOSTS_DRAIN:
                handle_drain(daemon, connection, request);
                return;
        case HOSTS_NUMBER:
                handle_number(daemon, connection, request);
                return;
        case HOSTS_EXAM:
                handle_exam(daemon, connection, request);
                return;
        case _HOSTS_VERB_MAX:
                return;
        }
}

/* --- pushes ---------------------------------------------------------------------------------- */

static void push_taken(void *userdata, const char *seat, const char *member, uint64_t since_usec) {
        struct daemon *daemon = userdata;
        struct hosts_reply reply;

        fill_taken(&reply, seat, member, since_usec);
        hosts_push(&daemon->server, &reply);
}

static void push_simply(struct daemon *daemon, enum hosts_reply_type type) {
        struct hosts_reply reply;

        hosts_reply_init(&reply, type, 0);
        hosts_push(&daemon->server, &reply);
}

/* Not before: with a new lease, no seat has its claim at first. */
static void handle_settled(void *userdata) {
        struct daemon *daemon = userdata;

        if (!daemon->is_back)
                return;
        daemon->is_back = false;
        push_simply(daemon, HOSTS_BACK);
}

/* --- the deadline ---------------------------------------------------------------------------- */

static void tell_status(const struct daemon *daemon) {
        (void)sd_notifyf(false, "STATUS=%s: %s", daemon->session.own.name,
                daemon->session.conflict[0] ? daemon->session.conflict
                : daemon->cut_off           ? "cut off from the store; spread seats are off the network"
                : daemon->session.lease     ? "in contact with the store"
                                            : "waiting for the store");
}

static int handle_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        struct daemon *daemon = userdata;

        (void)source;
        (void)usec;
        if (daemon->cut_off || session_is_good(&daemon->session))
                return 0;
        daemon->cut_off = true;
        daemon->is_back = false;
        log_error("The store was not reached in time, so the seats of spread courses are off the network: %s",
                store_error(daemon->store));
        push_simply(daemon, HOSTS_CUT_OFF);
        claim_keeper_cut_off(&daemon->keeper);
        tell_status(daemon);
        return 0;
}

static int watch_deadline(struct daemon *daemon) {
        daemon->deadline_timer = sd_event_source_disable_unref(daemon->deadline_timer);
        return sd_event_add_time(daemon->event, &daemon->deadline_timer, CLOCK_BOOTTIME,
                daemon->session.deadline_usec, 1, handle_deadline, daemon);
}

/* --- the session ----------------------------------------------------------------------------- */

static void handle_begun(void *userdata) {
        struct daemon *daemon = userdata;

        claim_keeper_session_begun(&daemon->keeper);
}

static void handle_resumed(void *userdata) {
        struct daemon *daemon = userdata;

        claim_keeper_session_resumed(&daemon->keeper);
}

static void handle_over(void *userdata) {
        struct daemon *daemon = userdata;

        log_warning("The store has ended the lease of %s; each of its claims is asked for again",
                daemon->session.own.name);
        claim_keeper_session_over(&daemon->keeper);
}

/* The claims that are noted are those of the lease that was renewed. */
static void handle_renewed(void *userdata) {
        struct daemon *daemon = userdata;
        int r;

        r = run_state_set_deadline(daemon->paths->root, daemon->session.deadline_usec);
        if (r < 0)
                log_error("The deadline cannot be noted, so spread seats will leave the network: %s",
                        strerror(-r));
        r = watch_deadline(daemon);
        if (r < 0) {
                log_error("The deadline cannot be watched: %s", strerror(-r));
                (void)sd_event_exit(daemon->event, r);
        }
        if (daemon->cut_off) {
                daemon->cut_off = false;
                daemon->is_back = true;
                log_notice("The store is reached again");
                /* An exam may have begun meanwhile. */
                mirror_reload(&daemon->mirror);
        }
        mirror_expect(&daemon->mirror, daemon->session.revision);
        claim_keeper_session_renewed(&daemon->keeper);
        exam_sync_look(&daemon->exams);
        (void)publish(daemon);
        tell_status(daemon);
}

/* --- the store's keys, and links -------------------------------------------------------------- */

static void handle_change(void *userdata, const struct etcd_pair *pair) {
        struct daemon *daemon = userdata;

        claim_keeper_key_changed(&daemon->keeper, pair);
        drain_file_key_changed(&daemon->drain, pair->key);
        exam_sync_key_changed(&daemon->exams, pair->key);
}

static void handle_loaded(void *userdata) {
        struct daemon *daemon = userdata;

        /* The files of exams are there before a seat can start. */
        exam_sync_look(&daemon->exams);
        claim_keeper_loaded(&daemon->keeper);
        drain_file_loaded(&daemon->drain);
}

static void handle_link(void *userdata, const char *seat) {
        struct daemon *daemon = userdata;

        claim_keeper_link_changed(&daemon->keeper, seat);
}

/* --- begin and end ---------------------------------------------------------------------------- */

/* It answers when the rules are in force. */
static const char *const apply[] = {"systemctl", "reload", "coursenet-network.service", NULL};

static void wire(struct daemon *daemon) {
        daemon->session.event = daemon->event;
        daemon->session.store = daemon->store;
        daemon->session.root = daemon->paths->root;
        daemon->session.seconds = daemon->settings.hosts.claim_seconds;
        daemon->session.events = (struct session_events){
                .begun = handle_begun,
                .resumed = handle_resumed,
                .renewed = handle_renewed,
                .over = handle_over,
                .userdata = daemon,
        };
        daemon->mirror = (struct mirror){
                .event = daemon->event,
                .store = daemon->store,
                .prefix = STORE_PREFIX,
                .change = handle_change,
                .loaded = handle_loaded,
                .userdata = daemon,
        };
        daemon->keeper = (struct claim_keeper){
                .event = daemon->event,
                .store = daemon->store,
                .session = &daemon->session,
                .mirror = &daemon->mirror,
                .root = daemon->paths->root,
                .has_cable = links_have_cable,
                .taken = push_taken,
                .settled = handle_settled,
                .userdata = daemon,
        };
        daemon->drain = (struct drain_file){
                .event = daemon->event,
                .settings = &daemon->settings,
                .mirror = &daemon->mirror,
                .own = daemon->session.own.name,
                .root = daemon->paths->root,
        };
        daemon->exams = (struct exam_sync){
                .event = daemon->event,
                .store = daemon->store,
                .session = &daemon->session,
                .mirror = &daemon->mirror,
                .settings = &daemon->settings,
                .etc = daemon->paths->etc,
                .state = daemon->paths->state,
                .apply = apply,
                .applied = handle_applied,
                .userdata = daemon,
        };
        daemon->digests = (struct course_digests){.etc = daemon->paths->etc};
        daemon->links = (struct links_watch){.changed = handle_link, .userdata = daemon, .fd = -1};
        daemon->server = (struct hosts_server){
                .event = daemon->event,
                .path = daemon->paths->socket,
                .handle = handle_request,
                .gone = handle_gone,
                .userdata = daemon,
                .fd = -1,
        };
}

static int handle_signals(sd_event *event) {
        static const int signals[] = {SIGTERM, SIGINT};
        sigset_t set;
        int r = 0;

        (void)sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void)sigaddset(&set, signals[i]);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        /* With no handler the loop ends. */
        for (size_t i = 0; i < ELEMENTSOF(signals) && r >= 0; i++)
                r = sd_event_add_signal(event, NULL, signals[i], NULL, NULL);
        return r;
}

/* A server that does not answer would end a write with this signal. */
static int begin(struct daemon *daemon) {
        int r;

        (void)signal(SIGPIPE, SIG_IGN);
        r = handle_signals(daemon->event);
        if (r >= 0)
                r = run_state_make(daemon->paths->root);
        if (r >= 0)
                r = store_new(daemon->event, &daemon->settings.hosts, &daemon->store);
        if (r < 0)
                return r;
        wire(daemon);
        r = publish(daemon);
        if (r >= 0)
                r = links_watch_begin(daemon->event, &daemon->links);
        if (r >= 0)
                r = claim_keeper_begin(&daemon->keeper);
        if (r >= 0)
                r = drain_file_begin(&daemon->drain);
        if (r >= 0)
                r = exam_sync_begin(&daemon->exams);
        if (r >= 0)
                r = hosts_server_begin(&daemon->server);
        if (r >= 0)
                r = session_begin(&daemon->session);
        if (r >= 0)
                mirror_begin(&daemon->mirror);
        return r;
}

static void finish(struct daemon *daemon) {
        if (daemon->store) {
                hosts_server_done(&daemon->server);
                claim_keeper_done(&daemon->keeper);
                drain_file_done(&daemon->drain);
                exam_sync_done(&daemon->exams);
                course_digests_done(&daemon->digests);
                mirror_done(&daemon->mirror);
                session_done(&daemon->session);
                links_watch_end(&daemon->links);
        }
        free(daemon->published);
        store_free(daemon->store);
        (void)sd_event_source_disable_unref(daemon->deadline_timer);
        (void)sd_event_unref(daemon->event);
        settings_done(&daemon->settings);
}

/* The program is root without a capability: a file of another user's is closed to it, if its mode says so. */
static void check_files(const struct hosts_settings *hosts) {
        const char *const paths[] = {hosts->store_ca, hosts->store_cert, hosts->store_key};

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                if (paths[i][0] && access(paths[i], R_OK) < 0)
                        log_error("%s cannot be read, so the store is out of reach: %s (the file and its "
                                  "folder "
                                  "must be root's)",
                                paths[i], strerror(errno));
}

static int load(struct daemon *daemon) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        char reason[256];
        int r;

        r = settings_load(daemon->paths->etc, &daemon->settings, &diagnostics);
        log_diagnostics(&diagnostics);
        if (r < 0 || !hosts_configured(&daemon->settings))
                return r;
        check_files(&daemon->settings.hosts);
        r = hosts_own(&daemon->settings, &daemon->session.own, reason, sizeof(reason));
        if (r < 0)
                log_error("%s", reason);
        return r;
}

int daemon_run(const struct daemon_paths *paths) {
        struct daemon daemon = {.paths = paths};
        int r;

        r = load(&daemon);
        if (r >= 0 && !hosts_configured(&daemon.settings)) {
                (void)sd_notify(false,
                        "READY=1\nSTATUS=This server shares no course with others: [hosts] has no "
                        "members");
                log_info("This server shares no course with others: [hosts] has no members");
                settings_done(&daemon.settings);
                return 0;
        }
        if (r >= 0)
                r = sd_event_default(&daemon.event);
        if (r >= 0)
                r = begin(&daemon);
        if (r >= 0) {
                (void)sd_event_set_watchdog(daemon.event, true);
                (void)sd_notify(false, "READY=1");
                tell_status(&daemon);
                r = sd_event_loop(daemon.event);
                (void)sd_notify(false, "STOPPING=1");
        } else
                log_error("coursenet-hosts cannot start: %s", strerror(-r));
        finish(&daemon);
        return r;
}
