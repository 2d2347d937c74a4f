/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * /etc/coursenet/coursenet.conf, see coursenet.conf(5): one [site] section, a [course N] section for each
 * course that differs, and a [hosts] section where several servers share courses. A missing file means the
 * defaults. A file with a mistake yields no settings at all, because a guess could put a seat into the wrong
 * network.
 *
 * settings-table.c lists the settings and says how to add one. Its rows are read into the structs below.
 */

#include "address.h"
#include "address6.h"
#include "class-hours.h"
#include "diagnostics.h"
#include "file-identity.h"
#include "name-rule.h"
#include "setting-value.h"

#define SETTINGS_FILE "coursenet.conf"

/* Timetables of courses, COURSE.ics. */
#define TIMETABLE_DIRECTORY "schedule.d"

/* Interface names limit how many seats a bridge can have: "vl-", course and seat number in 15 characters. */
#define SUBNET_PREFIX_MIN 16U
#define SUBNET_PREFIX_MAX 30U

/* IPv6 has one prefix length for subnets, RFC 4291. */
#define SUBNET6_PREFIX 64U

#define LINGER_MAX_SECONDS 86400U
#define LEFTOVER_MAX_SECONDS (30U * 86400U)
#define SCHEDULE_LEAD_MAX_SECONDS 86400U

#define EXAM_LIST_SIZE 192U

/* At least as many as settings-table.c has rows. */
#define SETTINGS_MAX 96U

/* What happens to processes in a seat when its last login has ended. */
enum leftover {
        LEFTOVER_UNSET, /* never in loaded settings */
        LEFTOVER_CUT,   /* the seat goes: they lose the network, or end with the student's manager */
        LEFTOVER_KILL,  /* the seat goes, and they are killed */
        LEFTOVER_KEEP,  /* the seat stays while they run, up to leftover-max */
};

#define SERVICES_MAX 8U
#define SERVICE_CONTAINER "cont"
#define CONTAINER_TEXT_SIZE 192U

/* What a seat has in addition to its network: template units, one of which may be the container. */
struct service_settings {
        char units[SERVICES_MAX][SERVICE_NAME_SIZE]; /* templates: "cont" stands for cont@SEAT.service */
        size_t n_units;
        char image[CONTAINER_TEXT_SIZE];       /* a .sif file or a sandbox folder; empty: not set, as below */
        char binds[CONTAINER_TEXT_SIZE];       /* words, SOURCE[:TARGET[:ro|rw]] */
        char environment[CONTAINER_TEXT_SIZE]; /* words, NAME=VALUE */
};

/* Limits of everything that a student runs, as systemd.resource-control(5) writes them. Empty: not set. */
struct limit_settings {
        char memory_max[24]; /* MemoryMax= */
        char cpu_weight[8];  /* CPUWeight= */
        char cpu_quota[16];  /* CPUQuota= */
        char tasks_max[16];  /* TasksMax= */
        char io_weight[8];   /* IOWeight= */
};

/* yes or no, where leaving it out means neither. */
enum choice {
        CHOICE_UNSET,
        CHOICE_NO,
        CHOICE_YES,
};

/* Which other seats a seat can reach. */
enum isolation {
        ISOLATION_UNSET,  /* never in loaded settings */
        ISOLATION_NONE,   /* those of its course, and of other courses that have none as well */
        ISOLATION_COURSE, /* those of its course */
        ISOLATION_SEAT,   /* no other seat */
};

#define PORTS_MAX 24U

struct ports {
        struct port items[PORTS_MAX];
        size_t n_items;
};

/* What a course's network lets pass. */
struct traffic_settings {
        bool nat;         /* IPv4 leaves under the host's address */
        enum choice nat6; /* IPv6 as well; unset: if the course's subnet is a unique local one */
        bool inbound;     /* hosts other than this one may open connections to the seats */
        bool flowtable;   /* open connections to other networks pass the kernel's flowtable */
        enum isolation isolation;
        struct ports host_ports; /* what seats reach of the host, other than ping and DNS of the gateway */
        struct rate rate;        /* of each seat, in each direction */
        struct impairment impairment; /* the same */
        struct rate course_rate;      /* of the whole course to and from the host, in each direction */
};

