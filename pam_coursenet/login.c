/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Finds out whose login it is, and reports about it. It is called for every session on the machine, so
 * sessions of other users must cost nothing and leave no trace.
 */

#include <pwd.h>
#include <stdarg.h>
#include <syslog.h>

#include "journal-message.h"
#include "login.h"
#include "message-id.h"
#include "protocol.h"

#define LOG_TEXT_SIZE 640U

/* pam_get_item() and not pam_get_user(), because a session must never prompt for a name. */
static const char *get_item(pam_handle_t *pamh, int item) {
        const void *text = NULL;

        return pam_get_item(pamh, item, &text) == PAM_SUCCESS ? text : NULL;
}

/* Room for the longest name, LOGIN_NAME_MAX, and the text around it. */
#define DATA_NAME_SIZE 320U

/*
 * The account that a module before this one has looked up: libpam's pam_modutil_getpwnam() keeps its result
 * in the handle, under this name, until the handle's end. In the shipped stack pam_succeed_if looks up the
 * uid. The result tells the account behind a mail address, or another alias of a directory, without a second
 * lookup. NULL: no module has looked the account up.
 */
static const char *find_account(pam_handle_t *pamh, const char *user) {
        static const char head[] = "_pammodutil_getpwnam_", tail[] = "_0";
        char name[DATA_NAME_SIZE];
        size_t length = strlen(user);
        const void *data = NULL;

        if (length > sizeof(name) - sizeof(head) - sizeof(tail))
                return NULL;
        (void)stpcpy(stpcpy(stpcpy(name, head), user), tail);
        if (pam_get_data(pamh, name, &data) != PAM_SUCCESS || !data)
                return NULL;
        return ((const struct passwd *)data)->pw_name;
}

/* Whether the account behind a name that is not a course user's is one of a course user. */
static bool is_alias(const struct options *options, const char *user, const char *account) {
        char course[COURSE_SIZE], student[USER_NAME_SIZE];

        return account && !string_equal(account, user) &&
               (name_rule_match(&options->rule, account, course, student) ||
                       name_rule_resembles(&options->rule, account));
}

enum login_owner login_init(struct login *ret, pam_handle_t *pamh, int flags, const struct options *options) {
        struct login login = {
                .pamh = pamh,
                .flags = flags,
                .options = options,
                .user = get_item(pamh, PAM_USER),
                .service = get_item(pamh, PAM_SERVICE),
        };
        char student[USER_NAME_SIZE];
        enum login_owner owner;

        /* The user's systemd manager belongs to a login that already has a seat, and may outlive it. */
        if (login.service && string_equal(login.service, "systemd-user"))
                owner = LOGIN_OTHERS;
        else if (!login.user || login.user[0] == '\0')
                owner = LOGIN_UNCLEAR;
        else if (!options->rule_usable)
                owner = string_equal(login.user, "root") ? LOGIN_OTHERS : LOGIN_UNCLEAR;
        else if (name_rule_match(&options->rule, login.user, login.course, student))
                owner = LOGIN_STUDENT;
        else if (name_rule_resembles(&options->rule, login.user))
                owner = LOGIN_RESEMBLES;
        else {
                const char *account = find_account(pamh, login.user);
                bool alias = is_alias(options, login.user, account);

                login.account = alias ? account : NULL;
                owner = alias ? LOGIN_RESEMBLES : LOGIN_OTHERS;
        }

        *ret = login;
        return owner;
}

static void log_text(const struct login *login, int priority, const char *text) {
        pam_syslog(login->pamh, priority, "%s: %s", login->user ? login->user : "no user", text);
}

static void tell(const struct login *login, enum sentence sentence, const char *text) {
        if ((unsigned)login->flags & PAM_SILENT)
                return;

        switch (sentence) {
        case SENTENCE_NO_SEAT:
                pam_error(login->pamh,
                        "%s is not on the class list of course %s. Please tell your course staff.",
                        login->user, login->course);
                break;
        case SENTENCE_SLOW:
                pam_error(login->pamh,
                        "Your course network took too long to start. Please try again, or tell your "
                        "course staff.");
                break;
        case SENTENCE_TOLD:
                pam_error(login->pamh, "%s", text);
                break;
        case SENTENCE_FAILED:
        default:
                pam_error(login->pamh,
                        "Your course network could not be started. Please tell your course staff.");
        }
}

/*
 * The same line with fields: for `journalctl -x` and for coursenet_refusals_total. Where there is no
 * journald, or if it does not take the line, it goes to syslog.
 */
static void log_refusal(const struct login *login, enum refusal reason, const char *text) {
        char line[LOG_TEXT_SIZE + USER_NAME_SIZE + SERVICE_SIZE + 64];
        const struct journal_field fields[] = {
                {"PRIORITY", STRINGIFY(LOG_ERR)},
                {"SYSLOG_FACILITY", "10"}, /* LOG_AUTHPRIV, as pam_syslog() has it */
                {"SYSLOG_IDENTIFIER", program_invocation_short_name},
                {"MESSAGE", line},
                {"MESSAGE_ID", MESSAGE_REFUSED},
                {"COURSENET_REASON", reason < _REFUSAL_MAX ? refusal_text(reason) : ""},
                {"COURSENET_USER", login->user ? login->user : ""},
                {"COURSENET_SERVICE", login->service ? login->service : ""},
        };

        (void)snprintf(line, sizeof(line), "pam_coursenet(%s:session): %s: %s",
                login->service ? login->service : "", login->user ? login->user : "no user", text);
        if (reason == REFUSAL_LOGGED || journal_message_send(JOURNAL_SOCKET, fields, ELEMENTSOF(fields)) < 0)
                log_text(login, LOG_ERR, text);
}

int login_deny(const struct login *login, int error, enum refusal reason, enum sentence sentence,
        const char *format, ...) {
        char text[LOG_TEXT_SIZE];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);

        log_refusal(login, reason, text);
        tell(login, sentence, text);
        return error;
}

int login_deny_name(const struct login *login, enum refusal reason, const char *why) {
        char text[LOG_TEXT_SIZE];

        (void)snprintf(text, sizeof(text), "cannot be a course user's name: %s", why);
        log_refusal(login, reason, text);
        if (!((unsigned)login->flags & PAM_SILENT))
                pam_error(login->pamh,
                        "%s %s. Please log in by the account's own name, or tell your course staff.",
                        login->user, text);
        return -EINVAL;
}

void login_debug(const struct login *login, const char *format, ...) {
        char text[LOG_TEXT_SIZE];
        va_list arguments;

        if (!login->options->debug)
                return;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        log_text(login, LOG_DEBUG, text);
}
