/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks at the units of one seat after a start that failed or takes too long. */

#include "diagnosis.h"
#include "container.h"
#include "systemd/units.h"

#define UNIT_SIZE 64U

/* The course's bridge, the seat's namespace, what connects them, and the container. */
struct names {
        char netbr[UNIT_SIZE], netns[UNIT_SIZE], nsbr[UNIT_SIZE], cont[UNIT_SIZE];
};

static void format_names(const struct lease *lease, struct names *ret) {
        (void)snprintf(ret->netbr, UNIT_SIZE, "netbr@%s.service", lease->record.course);
        (void)snprintf(ret->netns, UNIT_SIZE, "netns@%s.service", lease->record.seat);
        (void)snprintf(ret->nsbr, UNIT_SIZE, "nsbr@%s.service", lease->record.seat);
        (void)snprintf(ret->cont, UNIT_SIZE, SERVICE_CONTAINER "@%s.service", lease->record.seat);
}

/* What the units say; the culprit is the one furthest down the chain. */
struct finding {
        char culprit[UNIT_SIZE];
        bool culprit_failed;
        const char *verdict;
};

/* Of a state that a unit should not be in; NULL: there is nothing wrong with it. */
static const char *judge(const char *state) {
        if (string_equal(state, "failed"))
                return "failed";
        if (string_equal(state, "activating"))
                return "takes too long";
        return string_equal(state, "deactivating") ? "is going down" : NULL;
}

static void note_culprit(struct finding *finding, const char *unit, const char *state) {
        bool failed = string_equal(state, "failed");

        if (!judge(state))
                return;
        /* nsbr@ waits for (or fails with) the others, so they are the better answer; a failure is better than
         * a wait. */
        if (finding->culprit[0] &&
                (string_starts_with(unit, "nsbr@") || (finding->culprit_failed && !failed)))
                return;
        finding->culprit_failed = failed;
        finding->verdict = judge(state);
        (void)string_copy(finding->culprit, sizeof(finding->culprit), unit);
}

static void handle_units(void *userdata, int error, const struct unit_row *rows, size_t n_rows) {
        struct lease *lease = userdata;
        struct finding finding = {0};
        char text[REPLY_TEXT_SIZE];

        (void)error; /* then there are no rows, and nothing is known */
        for (size_t i = 0; i < n_rows; i++)
                note_culprit(&finding, rows[i].name, rows[i].active_state);
        if (string_starts_with(finding.culprit, SERVICE_CONTAINER "@")) {
                lease->diagnosis(lease, NULL, "it is still starting");
                return;
        }
        if (finding.culprit[0])
                (void)snprintf(text, sizeof(text), "%s %s" DIAGNOSIS_HINT "journalctl -b -u %s",
                        finding.culprit, finding.verdict, finding.culprit);
        else
                (void)snprintf(text, sizeof(text),
                        "nsbr@%s.service did not come up" DIAGNOSIS_HINT "journalctl -b -u 'n*@%s*'",
                        lease->record.seat, lease->record.course);
        lease->diagnosis(lease, text, NULL);
}

int diagnosis_start(struct lease *lease, diagnosis_callback_t callback) {
        const char *patterns[4];
        struct names names;
        size_t n = 0;

        format_names(lease, &names);
        patterns[n++] = names.netbr;
        patterns[n++] = names.netns;
        patterns[n++] = names.nsbr;
        if (lease_waits_for_container(lease))
                patterns[n++] = names.cont;
        lease->diagnosis = callback;
        return unit_list(lease->table->bus, patterns, n, handle_units, lease, &lease->call);
}

static void report_container(struct lease *lease, const char *status, const char *result) {
        char text[CONTAINER_FAILURE_SIZE];

        container_format_failure(status, result, text);
        lease->diagnosis(lease, NULL, text);
}

static void ask_container(
        struct lease *lease, enum unit_property property, unit_property_callback_t callback) {
        struct names names;

        format_names(lease, &names);
        if (unit_get_property(lease->table->bus, names.cont, property, callback, lease, &lease->call) < 0)
                report_container(lease, "", "");
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
        struct lease *lease = userdata;

        if (error >= 0 && n_rows > 0 && string_equal(rows[0].active_state, "active"))
                lease->diagnosis(lease, NULL, NULL);
        else
                ask_container(lease, SERVICE_STATUS_TEXT, handle_status);
}

int diagnosis_start_container(struct lease *lease, diagnosis_callback_t callback) {
        const char *pattern;
        struct names names;

        format_names(lease, &names);
        pattern = names.cont;
        lease->diagnosis = callback;
        return unit_list(lease->table->bus, &pattern, 1, handle_container, lease, &lease->call);
}
