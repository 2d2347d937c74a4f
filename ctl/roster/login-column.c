/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The headings. Canvas: lib/gradebook_exporter.rb of canvas-lms. Moodle: the strings username and email of
 * its language packs en, de, fr and es. Blackboard and Brightspace have "Username", GitHub Classroom has
 * "identifier", and "NetID" is the login of many universities in the USA.
 */

#include "login-column.h"
#include "util.h"

#define HEADING_SIZE 64U

static const struct {
        const char *heading;
        enum login_column kind;
} headings[] = {
        {"sisloginid", LOGIN_COLUMN_SIS},
        {"loginid", LOGIN_COLUMN_LOGIN},
        {"login", LOGIN_COLUMN_LOGIN},
        {"loginname", LOGIN_COLUMN_LOGIN},
        {"username", LOGIN_COLUMN_LOGIN},
        {"user", LOGIN_COLUMN_LOGIN},
        {"netid", LOGIN_COLUMN_LOGIN},
        {"anmeldename", LOGIN_COLUMN_LOGIN},
        {"benutzername", LOGIN_COLUMN_LOGIN},
        {"nom d'utilisateur", LOGIN_COLUMN_LOGIN},
        {"nom d\xe2\x80\x99utilisateur", LOGIN_COLUMN_LOGIN},
        {"nombre de usuario", LOGIN_COLUMN_LOGIN},
        {"email", LOGIN_COLUMN_MAIL},
        {"emailaddress", LOGIN_COLUMN_MAIL},
        {"emailadresse", LOGIN_COLUMN_MAIL},
        {"mail", LOGIN_COLUMN_MAIL},
        {"adresse de courriel", LOGIN_COLUMN_MAIL},
        {"adresse email", LOGIN_COLUMN_MAIL},
        {"direcci\xc3\xb3n de correo", LOGIN_COLUMN_MAIL},
        {"direcci\xc3\xb3n email", LOGIN_COLUMN_MAIL},
        {"correo electr\xc3\xb3nico", LOGIN_COLUMN_MAIL},
        {"sisuserid", LOGIN_COLUMN_ID},
        {"userid", LOGIN_COLUMN_ID},
        {"identifier", LOGIN_COLUMN_ID},
};

/* The form of a heading that is compared. Not tolower(), because the result must not depend on the locale. */
static void simplify(const char *heading, char *ret, size_t size) {
        size_t n = 0;

        for (; *heading && n + 1 < size; heading++) {
                if (strchr(" -_.", *heading))
                        continue;
                ret[n++] = *heading >= 'A' && *heading <= 'Z' ? (char)(*heading - 'A' + 'a') : *heading;
        }
        ret[n] = '\0';
}

enum login_column login_column_kind(const char *heading, const char *wanted) {
        char simple[HEADING_SIZE], known[HEADING_SIZE];

        if (wanted)
                return strcasecmp(heading, wanted) == 0 ? LOGIN_COLUMN_LOGIN : LOGIN_COLUMN_NONE;
        if (strlen(heading) >= sizeof(simple))
                return LOGIN_COLUMN_NONE;

        simplify(heading, simple, sizeof(simple));
        for (size_t i = 0; i < ELEMENTSOF(headings); i++) {
                simplify(headings[i].heading, known, sizeof(known));
                if (string_equal(simple, known))
                        return headings[i].kind;
        }
        return LOGIN_COLUMN_NONE;
}
