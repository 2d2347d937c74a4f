/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks at the units of one seat after a start that failed or takes too long. */

#include "diagnosis.h"
#include "container-failure.h"
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

static int read_units(sd_bus_message *reply, struct finding *finding) {
        struct unit_row row;
        int r;

        if (sd_bus_message_is_method_error(reply, NULL))
                return -sd_bus_message_get_errno(reply);
        r = systemd_enter_units(reply);
        while (r >= 0 && (r = systemd_read_unit(reply, &row)) > 0)
                note_culprit(finding, row.name, row.active_state);
        return r;
}

static int handle_units(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct lease *lease = userdata;
        struct finding finding = {0};
        char text[REPLY_TEXT_SIZE];

        (void)error;
        (void)read_units(reply, &finding);
        if (string_starts_with(finding.culprit, SERVICE_CONTAINER "@")) {
                lease->diagnosis(lease, NULL, "it is still starting");
                return 0;
        }
        if (finding.culprit[0])
                (void)snprintf(text, sizeof(text), "%s %s" DIAGNOSIS_HINT "journalctl -b -u %s",
                        finding.culprit, finding.verdict, finding.culprit);
        else
                (void)snprintf(text, sizeof(text),
                        "nsbr@%s.service did not come up" DIAGNOSIS_HINT "journalctl -b -u 'n*@%s*'",
                        lease->record.seat, lease->record.course);
        lease->diagnosis(lease, text, NULL);
        return 0;
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
        return systemd_list_units(lease->manager, patterns, n, handle_units, lease, &lease->call_slot);
}

static void report_container(struct lease *lease, const char *status, const char *result) {
        char text[CONTAINER_FAILURE_SIZE];

        container_failure_format(status, result, text);
        lease->diagnosis(lease, NULL, text);
}

static void ask_container(struct lease *lease, const char *property, sd_bus_message_handler_t callback) {
        struct names names;

        format_names(lease, &names);
        lease->call_slot = sd_bus_slot_unref(lease->call_slot);
        if (systemd_get_service_property(
                    lease->manager, names.cont, property, callback, lease, &lease->call_slot) < 0)
                report_container(lease, "", "");
}

/* Borrowed from reply; empty if it cannot be read. */
static const char *read_text(sd_bus_message *reply) {
        const char *text;

        return sd_bus_message_is_method_error(reply, NULL) || sd_bus_message_read(reply, "v", "s", &text) < 0
                       ? ""
                       : text;
}

static int handle_result(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        (void)error;
        report_container(userdata, "", read_text(reply));
        return 0;
}

static int handle_status(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const char *status = read_text(reply);

        (void)error;
        if (status[0])
                report_container(userdata, status, "");
        else
                ask_container(userdata, "Result", handle_result);
        return 0;
}

static int handle_container(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct lease *lease = userdata;
        struct unit_row row = {0};
        int r = -EIO;

        (void)error;
        if (!sd_bus_message_is_method_error(reply, NULL))
                r = systemd_enter_units(reply);
        if (r >= 0)
                r = systemd_read_unit(reply, &row);
        if (r > 0 && string_equal(row.active_state, "active"))
                lease->diagnosis(lease, NULL, NULL);
        else
                ask_container(lease, "StatusText", handle_status);
        return 0;
}

int diagnosis_start_container(struct lease *lease, diagnosis_callback_t callback) {
        const char *pattern;
        struct names names;

        format_names(lease, &names);
        pattern = names.cont;
        lease->diagnosis = callback;
        return systemd_list_units(lease->manager, &pattern, 1, handle_container, lease, &lease->call_slot);
}
