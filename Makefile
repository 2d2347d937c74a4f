# coursenet: `make help` lists the targets.
#
# Each part names its sources here. What several programs share is a static archive, linked into the product and into its
# tests alike.

.DEFAULT_GOAL := all

PREFIX ?= /usr
DESTDIR ?=
BUILD ?= build
# Make has a CC of its own, which `?=` would leave as it is. ccache stands in for gcc, but not for cc.
ifeq ($(origin CC),default)
CC = gcc
endif
AR ?= ar
PKG_CONFIG ?= pkg-config
PYTHON ?= python3
INSTALL ?= install
SETCAP ?= setcap

bindir = $(PREFIX)/bin
libexecdir = $(PREFIX)/libexec/coursenet
mandir = $(PREFIX)/share/man
docdir = $(PREFIX)/share/doc/coursenet
pamconfigdir = $(PREFIX)/share/pam-configs
dbusdir = $(PREFIX)/share/dbus-1/system.d
catalogdir = $(PREFIX)/lib/systemd/catalog
bashcompletiondir = $(PREFIX)/share/bash-completion/completions
zshcompletiondir = $(PREFIX)/share/zsh/vendor-completions
hubdir = $(PREFIX)/share/coursenet/jupyterhub
cockpitdir = $(PREFIX)/share/cockpit/coursenet
metainfodir = $(PREFIX)/share/metainfo
unitdir = $(PREFIX)/lib/systemd/system
networkdir = $(PREFIX)/lib/systemd/network
rulesdir = $(PREFIX)/lib/udev/rules.d
nmconfdir = $(PREFIX)/lib/NetworkManager/conf.d
# libpam finds modules only where it was built to look, which no PREFIX changes.
pamdir ?= $(shell $(PKG_CONFIG) --variable=libdir pam)/security

WARNINGS = -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wformat=2 -Wundef -Wvla -Wwrite-strings
HARDENING = -fstack-protector-strong -D_FORTIFY_SOURCE=2
ifdef SANITIZE
# _FORTIFY_SOURCE would hide from the sanitizer what it is there to find.
HARDENING = -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
endif

ifdef WERROR
WARNINGS += -Werror
endif

CFLAGS ?= -O2 -g
override CFLAGS += -std=c11 -D_GNU_SOURCE -fPIC -fvisibility=hidden $(WARNINGS) $(HARDENING) -Icommon -Iclient
override LDFLAGS += -Wl,-z,relro,-z,now $(if $(SANITIZE),-fsanitize=$(SANITIZE))

ifeq ($(V),1)
say = @:
Q =
else
say = @printf '  %-4s %s\n'
Q = @
endif

# --- the parts ------------------------------------------------------------------------------------------------

common_sources = common/address.c common/address6.c common/child.c common/class-hours.c common/container.c common/container-image.c \
	common/console.c common/diagnostics.c common/exam.c common/exam-file.c common/exam-state.c \
	common/file-identity.c common/finding-line.c common/hosts.c common/hosts-protocol.c common/journal-message.c common/mac.c common/message-fd.c common/machine-prefix.c common/name-rule.c common/notify.c common/number.c common/plan.c \
	common/protocol.c common/refusal.c common/roster.c common/seat-id.c common/seat-namespace.c common/setting-set.c common/setting-value.c \
	common/settings-cache.c common/settings-check.c common/settings-load.c common/settings-parse.c common/settings-table.c common/subuid.c common/settings.c \
	common/site.c common/trusted-file.c common/worker-protocol.c
# What reads the settings needs; the module and coursenet-enter do not.
settings_packages = inih libmd
client_sources = client/activator-client.c client/hosts-client.c client/report-lines.c

module_sources = pam_coursenet/pam_coursenet.c pam_coursenet/login.c pam_coursenet/options.c pam_coursenet/session.c \
	pam_coursenet/join.c

