/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads /proc/self/loginuid, and the variable of sudo. */

#include <pwd.h>

#include "login-uid.h"
#include "number.h"

#define NONE 4294967295U

static bool parse(const char *text, uid_t *ret) {
        unsigned number;

        if (number_parse(text, 0, NONE - 1, &number) < 0)
                return false;
        *ret = (uid_t)number;
        return true;
}

bool login_uid_find(const char *proc, uid_t *ret) {
        _cleanup_fclose_ FILE *file = NULL;
        char path[256], text[16] = "";
        const char *of_sudo = getenv("SUDO_UID");

        (void)snprintf(path, sizeof(path), "%s/self/loginuid", proc);
        file = fopen(path, "re");
        if (file && fgets(text, sizeof(text), file) && parse(text, ret))
                return true;
        return of_sudo && parse(of_sudo, ret);
}

bool login_user_find(const char *proc, uid_t *ret_uid, char ret_name[static LOGIN_USER_SIZE]) {
        const struct passwd *account;

        ret_name[0] = '\0';
        if (!login_uid_find(proc, ret_uid))
                return false;
        account = getpwuid(*ret_uid);
        if (account)
                (void)snprintf(ret_name, LOGIN_USER_SIZE, "%s", account->pw_name);
        return true;
}
