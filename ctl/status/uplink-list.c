/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* procfs has the routes of the main table for IPv4, and of all tables for IPv6. */

#include <ifaddrs.h>
#include <netinet/in.h>

#include "address.h"
#include "address6.h"
#include "uplink-list.h"

static void add(struct uplink_list *list, const char *name) {
        for (size_t i = 0; i < list->n_names; i++)
                if (string_equal(list->names[i], name))
                        return;
        if (list->n_names < UPLINKS_MAX)
                (void)string_copy(list->names[list->n_names++], IFNAMSIZ, name);
}

/* The name of the link, if the line is a default route; "" otherwise. */
static void parse_route(const char *line, char ret_name[static IFNAMSIZ]) {
        unsigned destination, mask;

        if (sscanf(line, "%15s %x %*x %*x %*d %*d %*d %x", ret_name, &destination, &mask) != 3 ||
                destination != 0 || mask != 0)
                ret_name[0] = '\0';
}

/* The unreachable route that the kernel adds is on the loopback. */
static void parse_route6(const char *line, char ret_name[static IFNAMSIZ]) {
        char destination[33];
        unsigned prefix;

        if (sscanf(line, "%32s %x %*s %*x %*s %*x %*x %*x %*x %15s", destination, &prefix, ret_name) != 3 ||
                prefix != 0 || strspn(destination, "0") != 32 || string_equal(ret_name, "lo"))
                ret_name[0] = '\0';
}

static void read_routes(const char *proc, const char *table,
        void (*parse)(const char *line, char ret_name[static IFNAMSIZ]), struct uplink_list *list) {
        char path[256], line[256], name[IFNAMSIZ];
        _cleanup_fclose_ FILE *file = NULL;

        (void)snprintf(path, sizeof(path), "%s/net/%s", proc, table);
        file = fopen(path, "re");
        while (file && fgets(line, sizeof(line), file)) {
                parse(line, name);
                if (name[0])
                        add(list, name);
        }
}

void uplink_list(const struct settings *settings, const char *proc, struct uplink_list *ret) {
        *ret = (struct uplink_list){0};
        for (size_t i = 0; i < settings->n_uplinks; i++)
                add(ret, settings->uplinks[i]);
        if (ret->n_names > 0)
                return;
        read_routes(proc, "route", parse_route, ret);
        read_routes(proc, "ipv6_route", parse_route6, ret);
}

/* --- addresses ------------------------------------------------------------------------------- */

static void freeifaddrs_pointer(struct ifaddrs **list) {
        freeifaddrs(*list);
}

static unsigned count_bits(const uint8_t *bytes, size_t n) {
        unsigned bits = 0;

        for (size_t i = 0; i < n; i++)
                bits += (unsigned)__builtin_popcount(bytes[i]);
        return bits;
}

/* "" for other families and for what is link-local. */
static void format(const struct ifaddrs *item, char text[static ADDRESS6_TEXT_SIZE]) {
        text[0] = '\0';
        if (item->ifa_addr->sa_family == AF_INET) {
                const struct sockaddr_in *ip = (const void *)item->ifa_addr,
                                         *mask = (const void *)item->ifa_netmask;
                const struct address address = {ntohl(ip->sin_addr.s_addr),
                        count_bits((const uint8_t *)&mask->sin_addr, sizeof(mask->sin_addr))};

                address_format(&address, text);
        } else if (item->ifa_addr->sa_family == AF_INET6) {
                const struct sockaddr_in6 *ip = (const void *)item->ifa_addr,
                                          *mask = (const void *)item->ifa_netmask;
                struct address6 address = {
                        .prefix = count_bits(mask->sin6_addr.s6_addr, sizeof(mask->sin6_addr))};

                memcpy(address.bytes, ip->sin6_addr.s6_addr, sizeof(address.bytes));
                if (!IN6_IS_ADDR_LINKLOCAL(&ip->sin6_addr))
                        address6_format(&address, text);
        }
}

void uplink_add_addresses(const char *name, char *text, size_t size) {
        _cleanup_(freeifaddrs_pointer) struct ifaddrs *list = NULL;
        char address[ADDRESS6_TEXT_SIZE];

        if (getifaddrs(&list) < 0)
                return;
        for (const struct ifaddrs *item = list; item; item = item->ifa_next) {
                if (!item->ifa_addr || !item->ifa_netmask || !string_equal(item->ifa_name, name))
                        continue;
                format(item, address);
                if (address[0])
                        (void)snprintf(text + strlen(text), size - strlen(text), "\n%s", address);
        }
}