net_sources = netsetup/base/claim.c netsetup/base/journal.c netsetup/base/program.c netsetup/base/runtime-file.c netsetup/base/stderr.c \
	netsetup/base/subcommand.c \
	netsetup/kernel/link-address.c netsetup/kernel/link-list.c netsetup/kernel/link-route.c netsetup/kernel/link-socket.c netsetup/kernel/link-vxlan.c \
	netsetup/kernel/link.c netsetup/kernel/neighbour.c netsetup/kernel/netlink.c netsetup/kernel/netns-mount.c netsetup/kernel/nsid.c netsetup/kernel/procfs.c netsetup/kernel/qdisc.c netsetup/kernel/rule.c netsetup/kernel/sysctl.c \
	netsetup/firewall/course-rules.c netsetup/firewall/foreign-chain.c netsetup/firewall/foreign-firewall.c netsetup/firewall/forwarding.c netsetup/firewall/nft-listing.c netsetup/firewall/nft-text.c netsetup/firewall/nftables.c netsetup/firewall/ruleset-courses.c netsetup/firewall/ruleset-exam.c netsetup/firewall/ruleset-members.c netsetup/firewall/ruleset-seats.c \
	netsetup/firewall/seat-chain.c netsetup/firewall/seat-rules.c \
	netsetup/fence/fence-route.c netsetup/fence/fence-set.c netsetup/fence/fence-table.c netsetup/fence/fence.c \
	netsetup/fence/subuid-directory.c netsetup/fence/fence-subuid.c \
	netsetup/claims/claims.c \
	netsetup/exam/exam-names.c netsetup/exam/exam-update.c \
	netsetup/names/dns-format.c netsetup/names/dns-serve.c netsetup/names/dns.c netsetup/names/resolved.c \
	netsetup/watch/watch-file.c netsetup/watch/watch-job.c netsetup/watch/watch-nft.c netsetup/watch/watch-route.c \
	netsetup/watch/watch-socket.c netsetup/watch/watch.c \
	netsetup/check/inspect-bridge.c netsetup/check/inspect-claims.c netsetup/check/inspect-fence.c netsetup/check/inspect-firewall.c \
	netsetup/check/inspect-link.c netsetup/check/inspect-prepared.c netsetup/check/inspect-seat.c netsetup/check/inspect.c netsetup/check/scratch.c \
	netsetup/check/stand-in.c netsetup/check/table-compare.c netsetup/check/teardown.c \
	netsetup/verbs/bridge.c netsetup/verbs/bridge-overlap.c netsetup/verbs/former-command.c netsetup/verbs/leftover.c netsetup/verbs/netns-record.c netsetup/verbs/netns.c netsetup/verbs/ping.c netsetup/verbs/receipt.c \
	netsetup/verbs/seat-argument.c netsetup/verbs/seat.c netsetup/verbs/stretch.c \
	netsetup/worker/preparation.c netsetup/worker/server.c
net_packages = libnl-route-3.0 libnl-3.0
# Of these programs, coursenet-host alone reads JSON: what a login waits for loads nothing else.
host_packages = $(net_packages) json-c
# Loaded when it is needed, see netsetup/firewall/nftables.c.
net_loaded_packages = libnftables

activator_sources = \
	activator/request/capture-request.c activator/request/child-queue.c activator/request/connection.c \
	activator/request/dispatch.c activator/request/enter-request.c activator/request/fence-note.c activator/request/grant-answer.c \
	activator/request/peer-report.c activator/request/query-log.c activator/request/query-peer.c \
	activator/request/reload.c activator/request/restore.c activator/request/server.c \
	activator/request/whois.c \
	activator/lease/diagnosis.c activator/lease/keeper.c activator/lease/lease-early.c activator/lease/lease-startup.c \
	activator/lease/lease-answer.c activator/lease/lease-limit.c activator/lease/lease-log.c \
	activator/lease/lease-machine.c activator/lease/lease-object.c activator/lease/lease-opener.c \
	activator/lease/lease-request.c activator/lease/lease-run.c activator/lease/lease-start.c \
	activator/lease/lease-table.c activator/lease/lease-unit.c activator/lease/linger.c \
	activator/lease/record-removal.c activator/lease/seat-claim.c activator/lease/stray-unit.c \
	activator/seat/empty-seat.c activator/seat/failed-units.c activator/seat/slot-release.c \
	activator/seat/hosts-client.c activator/seat/stale-cable.c activator/seat/starting-units.c activator/seat/tidy.c activator/seat/user-folder.c activator/seat/user-limits.c activator/seat/wiring-plan.c activator/seat/wiring.c \
	activator/seat/worker-client.c activator/seat/worker-revival.c \
	activator/systemd/bus.c activator/systemd/logind.c activator/systemd/units.c \
	activator/base/event.c activator/base/log.c activator/base/namespace-id.c activator/base/seat-owner.c \
	activator/base/peer.c activator/base/record-store.c \
	activator/base/seat-lookup.c activator/base/subuid-group.c activator/base/terminal.c
