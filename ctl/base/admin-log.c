/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One journal entry with fields, see coursenetctl(8). */

#include <stdarg.h>
#include <systemd/sd-journal.h>

#include "admin-log.h"
#include "login-uid.h"
#include "message-id.h"
#include "scope.h"

static void find_user(const char *proc, char ret_uid[static 16], char ret_user[static LOGIN_USER_SIZE]) {
        uid_t uid;

        ret_uid[0] = '\0';
        if (login_user_find(proc, &uid, ret_user))
                (void)snprintf(ret_uid, 16, "%u", (unsigned)uid);
}

void admin_log(const struct paths *paths, const char *command, const char *target, const char *format, ...) {
        char uid[16], user[LOGIN_USER_SIZE], by[LOGIN_USER_SIZE + 32], result[256];
        va_list arguments;

        if (!paths->logs)
                return;
        va_start(arguments, format);
        (void)vsnprintf(result, sizeof(result), format, arguments);
        va_end(arguments);
        if (paths->scope) {
                (void)snprintf(uid, sizeof(uid), "%u", (unsigned)paths->scope->uid);
                (void)snprintf(user, sizeof(user), "%.63s", paths->scope->user);
        } else
                find_user(paths->proc, uid, user);
        if (uid[0])
                (void)snprintf(by, sizeof(by), "%s (uid %s)", user[0] ? user : "a user without a name", uid);
        else
                (void)snprintf(by, sizeof(by), "root, outside of any login");
        (void)sd_journal_send("MESSAGE=%s%s%s by %s: %s", command, target[0] ? " " : "", target, by, result,
                "MESSAGE_ID=" MESSAGE_ADMINISTRATOR, "PRIORITY=%d", LOG_NOTICE,
                "SYSLOG_IDENTIFIER=coursenetctl", "COURSENET_COMMAND=%s", command, "COURSENET_TARGET=%s",
                target, "COURSENET_LOGIN_UID=%s", uid, "COURSENET_LOGIN_USER=%s", user, NULL);
}
