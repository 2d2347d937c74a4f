/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Asks systemd for the units of one seat after a start that failed or takes too long, and makes a sentence of
 * their states. It changes nothing and knows no lease; lease-start.c calls it.
 */

#include "diagnosis.h"
#include "container.h"
#include "protocol.h"
#include "settings.h"
#include "systemd/units.h"

#define UNIT_SIZE 64U

struct diagnosis {
        struct diagnosis **place; /* the caller's pointer to it */
        struct bus *bus;
        struct bus_call *call;
        diagnosis_callback_t callback;
        void *userdata;
        /* The course's bridge, the seat's namespace, what connects them, and the container. */
        char netbr[UNIT_SIZE], netns[UNIT_SIZE], nsbr[UNIT_SIZE], cont[UNIT_SIZE];
        char course[COURSE_SIZE], seat[SEAT_ID_SIZE];
};

void diagnosis_drop(struct diagnosis **place) {
        struct diagnosis *diagnosis = *place;

        if (!diagnosis)
                return;
        bus_call_drop(&diagnosis->call);
        free(diagnosis);
        *place = NULL;
}

static void finish(struct diagnosis *diagnosis, const char *seat, const char *container) {
        diagnosis_callback_t callback = diagnosis->callback;
        void *userdata = diagnosis->userdata;

        diagnosis_drop(diagnosis->place);
        callback(userdata, seat, container);
}

static int make(struct bus *bus, const char *course, const char *seat, diagnosis_callback_t callback,
        void *userdata, struct diagnosis **place) {
        struct diagnosis *diagnosis;

        diagnosis_drop(place);
        diagnosis = calloc(1, sizeof(*diagnosis));
        if (!diagnosis)
                return -ENOMEM;
        *diagnosis =
                (struct diagnosis){.place = place, .bus = bus, .callback = callback, .userdata = userdata};
        (void)string_copy(diagnosis->course, sizeof(diagnosis->course), course);
        (void)string_copy(diagnosis->seat, sizeof(diagnosis->seat), seat);
        (void)snprintf(diagnosis->netbr, UNIT_SIZE, "netbr@%s.service", course);
        (void)snprintf(diagnosis->netns, UNIT_SIZE, "netns@%s.service", seat);
        (void)snprintf(diagnosis->nsbr, UNIT_SIZE, "nsbr@%s.service", seat);
        (void)snprintf(diagnosis->cont, UNIT_SIZE, SERVICE_CONTAINER "@%s.service", seat);
        *place = diagnosis;
        return 0;
}

/* --- the seat -------------------------------------------------------------------------------- */

/* The unit that is the reason of the failure, and what is wrong with it; unit is empty if none is known. */
struct culprit {
        char unit[UNIT_SIZE];
        bool failed;
        const char *verdict;
};

/* What is wrong with a unit in that state; NULL: nothing. */
static const char *judge(const char *state) {
        if (string_equal(state, "failed"))
                return "failed";
        if (string_equal(state, "activating"))
                return "takes too long";
        return string_equal(state, "deactivating") ? "is going down" : NULL;
}

static void note_culprit(struct culprit *culprit, const char *unit, const char *state) {
        bool failed = string_equal(state, "failed");

        if (!judge(state))
                return;
        /*
         * A unit that failed is a better answer than one that is still starting, or that stops because of the
         * failure. nsbr@ waits for the others and may fail with them, so another failed unit is the better
         * answer.
         */
        if (culprit->unit[0] && (culprit->failed > failed ||
                                        (culprit->failed == failed && string_starts_with(unit, "nsbr@"))))
                return;
        culprit->failed = failed;
        culprit->verdict = judge(state);
        (void)string_copy(culprit->unit, sizeof(culprit->unit), unit);
}

static void handle_units(void *userdata, int error, const struct unit_row *rows, size_t n_rows) {
        struct diagnosis *diagnosis = userdata;
        struct culprit culprit = {0};
        char text[REPLY_TEXT_SIZE];

        (void)error; /* then there are no rows, and nothing is known */
        for (size_t i = 0; i < n_rows; i++)
                note_culprit(&culprit, rows[i].name, rows[i].active_state);
        if (string_starts_with(culprit.unit, SERVICE_CONTAINER "@")) {
                finish(diagnosis, NULL, "it is still starting");
                return;
        }
        if (culprit.unit[0])
                (void)snprintf(text, sizeof(text), "%s %s" DIAGNOSIS_HINT "journalctl -b -u %s", culprit.unit,
                        culprit.verdict, culprit.unit);
        else
                (void)snprintf(text, sizeof(text),
                        "nsbr@%s.service did not come up" DIAGNOSIS_HINT "journalctl -b -u 'n*@%s*'",
                        diagnosis->seat, diagnosis->course);
        finish(diagnosis, text, NULL);
}

int diagnosis_start(struct bus *bus, const char *course, const char *seat, bool with_container,
        diagnosis_callback_t callback, void *userdata, struct diagnosis **place) {
        const char *patterns[4];
        size_t n = 0;
        int r;

        r = make(bus, course, seat, callback, userdata, place);
        if (r < 0)
                return r;
        patterns[n++] = (*place)->netbr;
        patterns[n++] = (*place)->netns;
        patterns[n++] = (*place)->nsbr;
        if (with_container)
                patterns[n++] = (*place)->cont;
        r = unit_list(bus, patterns, n, handle_units, *place, &(*place)->call);
        if (r < 0)
                diagnosis_drop(place);
        return r;
}

/* --- the container --------------------------------------------------------------------------- */

static void report_container(struct diagnosis *diagnosis, const char *status, const char *result) {
        char text[CONTAINER_FAILURE_SIZE];

        container_format_failure(status, result, text);
        finish(diagnosis, NULL, text);
}

static void ask_container(
        struct diagnosis *diagnosis, enum unit_property property, unit_property_callback_t callback) {
        if (unit_get_property(
                    diagnosis->bus, diagnosis->cont, property, callback, diagnosis, &diagnosis->call) < 0)
                report_container(diagnosis, "", "");
}

static void handle_result(void *userdata, int error, const struct unit_value *value) {
        (void)error;
        report_container(userdata, "", value->text);
}

static void handle_status(void *userdata, int error, const struct unit_value *value) {
        (void)error;
        if (value->text[0])
                report_container(userdata, value->text, "");
        else
                ask_container(userdata, SERVICE_RESULT, handle_result);
}

static void handle_container(void *userdata, int error, const struct unit_row *rows, size_t n_rows) {
        if (error >= 0 && n_rows > 0 && string_equal(rows[0].active_state, "active"))
                finish(userdata, NULL, NULL);
        else
                ask_container(userdata, SERVICE_STATUS_TEXT, handle_status);
}

int diagnosis_start_container(struct bus *bus, const char *seat, diagnosis_callback_t callback,
        void *userdata, struct diagnosis **place) {
        const char *pattern;
        int r;

        r = make(bus, "", seat, callback, userdata, place);
        if (r < 0)
                return r;
        pattern = (*place)->cont;
        r = unit_list(bus, &pattern, 1, handle_container, *place, &(*place)->call);
        if (r < 0)
                diagnosis_drop(place);
        return r;
}
