# The tests. `make check` runs all of them; tests/run adds up what each says.

unit_tests = address address6 calendar child class-hours class-parse course-schedule diagnostics exam exam-members exam-share exam-state finding-line frr-config hosts hosts-protocol lease-history lease-record limits live-check member-check login-count login-uid \
	machine-prefix manual message-fd moment name-rule no-memory pam-config plan protocol roster roster-command roster-sync scope seat-id setting-value \
	settings settings-cache settings-documents settings-table site snapshot trusted-file \
	worker-protocol
unit_test_programs = $(unit_tests:%=$(BUILD)/tests/unit/test-%)

netns_tests = bridge claims dns exam failing-call fence fence-route firewall foreign forwarding inspect journal link link-socket netns procfs qdisc receipt rule seat stretch subuid-directory sysctl watch worker
# Those that take longest start first, so that no processor idles at the end.
slow_netns_tests = receipt failing-call inspect fence-route stretch claims seat link watch bridge
netns_test_programs = $(patsubst %,$(BUILD)/tests/netns/test-%,$(slow_netns_tests) $(filter-out $(slow_netns_tests),$(netns_tests)))

pam_tests = exports options session
pam_test_programs = $(pam_tests:%=$(BUILD)/tests/pam/test-%)

activator_tests = bus child-queue empty-seat fence-note hosts-client job-end keeper lease-claim lease-early lease-limit lease-machine lease-random \
	lease-run lease-start lease-table namespace-id peer-report process query record-store reload restore seat-lookup seat-owner server \
	stale-cable starting-units tidy user-limits whois wiring wiring-update worker-client worker-revival
activator_test_programs = $(activator_tests:%=$(BUILD)/tests/activator/test-%)

container_tests = instance queue report
container_test_programs = $(container_tests:%=$(BUILD)/tests/container/test-%)

enter_tests = capability command-line enter user-command
enter_test_programs = $(enter_tests:%=$(BUILD)/tests/enter/test-%)

# Those that wait longest start first.
hosts_tests = daemon session claim-keeper exam-sync store claim course-digest drain etcd exam-value links run-state seat-number
hosts_test_programs = $(hosts_tests:%=$(BUILD)/tests/hosts/test-%)

calendar_tests = sandbox timetable
calendar_test_programs = $(calendar_tests:%=$(BUILD)/tests/calendar/test-%)

# Each runs a fuzzer of tests/fuzz on its corpus, without libFuzzer.
fuzzers = class-list exam fence history hosts-protocol name-rule plan protocol record-store roster ruleset settings timetable worker-protocol
replay_programs = $(fuzzers:%=$(BUILD)/tests/fuzz/replay-%)

test_programs = $(netns_test_programs) $(hosts_test_programs) $(activator_test_programs) $(pam_test_programs) $(unit_test_programs) \
	$(container_test_programs) $(enter_test_programs) $(calendar_test_programs) $(replay_programs)

$(BUILD)/tests/%.o: override CFLAGS += $(call flags,cmocka libsystemd) -I. -DBUILD_DIRECTORY='"$(abspath $(BUILD))"'
$(BUILD)/tests/unit/%.o: override CFLAGS += -Ictl
$(BUILD)/tests/netns/%.o: override CFLAGS += -Inetsetup $(call flags,$(host_packages))
$(BUILD)/tests/activator/%.o: override CFLAGS += -Iactivator -DTESTS_DIRECTORY='"$(abspath tests)"'
$(BUILD)/tests/calendar/%.o: override CFLAGS += -DTESTS_DIRECTORY='"$(abspath tests)"'
$(BUILD)/tests/hosts/%.o: override CFLAGS += -Ihosts $(call flags,$(hosts_packages) $(settings_packages))
$(BUILD)/tests/fuzz/%.o: override CFLAGS += -Ictl -Inetsetup -DTESTS_DIRECTORY='"$(abspath tests)"'

link_test = $(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^)

$(unit_test_programs): $(BUILD)/tests/unit/test-%: $(BUILD)/tests/unit/test-%.o $(BUILD)/libctl.a $(BUILD)/libclient.a $(BUILD)/libcommon.a
	$(say) LD $@
	$(link_test) $(call libraries,cmocka $(ctl_packages) $(settings_packages)) -lcsv

# In these, allocations of the product fail: tests/failing-memory.h.
wrapped = malloc calloc realloc reallocarray strdup strndup asprintf vasprintf getline getdelim open_memstream fopen fdopen opendir fdopendir \
	json_object_new_object json_object_new_array json_object_new_string json_object_new_int64 json_object_new_boolean