activator_packages = libsystemd

container_sources = container/instance.c container/queue.c container/report.c

ctl_sources = ctl/command-table.c ctl/complete-command.c ctl/for-peer.c \
	ctl/base/admin-log.c ctl/base/arguments.c ctl/base/byte-count.c ctl/base/calendar.c ctl/base/command-parts.c ctl/base/complain.c ctl/base/hold-client.c ctl/base/hosts-list.c ctl/base/member-difference.c ctl/base/progress.c ctl/base/journal-entry.c ctl/base/json.c ctl/base/class-time.c ctl/base/course-schedule.c ctl/base/timetable-file.c ctl/base/exam-schedule.c ctl/base/exam-staff.c ctl/base/frr-config.c ctl/base/frr-load.c ctl/base/lease-list.c ctl/base/lease-record.c ctl/base/systemctl.c ctl/base/moment.c \
	ctl/base/pam-config.c ctl/base/report-client.c ctl/base/scope.c ctl/base/login-uid.c ctl/base/table.c ctl/base/terminal.c ctl/base/traffic.c ctl/base/target.c \
	ctl/base/unit-list.c ctl/base/unit-property.c \
	ctl/check/account-check.c ctl/check/check-command.c ctl/check/controller-check.c ctl/check/frr-check.c ctl/check/host-check.c ctl/check/hosts-check.c ctl/check/image-check.c \
	ctl/check/exam-check.c ctl/check/limits.c ctl/check/live-check.c ctl/check/member-check.c ctl/check/schedule-check.c ctl/check/setup-command.c ctl/check/staff-check.c \
	ctl/exam/exam-change.c ctl/exam/exam-command.c ctl/exam/exam-list.c ctl/exam/exam-members.c ctl/exam/exam-share.c \
	ctl/hosts/drain-command.c ctl/hosts/frr-command.c ctl/hosts/hosts-command.c ctl/hosts/hosts-status.c \
	ctl/history/collected.c ctl/history/history-command.c ctl/history/history-hosts.c ctl/history/lease-history.c ctl/history/lease-journal.c \
	ctl/roster/class-list.c ctl/roster/class-parse.c ctl/roster/class-reader.c ctl/roster/class-table.c ctl/roster/class-text.c \
	ctl/roster/group-change.c ctl/roster/group-members.c ctl/roster/login-column.c ctl/roster/roster-change.c ctl/roster/roster-command.c \
	ctl/roster/roster-edit.c ctl/roster/roster-file.c ctl/roster/roster-list.c ctl/roster/roster-sync.c ctl/roster/shared-number.c ctl/roster/sheet.c \
	ctl/schedule/schedule-apply.c ctl/schedule/schedule-command.c \
	ctl/seat/grant-command.c ctl/seat/seat-command.c ctl/seat/seat-mapping.c ctl/seat/seat-target.c ctl/seat/start-command.c ctl/seat/stop-command.c \
	ctl/seat/teardown-command.c \
	ctl/status/graph-command.c ctl/status/login-count.c ctl/status/metrics-command.c ctl/status/snapshot.c ctl/status/status-command.c ctl/status/status-summary.c ctl/status/status-view.c \
	ctl/status/status-watch.c \
	ctl/status/uplink-list.c ctl/status/usage.c ctl/status/user-manager.c
ctl_packages = libsystemd smartcols json-c

calendar_sources = calendar/mistake.c calendar/reduced-text.c calendar/sandbox.c calendar/timetable.c calendar/zone.c
# ICU is a part of libical anyway. as-needed: pkg-config names libraries of libical that are not used.
calendar_packages = libical icu-i18n libseccomp

enter_sources = enter/capability.c enter/command-line.c enter/enter.c enter/own-seat.c enter/user-command.c

capture_sources = capture/command-line.c capture/filter.c capture/server-connection.c
capture_server_sources = capture/server/link-capture.c capture/server/session.c
capture_packages = libpcap