/* What the name service tells a seat of the other seats of its course. It tells nothing of other courses. */
enum names_told {
        NAMES_UNSET,  /* never in loaded settings */
        NAMES_COURSE, /* all names and addresses */
        NAMES_NONE,   /* nothing */
};

/* Who may capture the packets of a seat, beside root. */
enum capture {
        CAPTURE_UNSET, /* never in loaded settings */
        CAPTURE_NO,
        CAPTURE_OWN,   /* its student */
        CAPTURE_STAFF, /* the staff of its course */
        CAPTURE_BOTH,
};

#define STAFF_MAX 16U

/* Who may see a course, in addition to root: users, and groups with STAFF_GROUP before their names. */
struct staff {
        char names[STAFF_MAX][1 + USER_NAME_SIZE];
        size_t n_names;
};

/* What both [site] and [course N] may set. */
struct course_values {
        char test_host[HOST_NAME_SIZE]; /* what testnetns@ pings; empty: the gateway of the seat */
        unsigned linger_seconds;        /* how long a seat stays up after its last login */
        enum leftover leftover;         /* what happens then to processes in it */
        unsigned leftover_max_seconds;  /* how long leftover = keep keeps a seat after its last logout */
        unsigned schedule_lead_seconds; /* how long before a class its seats are started */
        enum names_told names;
        enum capture capture;
        bool spread;        /* the course is one network on all members of [hosts] */
        bool staff_enter;   /* the staff may enter the network of a student's seat */
        bool user_manager;  /* a login starts the student's own systemd manager, user@UID */
        struct staff staff; /* of a course: in addition to the site's */
        struct service_settings services;
        struct limit_settings limits;
        struct traffic_settings traffic;
};

#define UPLINKS_MAX 8U
#define DNS_SERVERS_MAX 8U
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
        struct ports ports; /* open to all course users; any_address has no meaning here */
};

#define HOSTS_MAX 64U
#define STORES_MAX 8U
#define REFLECTORS_MAX 4U
#define CLAIM_TIME_MIN_SECONDS 10U
#define CLAIM_TIME_MAX_SECONDS 600U

/* [hosts]: the servers that share courses, see hosts.h. */
struct hosts_settings {
        char members[HOSTS_MAX][HOST_MEMBER_SIZE]; /* "NAME=ADDRESS"; none: this server is alone */
        size_t n_members;
        char host_name[HOST_MEMBER_NAME_SIZE]; /* which of them this one is; empty: the machine's name */
        char reflectors[REFLECTORS_MAX]
                       [INET_ADDRSTRLEN]; /* BGP route reflectors; none: all members are peers */
        size_t n_reflectors;
        unsigned asn;                            /* the number of the autonomous system of BGP */
        unsigned vni_base;                       /* plus the course is the VNI */
        char stores[STORES_MAX][STORE_URL_SIZE]; /* of etcd */
        size_t n_stores;
        char store_ca[STORE_PATH_SIZE], store_cert[STORE_PATH_SIZE], store_key[STORE_PATH_SIZE];
        unsigned claim_seconds;       /* how long the store keeps a member's claims without a renewal */
        char handover[HANDOVER_SIZE]; /* hosts_handover() */
};

#define ROSTER_GROUPS_MAX 8U

