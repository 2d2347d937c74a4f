/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A PAM host for tests/e2e/fault.py: opens one session and closes it.
 *
 *     fault-host SERVICE USER
 *
 * It waits for a line on stdin before it opens the session, before it closes it, and before pam_end(). Each step
 * prints one line: what PAM returned, the program's open descriptors, its network namespace, and what the module has
 * told the user. Two system calls that fail at once are around each step, so that a trace shows what the step does.
 */

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_appl.h>

#define FDS_MAX 64

static char said[4096];

static int converse(int n, const struct pam_message **messages, struct pam_response **ret, void *data) {
        (void)data;
        for (int i = 0; i < n; i++) {
                size_t used = strlen(said);

                (void)snprintf(said + used, sizeof(said) - used, "%s|", messages[i]->msg);
        }
        *ret = calloc((size_t)n, sizeof(**ret));
        return *ret ? PAM_SUCCESS : PAM_BUF_ERR;
}

static void mark(const char *text) {
        if (write(-1, text, strlen(text)) >= 0)
                abort();
}

/* fail-malloc.c counts, and fails one call, from start to end. */
static void switch_malloc(const char *name) {
        void (*function)(void) = NULL;
        void *symbol = dlsym(RTLD_DEFAULT, name);

        memcpy(&function, &symbol, sizeof(symbol));
        if (function)
                function();
}

static void print_fds(void) {
        DIR *directory = opendir("/proc/self/fd");
        char path[300], target[256];

        if (!directory)
                return;
        for (struct dirent *entry; (entry = readdir(directory));) {
                ssize_t n;

                if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(directory))
                        continue;
                (void)snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
                n = readlink(path, target, sizeof(target) - 1);
                if (n >= 0) {
                        target[n] = '\0';
                        (void)printf("%s>%s,", entry->d_name, target);
                }
        }
        (void)closedir(directory);
}

/* The descriptor of syslog(3) is the C library's. */
static void report(const char *step, int result) {
        struct stat st = {0};

        closelog();
        (void)stat("/proc/self/ns/net", &st);
        (void)printf("%s\t%d\t%lu\t", step, result, (unsigned long)st.st_ino);
        print_fds();
        (void)printf("\t%s\n", said);
        (void)fflush(stdout);
        said[0] = '\0';
}

static void wait_for_line(void) {
        char line[16];

        if (!fgets(line, sizeof(line), stdin))
                exit(3);
}

static void print_variables(pam_handle_t *pamh) {
        const char *seat = pam_getenv(pamh, "COURSENET_SEAT"), *address = pam_getenv(pamh, "COURSENET_ADDRESS");

        (void)snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s %s|", seat ? seat : "", address ? address : "");
}

int main(int argc, char **argv) {
        const struct pam_conv conversation = {converse, NULL};
        pam_handle_t *pamh = NULL;
        int result;

        if (argc != 3 || pam_start(argv[1], argv[2], &conversation, &pamh) != PAM_SUCCESS)
                return 2;
        report("started", 0);

        wait_for_line();
        switch_malloc("fail_malloc_on");
        mark("open");
        result = pam_open_session(pamh, 0);
        mark("opened");
        switch_malloc("fail_malloc_off");
        print_variables(pamh);
        report("opened", result);

        wait_for_line();
        if (result == PAM_SUCCESS) {
                switch_malloc("fail_malloc_on");
                mark("close");
                result = pam_close_session(pamh, 0);
                mark("closed");
                switch_malloc("fail_malloc_off");
                print_variables(pamh);
        }
        report("closed", result);

        wait_for_line();
        (void)pam_end(pamh, result);
        report("ended", 0);
        return 0;
}
