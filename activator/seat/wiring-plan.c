/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The texts of drop-ins. Everything here is pure: wiring.c writes them. */

#include "wiring-plan.h"

/* No files have these names. systemd prints the name when somebody starts the service by hand, or logs in. */
#define STAND_IN_PATH "/run/coursenet/nobody-has-logged-in-on-this-seat"
#define NO_MANAGER_PATH "/run/coursenet/user-manager-is-set-to-no"

bool wiring_plan_seat(const struct seat_plan *seat, struct wiring *ret) {
        if (seat->bridge_course[0] == '\0')
                return false;

        ret->stand_in = false;
        (void)snprintf(ret->unit, sizeof(ret->unit), "nsbr@%s.service", seat->name);
        (void)snprintf(ret->text, sizeof(ret->text),
                "# Written by coursenet-activator: seat %s is on the bridge of course %s.\n"
                "[Unit]\n"
                "BindsTo=netbr@%s.service\n"
                "After=netbr@%s.service\n",
                seat->name, seat->bridge_course, seat->bridge_course, seat->bridge_course);
        ret->file = WIRING_FILE;
        ret->will_do[0] = '\0';
        return true;
}

/*
 * Without its seat the manager is skipped, which is not a failure. One that does fail, for instance because
 * the seat stops while it starts, is reset with its last session: see failed-units.h.
 */
void wiring_plan_user(const struct seat_plan *seat, uid_t uid, bool manager, struct wiring *ret) {
        ret->stand_in = false;
        (void)snprintf(ret->unit, sizeof(ret->unit), "user@%u.service", (unsigned)uid);
        (void)snprintf(ret->text, sizeof(ret->text),
                "# Written by coursenet-activator: this user's services belong into seat %s.\n"
                "[Unit]\n"
                "PartOf=nsbr@%s.service\n"
                "ConditionPathExists=%s%s\n"
                "CollectMode=inactive-or-failed\n"
                "[Service]\n"
                "NetworkNamespacePath=" NETNS_DIRECTORY "/%s\n"
                "TimeoutStopSec=5s\n",
                seat->name, seat->name, manager ? NETNS_DIRECTORY "/" : NO_MANAGER_PATH,
                manager ? seat->netns : "", seat->netns);
        ret->file = WIRING_FILE;
        (void)snprintf(ret->will_do, sizeof(ret->will_do), "\nNetworkNamespacePath=" NETNS_DIRECTORY "/%s\n",
                seat->netns);
}

/*
 * A unit that has failed stays in memory as long as a lease refers to it, so `systemctl` and `coursenetctl
 * status` show it; with the seat's last lease CollectMode= has systemd forget it.
 */
void wiring_plan_service(const struct seat_plan *seat, const char *user, uid_t uid,
        const struct service_settings *services, size_t i, struct wiring *ret) {
        const char *name = services->units[i];
        char slice[sizeof("Slice=user-4294967295.slice\n")] = "";

        if (uid != 0)
                (void)snprintf(slice, sizeof(slice), "Slice=user-%u.slice\n", (unsigned)uid);
        ret->stand_in = false;
        (void)snprintf(ret->unit, sizeof(ret->unit), "%s@%s.service", name, seat->name);
        (void)snprintf(ret->text, sizeof(ret->text),
                "# Written by coursenet-activator: part of seat %s.\n"
                "[Unit]\n"
                "StopWhenUnneeded=yes\n"
                "BindsTo=nsbr@%s.service\n"
                "After=nsbr@%s.service\n"
                "CollectMode=inactive-or-failed\n"
                "[Service]\n"
                "User=%s\n"
                "%s"
                "NetworkNamespacePath=" NETNS_DIRECTORY "/%s\n",
                seat->name, seat->name, seat->name, user, slice, seat->netns);
        ret->file = WIRING_FILE;
        ret->will_do[0] = '\0';
}

void wiring_plan_stand_in(const struct seat_plan *seat, const char *service, struct wiring *ret) {
        *ret = (struct wiring){.stand_in = true};
        (void)snprintf(ret->unit, sizeof(ret->unit), "%s@%s.service", service, seat->name);
        (void)snprintf(ret->text, sizeof(ret->text),
                "# Written by coursenet-activator: part of seat %s, whose user is not named before a login.\n"
                "# By hand: coursenetctl start %s\n"
                "[Unit]\n"
                "StopWhenUnneeded=yes\n"
                "AssertPathExists=" STAND_IN_PATH "\n",
                seat->name, seat->name);
}

/* "SETTING=VALUE", if there is a value. */
static void append_limit(struct wiring *wiring, const char *setting, const char *value) {
        size_t length = strlen(wiring->text);

        if (value[0])
                (void)snprintf(
                        wiring->text + length, sizeof(wiring->text) - length, "%s=%s\n", setting, value);
}

bool wiring_plan_limits(uid_t uid, const struct limit_settings *limits, struct wiring *ret) {
        static const char head[] = "# Written by coursenet-activator: the limits of this user's course.\n"
                                   "[Slice]\n";

        *ret = (struct wiring){.file = WIRING_LIMITS_FILE};
        (void)snprintf(ret->unit, sizeof(ret->unit), "user-%u.slice", (unsigned)uid);
        (void)string_copy(ret->text, sizeof(ret->text), head);
        append_limit(ret, "MemoryMax", limits->memory_max);
        append_limit(ret, "CPUWeight", limits->cpu_weight);
        /* CPUQuota= has no word for no quota. */
        if (string_equal(limits->cpu_quota, "infinity"))
                (void)snprintf(ret->text + strlen(ret->text), sizeof("CPUQuota=\n"), "CPUQuota=\n");
        else
                append_limit(ret, "CPUQuota", limits->cpu_quota);
        append_limit(ret, "TasksMax", limits->tasks_max);
        append_limit(ret, "IOWeight", limits->io_weight);
        return !string_equal(ret->text, head);
}
