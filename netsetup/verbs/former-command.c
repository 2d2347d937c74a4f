/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The watch of an earlier version treats a change of the firewall as its own if the process is named
 * coursenet-net, and undoes all other changes. So argv[0] has the name coursenet-net, and coursenet-host
 * takes that name (see main() there).
 */

#include <limits.h>

#include "former-command.h"
#include "util.h"

static bool is_former(const char *word) {
        static const char *const words[] = {"refresh", "fence", "dns", "watch", "teardown", "check"};

        for (size_t i = 0; word && i < ELEMENTSOF(words); i++)
                if (string_equal(word, words[i]))
                        return true;
        return false;
}

void former_command_exec(char **argv) {
        static char name[] = "coursenet-net";
        static const char host[] = "coursenet-host";
        char path[PATH_MAX];
        ssize_t length;
        char *slash;

        if (!argv[0] || !is_former(argv[1]))
                return;
        length = readlink("/proc/self/exe", path, sizeof(path) - sizeof(host));
        if (length <= 0)
                return;
        path[length] = '\0';
        slash = strrchr(path, '/');
        if (!slash)
                return;
        memcpy(slash + 1, host, sizeof(host));
        argv[0] = name;
        (void)execv(path, argv);
}
