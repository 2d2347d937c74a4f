/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * /etc/coursenet/coursenet.conf: one [site] section and a [course N] section where a course differs. See
 * coursenet.conf(5). A file that is not there means the defaults; a file with a mistake means no settings
 * at all: nothing is guessed.
 */

#include <net/if.h>

#include "address.h"
#include "address6.h"
#include "diagnostics.h"
#include "name-rule.h"

#define SETTINGS_FILE "coursenet.conf"

/* What a bridge can hold is bounded by interface names: "vl-", course and seat number in 15 characters. */
#define SUBNET_PREFIX_MIN 16U
#define SUBNET_PREFIX_MAX 30U

/* Every IPv6 subnet has the one length that all of IPv6 reckons with. */
#define SUBNET6_PREFIX 64U

#define HOST_NAME_SIZE 256U

#define LINGER_MAX_SECONDS 86400U

/* leftover-max: the default, and the most there can be. */
#define LEFTOVER_DEFAULT_SECONDS (12U * 3600U)
#define LEFTOVER_MAX_SECONDS (30U * 86400U)

/* What becomes of processes in a seat when its last login has ended. */
enum leftover {
        LEFTOVER_UNSET, /* in a course: as the site has it */
        LEFTOVER_CUT,   /* the seat goes: they lose the network, or end with the student's manager */
        LEFTOVER_KILL,  /* the seat goes, and they are ended */
        LEFTOVER_KEEP,  /* the seat stays while they run, up to leftover-max */
};

/* What a seat has besides its network: template units, and the container among them. Empty texts: not set. */
#define SERVICES_MAX 8U
#define SERVICE_NAME_SIZE 24U
#define SERVICE_CONTAINER "cont"
#define CONTAINER_TEXT_SIZE 192U

struct service_settings {
        bool has_units;
        char units[SERVICES_MAX][SERVICE_NAME_SIZE]; /* templates: "cont" stands for cont@SEAT.service */
        size_t n_units;
        unsigned units_line;                   /* where they stand; 0: nowhere */
        char image[CONTAINER_TEXT_SIZE];       /* a .sif file or a sandbox folder */
        unsigned image_line;                   /* where it stands */
        char binds[CONTAINER_TEXT_SIZE];       /* words, SOURCE[:TARGET[:ro|rw]] */
        char environment[CONTAINER_TEXT_SIZE]; /* words, NAME=VALUE */
        char memory_max[24];                   /* as MemoryMax= of systemd.resource-control(5) */
        char cpu_quota[16];                    /* as CPUQuota= */
        char tasks_max[16];                    /* as TasksMax= */
};

/* yes or no; in a course, unset means: as the site has it. */
enum choice {
        CHOICE_UNSET,
        CHOICE_NO,
        CHOICE_YES,
};

/* Whom a seat can reach of the other seats. */
enum isolation {
        ISOLATION_UNSET,
        ISOLATION_NONE,   /* its course, and other courses that have none as well */
        ISOLATION_COURSE, /* its course */
        ISOLATION_SEAT,   /* nobody */
};

#define PORTS_MAX 24U

/* "443/tcp"; "443" is both protocols; "*:443" is any address of the host, not only the gateway's. */
struct port {
        uint16_t number;
        bool tcp, udp;
        bool any_address;
};

struct ports {
        bool is_set;
        struct port items[PORTS_MAX];
        size_t n_items;
};

/* Bits per second; 0: no limit. */
struct rate {
        bool is_set;
        uint64_t bits;
};

/* What the name service tells a seat of the other seats of its course. Of other courses it tells nothing. */
enum names_told {
        NAMES_UNSET,  /* in a course: as the site has it */
        NAMES_COURSE, /* all names and addresses */
        NAMES_NONE,   /* nothing */
};

#define STAFF_MAX 16U
#define STAFF_GROUP '@' /* "@cs123-staff" is everybody in that group */

/* Who may see a course, besides root: names of users, and of groups with STAFF_GROUP before them. */
struct staff {
        char names[STAFF_MAX][1 + USER_NAME_SIZE];
        size_t n_names;
};

/* What a course's network lets pass. */
struct traffic_settings {
        enum choice nat;     /* IPv4 leaves under the host's address */
        enum choice nat6;    /* IPv6 as well; unset: if the course's subnet is a unique local one */
        enum choice inbound; /* others than seats and the host may open connections to the seats */
        enum isolation isolation;
        struct ports host_ports; /* what seats reach of the host, besides ping and DNS of the gateway */
        struct rate rate;        /* of each seat, in each direction */
        struct rate course_rate; /* of the whole course to and from the host, in each direction */
};

#define UPLINKS_MAX 8U
#define DNS_SERVERS_MAX 8U
#define DOMAIN_SIZE 128U
#define DOMAIN_COURSE "{course}"
#define DOMAIN_DEFAULT "cs" DOMAIN_COURSE ".internal"
#define FENCE_USERS_MAX 16U

enum dns_source {
        DNS_HOST, /* as the host itself resolves */
        DNS_SERVERS,
        DNS_OFF, /* no name service for seats, and no redirection */
};