hosts_sources = hosts/claim-keeper.c hosts/claim-value.c hosts/claim.c hosts/course-digest.c hosts/daemon.c hosts/drain.c hosts/etcd.c hosts/exam-sync.c hosts/exam-value.c hosts/http.c hosts/links.c hosts/listing.c \
	hosts/log.c hosts/mirror.c hosts/refusal.c hosts/run-state.c hosts/seat-number.c hosts/server.c hosts/session.c hosts/store.c
hosts_packages = libcurl json-c libsystemd

programs = $(BUILD)/pam_coursenet.so $(BUILD)/coursenet-net $(BUILD)/coursenet-worker $(BUILD)/coursenet-host $(BUILD)/coursenet-activator \
	$(BUILD)/coursenet-container $(BUILD)/coursenet-calendar $(BUILD)/coursenet-hosts \
	$(BUILD)/coursenetctl $(BUILD)/coursenet-enter $(BUILD)/coursenet-capture $(BUILD)/coursenet-capture-server

units = $(wildcard units/*.service units/*.socket units/*.slice units/*.timer units/*.path)
manual_pages = $(wildcard man/*.1 man/*.5 man/*.8)
documents = README.md SECURITY.md $(wildcard docs/*.md docs/*.svg docs/*.png)
architecture_pages = $(wildcard docs/architecture/*.md)
schemas = $(wildcard docs/schema/*.json)
cockpit_page = $(wildcard cockpit/*.css cockpit/*.html cockpit/*.js cockpit/*.json)
cockpit_metainfo = example.coursenet.cockpit.metainfo.xml

include tests/tests.mk

# --- building -------------------------------------------------------------------------------------------------

all: $(programs)

objects = $(patsubst %.c,$(BUILD)/%.o,$(1))
flags = $(if $(1),$(shell $(PKG_CONFIG) --cflags $(1)))
libraries = $(if $(1),$(shell $(PKG_CONFIG) --libs $(1)))

$(BUILD)/netsetup/%.o: override CFLAGS += -Inetsetup $(call flags,$(host_packages) $(net_loaded_packages))
$(BUILD)/activator/%.o: override CFLAGS += $(call flags,$(activator_packages)) -Iactivator
$(BUILD)/activator/request/peer-report.o: override CFLAGS += -DBIN_DIRECTORY='"$(bindir)"'
$(BUILD)/ctl/%.o: override CFLAGS += $(call flags,$(ctl_packages)) -Ictl
$(BUILD)/ctl/main.o: override CFLAGS += -DLIBEXEC_DIRECTORY='"$(libexecdir)"' -DBIN_DIRECTORY='"$(bindir)"'

$(BUILD)/hosts/%.o: override CFLAGS += $(call flags,$(hosts_packages) $(settings_packages))
$(BUILD)/calendar/%.o: override CFLAGS += $(call flags,$(calendar_packages)) $(if $(SANITIZE),-DSANITIZED)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libcommon.a: $(call objects,$(common_sources))
$(BUILD)/libclient.a: $(call objects,$(client_sources))
$(BUILD)/libmodule.a: $(call objects,$(module_sources))
$(BUILD)/libnetsetup.a: $(call objects,$(net_sources))
$(BUILD)/libactivator.a: $(call objects,$(activator_sources))
$(BUILD)/libcontainer.a: $(call objects,$(container_sources))
$(BUILD)/libcalendar.a: $(call objects,$(calendar_sources))
$(BUILD)/libhosts.a: $(call objects,$(hosts_sources))
$(BUILD)/libctl.a: $(call objects,$(ctl_sources))
$(BUILD)/libenter.a: $(call objects,$(enter_sources))
$(BUILD)/libcapture.a: $(call objects,$(capture_sources))
$(BUILD)/libcaptureserver.a: $(call objects,$(capture_server_sources))

$(BUILD)/%.a:
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# The two entry points are all that the module shows to its host, and libpam and libc all that it needs of it.
$(BUILD)/pam_coursenet.so: $(call objects,$(module_sources)) $(BUILD)/libclient.a $(BUILD)/libcommon.a pam_coursenet/exports.map
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-z,defs -Wl,--version-script=pam_coursenet/exports.map -o $@ \
		$(filter %.o %.a,$^) -lpam

$(BUILD)/coursenet-net: $(BUILD)/netsetup/verbs/net-main.o $(BUILD)/libnetsetup.a $(BUILD)/libcommon.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(call libraries,$(net_packages) $(settings_packages))

$(BUILD)/coursenet-worker: $(BUILD)/netsetup/worker/main.o $(BUILD)/libnetsetup.a $(BUILD)/libcommon.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(call libraries,$(net_packages) $(settings_packages))

$(BUILD)/coursenet-host: $(BUILD)/netsetup/host-main.o $(BUILD)/libnetsetup.a $(BUILD)/libcommon.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(call libraries,$(host_packages) $(settings_packages))

$(BUILD)/coursenet-activator: $(BUILD)/activator/main.o $(BUILD)/libactivator.a $(BUILD)/libcommon.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(call libraries,$(activator_packages) $(settings_packages))

$(BUILD)/coursenet-container: $(BUILD)/container/main.o $(BUILD)/libcontainer.a $(BUILD)/libcommon.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(call libraries,$(settings_packages))

$(BUILD)/coursenet-hosts: $(BUILD)/hosts/main.o $(BUILD)/libhosts.a $(BUILD)/libcommon.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(call libraries,$(hosts_packages) $(settings_packages)) -lresolv

$(BUILD)/coursenet-calendar: $(BUILD)/calendar/main.o $(BUILD)/libcalendar.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -Wl,--as-needed $(call libraries,$(calendar_packages))

$(BUILD)/coursenetctl: $(BUILD)/ctl/main.o $(BUILD)/libctl.a $(BUILD)/libclient.a $(BUILD)/libcommon.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(call libraries,$(ctl_packages) $(settings_packages)) -lcsv

# It runs with a capability: libc and nothing else.
$(BUILD)/coursenet-enter: $(BUILD)/enter/main.o $(BUILD)/libenter.a $(BUILD)/libclient.a $(BUILD)/libcommon.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(BUILD)/coursenet-capture: $(BUILD)/capture/main.o $(BUILD)/libcapture.a $(BUILD)/libclient.a $(BUILD)/libcommon.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(call libraries,$(capture_packages))

$(BUILD)/coursenet-capture-server: $(BUILD)/capture/server/main.o $(BUILD)/libcaptureserver.a $(BUILD)/libcommon.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(call libraries,$(capture_packages))

# --- installing -----------------------------------------------------------------------------------------------

install: install-server install-cockpit

# Without Cockpit, which finds it by its folder, the page does nothing.
install-cockpit:
	$(Q)$(INSTALL) -d $(DESTDIR)$(cockpitdir) $(DESTDIR)$(metainfodir)
	$(Q)$(INSTALL) -m 644 $(cockpit_page) $(DESTDIR)$(cockpitdir)/
	$(Q)$(INSTALL) -m 644 cockpit/metainfo.xml $(DESTDIR)$(metainfodir)/$(cockpit_metainfo)

install-server: all
	$(say) INST '$(DESTDIR)$(PREFIX)'
	$(Q)$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(libexecdir) $(DESTDIR)$(pamdir) $(DESTDIR)$(unitdir) \
		$(DESTDIR)$(pamconfigdir) $(DESTDIR)$(docdir) $(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man5 \
		$(DESTDIR)$(mandir)/man8 $(DESTDIR)$(hubdir)/pam.d \
		$(DESTDIR)$(docdir)/examples $(DESTDIR)$(docdir)/architecture $(DESTDIR)$(docdir)/schema $(DESTDIR)$(dbusdir) $(DESTDIR)$(networkdir) $(DESTDIR)$(rulesdir) \
		$(DESTDIR)$(nmconfdir) $(DESTDIR)$(catalogdir) $(DESTDIR)$(bashcompletiondir) $(DESTDIR)$(zshcompletiondir) \
		$(DESTDIR)/etc/coursenet/netns
	$(Q)test -d $(DESTDIR)/etc/coursenet/roster.d || $(INSTALL) -d -m 700 $(DESTDIR)/etc/coursenet/roster.d
	$(Q)test -d $(DESTDIR)/etc/coursenet/schedule.d || $(INSTALL) -d $(DESTDIR)/etc/coursenet/schedule.d
	$(Q)$(INSTALL) -m 755 $(BUILD)/coursenetctl $(BUILD)/coursenet-enter $(BUILD)/coursenet-capture $(DESTDIR)$(bindir)/
	$(Q)$(INSTALL) -m 755 $(BUILD)/coursenet-host $(BUILD)/coursenet-net $(BUILD)/coursenet-worker $(BUILD)/coursenet-activator $(BUILD)/coursenet-container $(BUILD)/coursenet-calendar \
		$(BUILD)/coursenet-capture-server $(BUILD)/coursenet-hosts $(DESTDIR)$(libexecdir)/
	$(Q)$(INSTALL) -m 644 $(BUILD)/pam_coursenet.so $(DESTDIR)$(pamdir)/
	$(Q)$(INSTALL) -m 644 $(units) $(DESTDIR)$(unitdir)/
	$(Q)sed -i 's|/usr/libexec/coursenet/|$(libexecdir)/|; s|/usr/bin/coursenetctl|$(bindir)/coursenetctl|' $(units:units/%=$(DESTDIR)$(unitdir)/%)
ifdef SANITIZE
	@# The sanitizers write to stderr.
	$(Q)sed -i '/^Standard.*=null/d' $(units:units/%=$(DESTDIR)$(unitdir)/%)
endif
	$(Q)$(INSTALL) -m 644 conf/pam-configs/coursenet $(DESTDIR)$(pamconfigdir)/
	$(Q)$(INSTALL) -m 644 conf/dbus.conf $(DESTDIR)$(dbusdir)/coursenet.conf
	$(Q)$(INSTALL) -m 644 conf/network/05-coursenet.link conf/network/05-coursenet.network \
		conf/network/05-coursenet-cables.network $(DESTDIR)$(networkdir)/
	$(Q)$(INSTALL) -m 644 conf/network/70-coursenet.rules $(DESTDIR)$(rulesdir)/
	$(Q)$(INSTALL) -m 644 conf/network/NetworkManager.conf $(DESTDIR)$(nmconfdir)/05-coursenet.conf
	$(Q)$(INSTALL) -m 644 conf/jupyterhub/jupyterhub_config.py $(DESTDIR)$(hubdir)/
	$(Q)$(INSTALL) -m 644 conf/jupyterhub/pam.d/jupyterhub $(DESTDIR)$(hubdir)/pam.d/
	$(Q)test -e $(DESTDIR)/etc/coursenet/coursenet.conf || \
		$(INSTALL) -m 644 conf/coursenet.conf $(DESTDIR)/etc/coursenet/
	$(Q)$(INSTALL) -m 644 $(documents) $(DESTDIR)$(docdir)/
	$(Q)$(INSTALL) -m 644 $(architecture_pages) $(DESTDIR)$(docdir)/architecture/
	$(Q)$(INSTALL) -m 644 $(schemas) $(DESTDIR)$(docdir)/schema/
	$(Q)$(INSTALL) -m 644 conf/examples/notebook@.service conf/examples/seat-database.socket \
		conf/examples/seat-database.service conf/examples/alerts.yml $(DESTDIR)$(docdir)/examples/
	$(Q)for page in $(manual_pages); do \
		$(INSTALL) -m 644 $$page $(DESTDIR)$(mandir)/man$${page##*.}/; done
	$(Q)$(INSTALL) -m 644 conf/completion/coursenetctl $(DESTDIR)$(bashcompletiondir)/
	$(Q)$(INSTALL) -m 644 conf/completion/_coursenetctl $(DESTDIR)$(zshcompletiondir)/
	$(Q)$(INSTALL) -m 644 conf/coursenet.catalog $(DESTDIR)$(catalogdir)/
	$(Q)$(update_catalog)
	$(Q)$(give_capability)

# The journal reads a database that is made of all catalogues. For packages, systemd's own trigger makes it.
ifeq ($(DESTDIR),)
update_catalog = journalctl --update-catalog || :
else
update_catalog = :
endif

# An archive cannot hold a capability: below DESTDIR the packager has to set it after unpacking.
ifeq ($(DESTDIR),)
give_capability = $(SETCAP) cap_sys_admin=p $(bindir)/coursenet-enter || \
	echo 'coursenet-enter has no capability and works from inside a seat only; libcap2-bin has setcap, then: make install' >&2
else
give_capability = echo 'to be run once installed: setcap cap_sys_admin=p $(bindir)/coursenet-enter'
endif

# --- removing -------------------------------------------------------------------------------------------------

# All that install puts there but /etc/coursenet, which is the admin's. The folders go if nobody else has something in them.
installed_files = $(addprefix $(bindir)/,coursenetctl coursenet-enter coursenet-capture) \
	$(addprefix $(libexecdir)/,coursenet-net coursenet-worker coursenet-host coursenet-activator coursenet-container coursenet-calendar coursenet-capture-server coursenet-hosts) $(pamdir)/pam_coursenet.so \
	$(units:units/%=$(unitdir)/%) $(pamconfigdir)/coursenet $(dbusdir)/coursenet.conf \
	$(addprefix $(networkdir)/05-coursenet,.link .network -cables.network) $(rulesdir)/70-coursenet.rules \
	$(nmconfdir)/05-coursenet.conf $(catalogdir)/coursenet.catalog \
	$(bashcompletiondir)/coursenetctl $(zshcompletiondir)/_coursenetctl $(hubdir)/jupyterhub_config.py $(hubdir)/pam.d/jupyterhub \
	$(addprefix $(docdir)/,$(notdir $(documents)) $(architecture_pages:docs/%=%) $(schemas:docs/%=%)) \
	$(addprefix $(docdir)/examples/,notebook@.service seat-database.socket seat-database.service alerts.yml) \
	$(cockpit_page:cockpit/%=$(cockpitdir)/%) $(metainfodir)/$(cockpit_metainfo) \
	$(foreach page,$(manual_pages),$(mandir)/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))
installed_folders = $(libexecdir) $(docdir)/examples $(docdir)/architecture $(docdir)/schema $(docdir) $(hubdir)/pam.d $(hubdir) $(PREFIX)/share/coursenet $(nmconfdir) \
	$(PREFIX)/lib/NetworkManager $(cockpitdir) $(PREFIX)/share/cockpit $(metainfodir)

# Below DESTDIR files alone; without it, what is up and what is enabled go first. FORCE=1: also while students are logged in.
uninstall:
ifeq ($(DESTDIR),)
	$(Q)conf/uninstall take-down $(bindir)/coursenetctl $(if $(FORCE),--force)
endif
	$(say) RM '$(DESTDIR)$(PREFIX)'
	$(Q)rm -f $(addprefix $(DESTDIR),$(installed_files))
	$(Q)for folder in $(addprefix $(DESTDIR),$(installed_folders)); do rmdir "$$folder" 2>/dev/null || :; done
ifeq ($(DESTDIR),)
	$(Q)$(update_catalog)
	$(Q)conf/uninstall forget
endif

clean:
	$(Q)rm -rf $(BUILD)

help:
	@echo 'make                 build the programs and the module into $(BUILD)/'
	@echo 'make demo            boot a guest and show one student from login to logout (root, or through sudo)'
	@echo 'make check           run every test (root, or through sudo); make check T=fence runs those that match'
	@echo 'make check-unit      run the tests that need no booted guest'
	@echo 'make fuzz            run the fuzzers, SECONDS=60 each; make fuzz NAME=roster runs one (needs clang)'
	@echo 'make check SANITIZE=address,undefined    also run the programs in the guests with sanitizers (once a release)'
	@echo 'make coverage        show which lines the tests run; GUESTS=no leaves the guests out'
	@echo 'make bench           measure logins in a guest, as ratios'
	@echo 'make install         install below DESTDIR, with PREFIX (now $(PREFIX))'
	@echo 'make deb             build the Debian packages for bookworm and trixie into $(BUILD)/deb/ (root, or through sudo)'
	@echo 'make uninstall       take coursenet down and remove what install put there; FORCE=1: also while students are logged in'
	@echo 'make format          format the C sources; make format-check only looks'
	@echo 'make clean           remove $(BUILD)/'
	@echo
	@echo 'V=1 shows the commands; WERROR=1 makes warnings errors; CC=clang and SANITIZE=address,undefined do what they say'
	@echo '(give those builds a BUILD=FOLDER of their own).'

formatted = $(wildcard */*.[ch] */*/*.[ch])

format:
	clang-format -i $(formatted)

format-check:
	clang-format --dry-run --Werror $(formatted)

.PHONY: all install install-cockpit install-server uninstall clean help format format-check

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
