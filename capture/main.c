/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * coursenet-capture: writes the packets of a seat to standard output, as a pcap file. It has no privilege:
 * the activator decides, coursenet-capture@.service captures, and this program copies.
 */

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "command-line.h"
#include "filter.h"
#include "server-connection.h"

static void print_usage(FILE *stream) {
        (void)fputs(
                "Usage: coursenet-capture [-s BYTES] [SEAT|USER] [-- FILTER...]\n"
                "\n"
                "Writes the packets of a seat to standard output, as a pcap file, until Ctrl-C. The seat is\n"
                "your own, or one of a course of which you are staff. -s keeps only so many bytes of each\n"
                "packet. FILTER is an expression of pcap-filter(7), such as: port 80\n"
                "\n"
                "On your own computer, Wireshark shows them live:\n"
                "  ssh USER@SERVER coursenet-capture | wireshark -k -i -\n"
                "\n"
                "Exit codes: 0 the capture has ended; 1 there is none; 2 usage; 3 the activator cannot be\n"
                "reached. See coursenet-capture(1).\n",
                stream);
}

/* For the signal handler. */
static int server_fd = -1;

/* The server then sends its last message, with the numbers of packets. A second signal ends this program. */
static void handle_signal(int number) {
        (void)number;
        (void)shutdown(server_fd, SHUT_WR);
}

static void catch_signals(int fd) {
        const struct sigaction action = {
                .sa_handler = handle_signal, .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};

        server_fd = fd;
        (void)sigaction(SIGINT, &action, NULL);
        (void)sigaction(SIGTERM, &action, NULL);
}

static int write_all(const char *data, size_t size) {
        while (size > 0) {
                ssize_t n = write(STDOUT_FILENO, data, size);

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0) {
                        data += n;
                        size -= (size_t)n;
                }
        }
        return 0;
}

/* Returns an exit code, or -1: there is more. */
static int take_message(char *message, ssize_t n) {
        int r;

        if (n <= 0) {
                complain("The server has ended without a reason. There may be too many captures: try again "
                         "later.");
                return EXIT_NO;
        }
        if (message[0] == CAPTURE_END) {
                message[n] = '\0';
                complain("%s", message + 1);
                return EXIT_DONE;
        }
        r = write_all(message + 1, (size_t)n - 1);
        if (r < 0)
                complain("Cannot write to standard output: %s.", strerror(-r));
        return r < 0 ? EXIT_NO : -1;
}

/* Also sees that nobody reads standard output any more while there is no packet. */
static int wait_for_message(int fd) {
        struct pollfd polled[] = {{.fd = fd, .events = POLLIN}, {.fd = STDOUT_FILENO}};

        if (poll(polled, ELEMENTSOF(polled), -1) < 0)
                return errno == EINTR ? 0 : -errno;
        if (polled[1].revents & (POLLERR | POLLHUP))
                return -EPIPE;
        return polled[0].revents != 0;
}

static int copy(int fd) {
        static char message[CAPTURE_MESSAGE_MAX + 1];
        int r = -1;

        while (r < 0) {
                ssize_t n;

                r = wait_for_message(fd);
                if (r < 0)
                        return r == -EPIPE ? EXIT_DONE : EXIT_NO;
                if (r > 0) {
                        n = recv(fd, message, sizeof(message) - 1, 0);
                        r = n < 0 && errno == EINTR ? -1 : take_message(message, n);
                } else
                        r = -1;
        }
        return r;
}

static int capture(const struct command_line *options) {
        static struct capture_start start;
        _cleanup_close_ int fd = -1;
        int r;

        r = filter_compile(options->filter, options->snaplen, &start);
        if (r == EXIT_DONE)
                r = server_connection_open(options->seat, &fd);
        if (r != EXIT_DONE)
                return r;
        catch_signals(fd);
        /* If the server has gone, receiving says so. */
        (void)send(fd, &start, CAPTURE_START_SIZE(start.n_instructions), MSG_NOSIGNAL);
        return copy(fd);
}

int main(int argc, char **argv) {
        struct command_line options;
        const char *reason;

        if (command_line_parse(argc, argv, &options, &reason) < 0) {
                complain("%s.", reason);
                print_usage(stderr);
                return EXIT_USAGE;
        }
        if (options.help) {
                print_usage(stdout);
                return fflush(stdout) == 0 ? EXIT_DONE : EXIT_NO;
        }
        if (isatty(STDOUT_FILENO)) {
                complain("Packets are not for a terminal. On your own computer: "
                         "ssh USER@SERVER coursenet-capture | wireshark -k -i - "
                         "(or: coursenet-capture | tcpdump -n -r -).");
                return EXIT_USAGE;
        }
        return capture(&options);
}