struct dns_settings {
        enum dns_source source;
        char servers[DNS_SERVERS_MAX][INET6_ADDRSTRLEN]; /* IPv4 or IPv6 */
        size_t n_servers;
        char domain[DOMAIN_SIZE]; /* with DOMAIN_COURSE in it */
};

/* What course users may do outside of their seats. */
struct fence_settings {
        bool enabled;
        char users[FENCE_USERS_MAX][USER_NAME_SIZE]; /* not fenced */
        size_t n_users;
        struct ports ports; /* that are open to all; any_address has no meaning here */
};

struct course_settings {
        char course[COURSE_SIZE];
        bool has_subnet;
        struct address subnet;
        struct address6 subnet6; /* all zero: not set */
        struct traffic_settings traffic;
        char test_host[HOST_NAME_SIZE]; /* empty: the site's */
        bool has_linger;
        unsigned linger_seconds;
        enum leftover leftover;
        enum names_told names;
        struct staff staff;            /* besides the site's */
        unsigned leftover_max_seconds; /* 0: the site's */
        struct service_settings services;
        unsigned line; /* of the section's first setting */
        uint64_t seen; /* which settings the section has, for its parser */
};

/* The empty value is all zero and only good for settings_done(). */
struct settings {
        char rule_text[2 * USER_NAME_SIZE];
        struct name_rule rule;
        unsigned course_digits;
        unsigned first_seat;
        struct address network;         /* what the courses' subnets are cut from */
        unsigned prefix;                /* of each course's subnet */
        char test_host[HOST_NAME_SIZE]; /* empty: the gateway of the seat that is tested */
        unsigned linger_seconds;        /* how long a seat stays up after its last login */
        enum leftover leftover;
        enum names_told names;
        struct staff staff;            /* of every course */
        unsigned leftover_max_seconds; /* how long leftover = keep keeps a seat after its last logout */
        struct service_settings services;
        struct address6 network6; /* what the courses' IPv6 subnets are cut from; all zero: no IPv6 */
        bool network6_auto;       /* nobody chose it: a course that does not fit has no IPv6, and no error */
        struct traffic_settings traffic;
        char uplinks[UPLINKS_MAX][IFNAMSIZ];
        size_t n_uplinks; /* 0: the interfaces of the host's default routes */
        struct dns_settings dns;
        struct fence_settings fence;
        struct course_settings *courses;
        size_t n_courses;
};

void settings_done(struct settings *settings);

/*
 * Loads ETC/coursenet.conf. Returns 0, or -EINVAL (-ENOMEM) with at least one error added to diagnostics;
 * *ret is then untouched.
 */
int settings_load(const char *etc, struct settings *ret, struct diagnostics *diagnostics);

/* NULL if the course has no section of its own. Borrowed from settings. */
const struct course_settings *settings_find_course(const struct settings *settings, const char *course);

/* The host that testnetns@ pings: the course's, else the site's, else "" for the gateway. */
const char *settings_test_host(const struct settings *settings, const char *course);

/* The course's own, else the site's. */
unsigned settings_linger_seconds(const struct settings *settings, const char *course);
enum leftover settings_leftover(const struct settings *settings, const char *course);
enum names_told settings_names(const struct settings *settings, const char *course);
unsigned settings_leftover_max_seconds(const struct settings *settings, const char *course);

/*
 * The course's own services, and the site's where it has none. Without units= in either, a course with an
 * image has the one unit "cont".
 */
void settings_services(const struct settings *settings, const char *course, struct service_settings *ret);

/*
 * Checks that a course is written as this site writes courses. -EINVAL, and a sentence in reason that names
 * the setting that helps, if not.
 */
int settings_check_course(const struct settings *settings, const char *course, char *reason, size_t size);

/*
 * The subnet of a course: its own setting, else the course-number-th subnet of the site's network.
 * -ERANGE, and a sentence in reason that names the setting that helps, if the network has no such subnet.
 */
int settings_course_subnet(
        const struct settings *settings, const char *course, struct address *ret, char *reason, size_t size);

/*
 * The IPv6 subnet of a course: its own setting, else the one of the site's network that has the course's
 * decimal digits as its number, so that 123 gets PREFIX:123::/64. All zero if the course has no IPv6: as the
 * site has none, or has no such subnet in a network that nobody chose. -ERANGE, and a sentence in reason that
 * names the setting that helps, if a network that somebody chose has no such subnet.
 */
int settings_course_subnet6(
        const struct settings *settings, const char *course, struct address6 *ret, char *reason, size_t size);

/* The course's own, else the site's; nothing in it is unset but nat6. */
void settings_traffic(const struct settings *settings, const char *course, struct traffic_settings *ret);

/* The DNS domain of a course's seats, "cs123.internal". A course has COURSE_DIGITS_MAX digits at most. */
void settings_domain(const struct settings *settings, const char *course, char ret[static DOMAIN_SIZE]);

#define _cleanup_settings_ _cleanup_(settings_done)