/* A [course N] section. */
struct course_settings {
        char course[COURSE_SIZE];
        struct address subnet;                                 /* prefix 0: not set */
        struct address6 subnet6;                               /* all zero: not set */
        char schedule[SCHEDULE_TEXT_SIZE];                     /* class-hours.h; empty: not set */
        char exam[SCHEDULE_TEXT_SIZE];                         /* when the course is in an exam; the same */
        unsigned vni;                                          /* VXLAN network identifier; 0: not set */
        char roster_groups[ROSTER_GROUPS_MAX][USER_NAME_SIZE]; /* whose members are the students */
        size_t n_roster_groups;                                /* 0: the roster is edited by hand */
        char exam_allow[EXAM_LIST_SIZE]; /* what its seats may reach then, exam_allow_list_parse() */
        struct course_values values;     /* what the section does not set is as in [site] */
        unsigned line;                   /* of the section's first setting */
        unsigned lines[SETTINGS_MAX];    /* where the section sets row i of the table; 0: nowhere */
};

/* The empty value is all zero and only good for settings_done(). */
struct settings {
        char rule_text[2 * USER_NAME_SIZE];
        struct name_rule rule;
        unsigned course_digits;
        unsigned first_seat;
        struct address network;   /* what the courses' subnets are cut from */
        unsigned prefix;          /* of each course's subnet */
        struct address6 network6; /* what the courses' IPv6 subnets are cut from; all zero: no IPv6 */
        bool network6_auto;       /* computed: a course that does not fit has no IPv6, and that is no error */
        char uplinks[UPLINKS_MAX][IFNAMSIZ];
        size_t n_uplinks; /* 0: the interfaces of the host's default routes */
        struct dns_settings dns;
        struct fence_settings fence;
        struct hosts_settings hosts;
        struct course_values values;     /* of courses without a section */
        struct course_settings *courses; /* in the order of the file */
        size_t n_courses;
        unsigned lines[SETTINGS_MAX];    /* where [site] or [hosts] sets row i of the table; 0: nowhere */
        struct file_identity file;       /* of the file; empty: there is none */
        struct file_identity machine_id; /* of the file that network6 = auto is computed from */
};

void settings_done(struct settings *settings);

/*
 * Loads ETC/coursenet.conf. Returns 0, or negative errno with at least one error added to diagnostics
 * (-EINVAL: mistakes in the file, -EPERM and others: the file cannot be trusted or read, -ENOMEM); *ret is
 * then untouched.
 */
int settings_load(const char *etc, struct settings *ret, struct diagnostics *diagnostics);

/* NULL if the course has no section of its own. Borrowed from settings. */
const struct course_settings *settings_find_course(const struct settings *settings, const char *course);

/* What holds for a course. Borrowed from settings. */
const struct course_values *settings_for_course(const struct settings *settings, const char *course);

/*
 * The line of the file that sets what holds for a course (NULL: for the site), by the setting's name. 0: no
 * line, it is the default.
 */
unsigned settings_line(const struct settings *settings, const char *course, const char *name);

/*
 * Checks that a course is written as this site writes courses. -EINVAL, and a sentence in reason that names
 * the setting that helps, if not.
 */
int settings_check_course(const struct settings *settings, const char *course, char *reason, size_t size);

/*
 * The subnet of a course: its own setting, else the course-number-th subnet of the site's network. -ERANGE,
 * and a sentence in reason that names the setting that helps, if the network has no such subnet.
 */
int settings_course_subnet(
        const struct settings *settings, const char *course, struct address *ret, char *reason, size_t size);

/*
 * The IPv6 subnet of a course: its own setting, else the subnet of the site's network that has the course's
 * decimal digits as its number, so that 123 gets PREFIX:123::/64. All zero if the course has no IPv6: the
 * site has none, or network6 = auto has no such subnet. -ERANGE, and a sentence in reason that names the
 * setting that helps, if a network6 that the file names has no such subnet.
 */
int settings_course_subnet6(
        const struct settings *settings, const char *course, struct address6 *ret, char *reason, size_t size);

/* The DNS domain of a course's seats, "cs123.internal". The course has at most COURSE_DIGITS_MAX digits. */
void settings_domain(const struct settings *settings, const char *course, char ret[static DOMAIN_SIZE]);

#define _cleanup_settings_ _cleanup_(settings_done)
