/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The syntax of single values of coursenet.conf: what a rate, a port, a domain or a name looks like. All
 * functions are pure. None knows a setting, a section or a file.
 */

#include <arpa/inet.h>
#include <net/if.h>
#include <stdint.h>

#include "name-rule.h"
#include "util.h"

/* "a, b or c", built one word at a time: appends the i-th of n words. Words that do not fit are cut. */
void alternative_append(char *text, size_t size, size_t i, size_t n, const char *word);

/* 0: no limit. */
struct rate {
        uint64_t bits; /* per second */
};

#define RATE_MIN UINT64_C(64000)
#define RATE_MAX UINT64_C(16000000000)

/*
 * "10M": bits per second, in thousands (K), millions (M) or billions (G), from RATE_MIN to RATE_MAX; "none":
 * no limit. -EINVAL or -ERANGE.
 */
int rate_parse(const char *text, struct rate *ret);

/* What a worse network does to each packet. All zero: nothing. */
struct impairment {
        unsigned delay_usec;  /* how long it is under way */
        unsigned jitter_usec; /* by how much that varies */
        unsigned loss_ppm;    /* how many of a million are lost */
};

#define IMPAIRMENT_MAX_USEC 10000000U
#define LOSS_ALL 1000000U

/* "500us", "50ms" or "2s", up to 10s, or "none"; "5%" or "0.1%" with up to four decimals, or "none". -EINVAL.
 */
int delay_parse(const char *text, unsigned *ret_usec);
int loss_parse(const char *text, unsigned *ret_ppm);

/*
 * "90", "90s", "90min", "12h", "2d": a time in seconds, or in the unit behind the number, from minimum to
 * maximum seconds. -EINVAL or -ERANGE.
 */
int duration_parse(const char *text, unsigned minimum, unsigned maximum, unsigned *ret_seconds);

/* Writes a number of seconds in the largest unit that needs no fraction: "12h". */
#define DURATION_TEXT_SIZE 16U
void duration_format(unsigned seconds, char ret_text[static DURATION_TEXT_SIZE]);

/* "443/tcp"; "443" is both protocols; "*:443" is any address of the host, not only the gateway's. */
struct port {
        uint16_t number;
        bool tcp, udp;
        bool any_address;
};

/* "443", "443/tcp", "443/udp", and each with "*:" before it. */
int port_parse(const char *text, struct port *ret);

/* An IPv4 or IPv6 address that a server could have, without a prefix. */
bool server_valid(const char *text);

/* The first length characters of label as a label in DNS: letters, digits and inner hyphens, at most 63 of
 * them. */
bool label_valid(const char *label, size_t length);

#define DOMAIN_SIZE 128U
#define DOMAIN_COURSE "{course}"
#define DOMAIN_DEFAULT "cs" DOMAIN_COURSE ".internal"

/*
 * A DNS domain with {course} in it once. With any number of digits instead of {course} it must be a domain
 * whose last label is not a number.
 */
bool domain_valid(const char *text);

/* Whether the kernel accepts it as the name of an interface: dev_valid_name() of net/core/dev.c. */
bool link_name_valid(const char *name);

/*
 * The name of an interface that a rule set can have in quotes: without a wildcard and without a quote. "all"
 * and "default" are refused because they mean all interfaces in /proc/sys/net, "lo" because it leads to no
 * other host.
 */
bool uplink_valid(const char *name);

/* Directories allow many characters in a name, but no blank, colon (passwd(5)), slash or comma. */
bool user_name_valid(const char *name);

#define STAFF_GROUP '@' /* "@cs123-staff" is everybody in that group */

/* The name of a user, or of a group with STAFF_GROUP before it. */
bool staff_name_valid(const char *name);

#define HOST_NAME_SIZE 256U

/* A host name or an IPv4 address, to be given to ping. */
bool host_valid(const char *name);

/* The name of a server in [hosts]: a label of a host name, RFC 1123. With its NUL. */
#define HOST_MEMBER_NAME_SIZE 33U
bool host_member_name_valid(const char *name);

/* "NAME=ADDRESS" with an IPv4 address. */
#define HOST_MEMBER_SIZE (HOST_MEMBER_NAME_SIZE + 16U)
bool host_member_valid(const char *text);

bool ipv4_valid(const char *text);

/*
 * "https://HOST:PORT" of an etcd server; an IPv6 address in brackets. "http://" only with a loopback address,
 * because the one who reads or changes the traffic decides where a seat is live.
 */
#define STORE_URL_SIZE 128U
#define STORE_PATH_SIZE 192U
bool store_url_valid(const char *text);

/* A text without control characters in which only %u, %h and %% have a percent sign. */
#define HANDOVER_SIZE 160U
bool handover_valid(const char *text);

/* The highest VXLAN network identifier: it has 24 bits, RFC 7348. */
#define VNI_MAX 16777215U

/* An absolute path without control characters; these are refused in the next two as well. */
bool path_valid(const char *path);

/* SOURCE[:TARGET[:ro|rw]] of a container's bind. The runtime would read a comma as the beginning of another
 * bind. */
bool bind_valid(const char *word);

/* NAME=VALUE of a container's environment. The runtime would split it at a comma. */
bool variable_valid(const char *word);

#define SERVICE_NAME_SIZE 24U

/*
 * The name of a template unit without its "@". The templates of the seat itself are refused, because a seat
 * cannot depend on a unit that depends on the seat.
 */
bool template_valid(const char *name);

#define LIMIT_INFINITY UINT64_MAX

/* With less, no login works: sshd itself counts. */
#define MEMORY_MAX_MIN (UINT64_C(16) << 20)
#define TASKS_MAX_MIN 16U

/* A limit as systemd.resource-control(5) writes it. */
struct resource_limit {
        uint64_t number; /* bytes, tasks, percent or a weight; LIMIT_INFINITY: none */
        bool is_percent;
};

/*
 * "2G", "50%" or "infinity"; "150%" or "infinity"; "500", "20%" or "infinity"; "100". -EINVAL, also for what
 * systemd would ignore, such as more than all of the memory.
 */
int memory_max_parse(const char *text, struct resource_limit *ret);
int cpu_quota_parse(const char *text, struct resource_limit *ret);
int tasks_max_parse(const char *text, struct resource_limit *ret);
int weight_parse(const char *text, struct resource_limit *ret);

bool memory_max_valid(const char *text);
bool cpu_quota_valid(const char *text);
bool tasks_max_valid(const char *text);
bool weight_valid(const char *text);