wrap_allocations = $(wrapped:%=-Wl,--wrap=%)
$(BUILD)/tests/unit/test-no-memory: override LDFLAGS += $(wrap_allocations)

# They run them.
$(BUILD)/tests/unit/test-manual: $(programs)
$(BUILD)/tests/unit/test-course-schedule: $(BUILD)/coursenet-calendar

$(netns_test_programs): $(BUILD)/tests/netns/test-%: $(BUILD)/tests/netns/test-%.o $(BUILD)/libnetsetup.a $(BUILD)/libcommon.a
	$(say) LD $@
	$(link_test) $(call libraries,cmocka $(host_packages) $(settings_packages))

# They run them.
$(BUILD)/tests/netns/test-claims: $(BUILD)/coursenet-host
$(BUILD)/tests/netns/test-bridge $(BUILD)/tests/netns/test-seat: $(BUILD)/coursenet-net
$(BUILD)/tests/netns/test-watch: $(BUILD)/coursenet-host $(BUILD)/coursenet-net
$(BUILD)/tests/netns/test-worker: $(BUILD)/coursenet-worker

# libsubid looks for libsubid_NAME.so, where nsswitch.conf has "subid: NAME".
$(BUILD)/tests/netns/test-subuid-directory: $(BUILD)/tests/netns/libsubid_coursenet.so
$(BUILD)/tests/netns/libsubid_coursenet.so: $(BUILD)/tests/netns/subid-plugin.o
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^

$(pam_test_programs): $(BUILD)/tests/pam/test-%: $(BUILD)/tests/pam/test-%.o $(BUILD)/libmodule.a $(BUILD)/libclient.a $(BUILD)/libcommon.a $(BUILD)/pam_coursenet.so
	$(say) LD $@
	$(link_test) $(call libraries,cmocka) -lpam

$(activator_test_programs): $(BUILD)/tests/activator/test-%: $(BUILD)/tests/activator/test-%.o $(BUILD)/libactivator.a $(BUILD)/libcommon.a
	$(say) LD $@
	$(link_test) $(call libraries,cmocka $(activator_packages) $(settings_packages))

$(container_test_programs): $(BUILD)/tests/container/test-%: $(BUILD)/tests/container/test-%.o $(BUILD)/libcontainer.a $(BUILD)/libcommon.a
	$(say) LD $@
	$(link_test) $(call libraries,cmocka $(settings_packages))

$(enter_test_programs): $(BUILD)/tests/enter/test-%: $(BUILD)/tests/enter/test-%.o $(BUILD)/libenter.a $(BUILD)/libclient.a $(BUILD)/libcommon.a
	$(say) LD $@
	$(link_test) $(call libraries,cmocka)

$(calendar_test_programs): $(BUILD)/tests/calendar/test-%: $(BUILD)/tests/calendar/test-%.o $(BUILD)/libcalendar.a
	$(say) LD $@
	$(link_test) $(call libraries,cmocka $(calendar_packages))

$(hosts_test_programs): $(BUILD)/tests/hosts/test-%: $(BUILD)/tests/hosts/test-%.o $(BUILD)/libhosts.a $(BUILD)/libcommon.a
	$(say) LD $@
	$(link_test) $(call libraries,cmocka $(hosts_packages) $(settings_packages)) -lresolv

# It runs it.
$(BUILD)/tests/calendar/test-sandbox: $(BUILD)/coursenet-calendar

fuzz_libraries = $(BUILD)/libcalendar.a $(BUILD)/libctl.a $(BUILD)/libactivator.a $(BUILD)/libnetsetup.a $(BUILD)/libclient.a $(BUILD)/libcommon.a
fuzz_packages = $(ctl_packages) $(activator_packages) $(host_packages) $(settings_packages) $(net_loaded_packages) $(calendar_packages)

$(replay_programs): $(BUILD)/tests/fuzz/replay-%: $(BUILD)/tests/fuzz/fuzz-%.o $(BUILD)/tests/fuzz/replay.o $(fuzz_libraries)
	$(say) LD $@
	$(link_test) $(call libraries,$(fuzz_packages)) -lcsv

# libFuzzer has the main().
$(BUILD)/tests/fuzz/fuzz-%: $(BUILD)/tests/fuzz/fuzz-%.o $(fuzz_libraries)
	$(say) LD $@
	$(link_test) -fsanitize=fuzzer $(call libraries,$(fuzz_packages)) -lcsv

tests: $(programs) $(test_programs)

# -B: Python must not leave root's files in the checkout of the user who ran sudo.
e2e = $(PYTHON) -B tests/e2e/run.py$(if $(SANITIZE), --sanitize $(SANITIZE))

