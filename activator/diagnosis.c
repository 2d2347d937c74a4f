/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks at the units of one seat after a start that failed or takes too long. */

#include "diagnosis.h"
#include "systemd.h"

#define UNIT_SIZE 64U

/* The course's bridge, the seat's namespace, what connects them, and the container. */
struct names {
        char netbr[UNIT_SIZE], netns[UNIT_SIZE], nsbr[UNIT_SIZE], cont[UNIT_SIZE];
};

static void format_names(const struct lease *lease, struct names *ret) {
        (void)snprintf(ret->netbr, UNIT_SIZE, "netbr@%s.service", lease->course);
        (void)snprintf(ret->netns, UNIT_SIZE, "netns@%s.service", lease->seat);
        (void)snprintf(ret->nsbr, UNIT_SIZE, "nsbr@%s.service", lease->seat);
        (void)snprintf(ret->cont, UNIT_SIZE, SERVICE_CONTAINER "@%s.service", lease->seat);
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
        if (finding.culprit[0])
                (void)snprintf(text, sizeof(text), "%s %s; see: journalctl -b -u %s", finding.culprit,
                        finding.verdict, finding.culprit);
        else
                (void)snprintf(text, sizeof(text),
                        "nsbr@%s.service did not come up; see: journalctl -b -u 'n*@%s*'", lease->seat,
                        lease->course);
        lease->diagnosis(lease, text);
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

static int handle_container(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct lease *lease = userdata;
        struct unit_row row = {0};
        char text[REPLY_TEXT_SIZE];
        int r = -EIO;

        (void)error;
        if (!sd_bus_message_is_method_error(reply, NULL))
                r = systemd_enter_units(reply);
        if (r >= 0)
                r = systemd_read_unit(reply, &row);

        (void)snprintf(text, sizeof(text),
                SERVICE_CONTAINER "@%s.service failed; see: journalctl -b -u " SERVICE_CONTAINER
                                  "@%s.service",
                lease->seat, lease->seat);
        lease->diagnosis(lease, r > 0 && string_equal(row.active_state, "active") ? NULL : text);
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
