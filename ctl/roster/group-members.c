/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The child writes the names into a pipe, each with its null byte, and exits with 0, or with the errno of the
 * look-up. It ends with this process.
 */

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "activator-client.h"
#include "group-members.h"

/* 100,000 names of the greatest length would not fit, and no course has so many. */
#define ANSWER_SIZE_MAX (16U << 20)

void group_members_done(struct group_members *members) {
        for (size_t i = 0; i < members->n_names; i++)
                free(members->names[i]);
        free(members->names);
        *members = (struct group_members){0};
}

static int write_names(int fd, char *const *names) {
        _cleanup_fclose_ FILE *file = fdopen(fd, "w");

        if (!file)
                return errno;
        for (; *names; names++)
                if (fwrite(*names, strlen(*names) + 1, 1, file) != 1)
                        return EIO;
        return fflush(file) == 0 ? 0 : errno;
}

/* Returns the child's exit status. */
static int look_up(const char *group, int fd) {
        const struct group *found;

        errno = 0;
        found = getgrnam(group);
        if (found)
                return write_names(fd, found->gr_mem);
        /* A module that cannot reach its service may say so by any of these. */
        return errno == 0 || errno == ESRCH || errno == ECONNREFUSED ? ENOENT : errno;
}

_Noreturn static void run_child(const char *group, int fd, pid_t parent) {
        (void)signal(SIGPIPE, SIG_DFL);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(getppid() == parent ? look_up(group, fd) & 0xff : EIO);
}

/* Returns the size, 0 at the end, or negative errno. */
static ssize_t read_until(int fd, char *buffer, size_t size, uint64_t deadline_usec) {
        uint64_t now = deadline_after_ms(0);
        struct pollfd pollfd = {.fd = fd, .events = POLLIN};
        ssize_t n;
        int r;

        if (now >= deadline_usec)
                return -ETIMEDOUT;
        r = poll(&pollfd, 1, (int)((deadline_usec - now) / 1000 + 1));
        if (r < 0)
                return errno == EINTR ? -EAGAIN : -errno;
        if (r == 0)
                return -ETIMEDOUT;
        n = read(fd, buffer, size);
        return n < 0 ? -errno : n;
}

/* The whole answer of the child, which the caller frees. */
static int read_answer(int fd, uint64_t deadline_usec, char **ret, size_t *ret_size) {
        _cleanup_free_ char *answer = NULL;
        size_t size = 0, room = 0;

        for (;;) {
                ssize_t n;

                if (size == room) {
                        char *more = room < ANSWER_SIZE_MAX ? realloc(answer, room + 65536U) : NULL;

                        if (!more)
                                return room < ANSWER_SIZE_MAX ? -ENOMEM : -EFBIG;
                        answer = more;
                        room += 65536U;
                }
                n = read_until(fd, answer + size, room - size, deadline_usec);
                if (n == -EAGAIN)
                        continue;
                if (n < 0)
                        return (int)n;
                if (n == 0)
                        break;
                size += (size_t)n;
        }
        *ret = answer;
        answer = NULL;
        *ret_size = size;
        return 0;
}

static int add_names(const char *answer, size_t size, struct group_members *members) {
        for (const char *name = answer, *end = answer + size; name < end; name += strlen(name) + 1) {
                char **names = reallocarray(members->names, members->n_names + 1, sizeof(*names));

                if (!names)
                        return -ENOMEM;
                members->names = names;
                names[members->n_names] = strdup(name);
                if (!names[members->n_names])
                        return -ENOMEM;
                members->n_names++;
        }
        return 0;
}

/* A child that hangs in a look-up is killed; no look-up can keep it from that. */
static int end_child(pid_t child, bool kills) {
        int status;

        if (kills)
                (void)kill(child, SIGKILL);
        while (waitpid(child, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        if (!WIFEXITED(status))
                return -EIO;
        return -WEXITSTATUS(status);
}

int group_members_add(const char *group, unsigned timeout_ms, struct group_members *members) {
        uint64_t deadline_usec = deadline_after_ms(timeout_ms);
        _cleanup_close_ int input = -1;
        _cleanup_free_ char *answer = NULL;
        pid_t child, parent = getpid();
        size_t size = 0;
        int fds[2], r, status;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        input = fds[0];
        child = fork();
        if (child == 0)
                run_child(group, fds[1], parent);
        r = child < 0 ? -errno : 0;
        (void)close(fds[1]);
        if (r < 0)
                return r;

        r = read_answer(input, deadline_usec, &answer, &size);
        status = end_child(child, r < 0);
        if (r < 0)
                return r;
        if (status < 0)
                return status;
        /* The last byte is a null byte, unless the child was cut short. */
        if (size > 0 && answer[size - 1] != '\0')
                return -EIO;
        return size > 0 ? add_names(answer, size, members) : 0;
}
