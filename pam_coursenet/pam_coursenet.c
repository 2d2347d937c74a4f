/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * pam_coursenet.so: the functions that libpam calls, and the only place where results become PAM codes. The
 * module runs inside other programs (sshd, login, su, a JupyterHub), so nothing in it exits, changes signals,
 * reads the caller's environment or keeps state outside the PAM handle.
 *
 * The result starts as a denial; one line grants success.
 */

#include <syslog.h>

#include "login.h"
#include "session.h"

#define ENTRY_POINT __attribute__((visibility("default")))

/*
 * What a denied open returns. pam_sm_open_session(3) has PAM_SESSION_ERR for it, but sudo goes on after that
 * code (sudo_pam_begin_session() in its plugins/sudoers/auth/pam.c), and a shell would run outside of the
 * seat. Every program that was tested ends with PAM_PERM_DENIED, and those that print it say "Permission
 * denied"; pam_coursenet(8) lists them.
 */
#define SESSION_DENIED PAM_PERM_DENIED

/* The rule is not secret: it tells users how to write a name that they know. */
static void deny_name(const struct login *login) {
        const struct name_rule *rule = &login->options->rule;
        char reason[NAME_RULE_TEXT_SIZE + 256], text[NAME_RULE_TEXT_SIZE];

        name_rule_text(rule, text);
        if (login->account)
                (void)snprintf(reason, sizeof(reason), "its account is called %s", login->account);
        else
                (void)snprintf(reason, sizeof(reason), "those are written %s here, and %s", text,
                        name_rule_reason(rule, login->user));
        (void)login_deny_name(login, REFUSAL_NAME, reason);
        session_note(login);
}

/* True if the session is a student's and may be opened; otherwise the log and the user get the reason. */
static bool may_open(const struct login *login, enum login_owner owner) {
        const struct options *options = login->options;

        if (options->wrong) {
                (void)login_deny(login, -EINVAL, REFUSAL_SETTINGS, SENTENCE_FAILED,
                        "option %s in pam.d: %s%s", options->wrong, options->reason,
                        options->rule_usable ? "" : "; until it is corrected, only root gets a session");
                return false;
        }
        if (owner == LOGIN_UNCLEAR)
                (void)login_deny(
                        login, -EINVAL, REFUSAL_NAME, SENTENCE_FAILED, "the session has no user name");
        else if (owner == LOGIN_RESEMBLES)
                deny_name(login);
        return owner == LOGIN_STUDENT;
}

ENTRY_POINT int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        struct options options;
        enum login_owner owner;
        struct login login;
        int result = SESSION_DENIED;

        options_parse(argc, argv, &options);
        owner = login_init(&login, pamh, flags, &options);
        if (owner == LOGIN_OTHERS)
                return PAM_IGNORE;

        if (may_open(&login, owner) && session_open(&login) == 0)
                result = PAM_SUCCESS;
        return result;
}

/*
 * Never an error: the session ends even if the activator cannot be told, and an error could prevent the
 * clean-up of other modules in the stack. The activator ends a lease that is left when its opener has died.
 */
ENTRY_POINT int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        struct options options;
        struct login login;

        options_parse(argc, argv, &options);
        if (login_init(&login, pamh, flags, &options) != LOGIN_STUDENT)
                return PAM_IGNORE;

        if (options.wrong)
                pam_syslog(pamh, LOG_ERR, "%s: option %s in pam.d: %s", login.user, options.wrong,
                        options.reason);
        session_close(&login);
        return PAM_SUCCESS;
}