# What needs no guest runs with sanitizers; the guests build the product as it is installed, each with its own compiler.
sanitized = $(BUILD)/sanitized
sanitized_programs = $(test_programs:$(BUILD)/%=$(sanitized)/%)

# The packages come first: pkg-config needs them to say what to build. ccache remembers what an earlier run has compiled, also in another
# folder. With sanitizers, -O2 takes half as long again to compile as -O1, and tests spend their time in the kernel. Each suite's guests
# build without sanitizers, with -O2 and -Werror.
prepare-check: export PATH := /usr/lib/ccache:$(PATH)
prepare-check: export CCACHE_NOHASHDIR = 1
prepare-check:
	$(Q)tests/as-root tests/install-packages
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) WERROR=1 BUILD=$(sanitized) SANITIZE=address,undefined CFLAGS='-O1 -g -Wno-format-truncation' tests

# Checks of the sources themselves.
checks = tests/check-includes tests/check-imports tests/check-documents tests/check-version tests/test-checks tests/check-prose

# Run the program itself, with sanitizers.
ctl_tests = $(addprefix tests/ctl/test-,capture catalog check completion container frr hosts json metrics seats staff terminal)

# T=fence runs only what has "fence" in its name: test programs, and cases by their module or their promise.
run_tests = tests/as-root tests/run $(if $(T),--match '$(T)')

check: prepare-check
	$(Q)$(run_tests) --e2e '$(e2e)' $(checks) $(ctl_tests) $(sanitized_programs)

check-unit: prepare-check
	$(Q)$(run_tests) $(checks) $(ctl_tests) $(sanitized_programs)

# NAME=roster runs one fuzzer; SECONDS is for each. New inputs stay in $(fuzzed)/corpus, and one that fails in $(fuzzed)/found.
SECONDS ?= 60
fuzzed = $(BUILD)/fuzzed
fuzzers_to_run = $(if $(NAME),$(or $(filter $(NAME),$(fuzzers)),$(error there is no fuzzer '$(NAME)': expected one of $(fuzzers))),$(fuzzers))

fuzz:
	$(Q)tests/as-root tests/install-packages
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) CC=clang BUILD=$(fuzzed) SANITIZE=fuzzer-no-link,address,undefined \
		$(fuzzers_to_run:%=$(fuzzed)/tests/fuzz/fuzz-%)
	$(Q)for name in $(fuzzers_to_run); do \
		tests/as-root tests/fuzz/run $(fuzzed) $$name $(SECONDS) || exit 1; done

# Counts which lines run, also in guests; GUESTS=no leaves the guests out. A failed test is reported and does not end it.
# Programs without optimisation that write their counts take longer. ccache remembers what an earlier run has compiled.
covered = $(BUILD)/coverage
covered_programs = $(test_programs:$(BUILD)/%=$(covered)/%)
covered_ctl_tests = $(ctl_tests:%='env COURSENETCTL=$(abspath $(covered))/coursenetctl %')

coverage: export PATH := /usr/lib/ccache:$(PATH)
coverage:
	$(Q)tests/as-root tests/install-packages
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) BUILD=$(covered) CFLAGS='-O0 -g --coverage -DCOUNTED -include tests/coverage-exit.h' HARDENING= tests
	$(Q)tests/as-root find $(covered) '(' -name '*.gcda' -o -path '*/guests/*' ')' -delete
	$(Q)tests/as-root tests/coverage --open $(covered)
	-$(Q)tests/as-root env GCOV_ERROR_FILE=/dev/null PROGRAM_DEADLINE=1800 tests/run $(if $(filter no,$(GUESTS)),,--e2e '$(e2e) --coverage $(covered)/guests') $(covered_ctl_tests) $(covered_programs)
	$(Q)tests/as-root tests/coverage $(covered) $(covered)/guests

demo:
	$(Q)tests/as-root tests/install-packages
	$(Q)tests/as-root $(PYTHON) -B tests/e2e/demo.py

# It needs the trees that the guests boot from.
deb:
	$(Q)tests/as-root tests/install-packages
	$(Q)tests/as-root $(PYTHON) -B tests/e2e/deb.py $(abspath $(BUILD))/deb

# ARGS="--json FILE": `tests/bench/bench.py --help` lists what there is.
bench:
	$(Q)tests/as-root tests/install-packages
	$(Q)tests/as-root $(PYTHON) -B tests/bench/bench.py $(ARGS)

.PHONY: tests prepare-check check check-unit fuzz coverage demo deb bench bench-programs

bench_programs = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*-bench.c))

# They are built in the guest.
bench-programs: $(bench_programs)

$(bench_programs): %: %.o
	$(say) LD $@
	$(link_test) $(call libraries,libsystemd) -lpam
