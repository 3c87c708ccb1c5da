# One Makefile, no recursion into folders. `make help` lists what you can ask for.
#
#   make                     every program, into .build/release/bin
#   make check B=debug       the unit tests and the stories of one build
#   make check B=asan T=walk one test program, under ASan and UBSan

.SUFFIXES:
.SECONDARY:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --warn-undefined-variables

# ---- knobs ----------------------------------------------------------------
B       ?= release
T       ?=
PREFIX  ?= /usr/local
DESTDIR ?=
PURGE   ?=
PKG_CONFIG ?= pkg-config
CFLAGS  ?=
LDFLAGS ?=
ifeq ($(origin CC),default)
CC      := cc
endif

O := .build/$(B)

mode.release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
mode.debug   := -O1 -g3 -DREEVE_FAILPOINTS
mode.asan    := -O1 -g3 -DREEVE_FAILPOINTS -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
mode.tsan    := -O1 -g3 -DREEVE_FAILPOINTS -fsanitize=thread
mode.cov     := -O0 -g3 -DREEVE_FAILPOINTS --coverage -fprofile-update=atomic
ifeq ($(mode.$(B)),)
$(error B=$(B): expected one of release debug asan tsan cov)
endif

WARN := -Wall -Wextra -Wpedantic -Werror -Wshadow -Wundef -Wvla -Wformat=2 -Wwrite-strings \
	-Wpointer-arith -Wcast-qual -Wcast-align -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wmissing-declarations -Wold-style-definition -Wswitch-enum \
	-Wimplicit-fallthrough

# Instrumented code makes gcc guess at lengths that cannot be.
WARN += $(if $(filter asan tsan cov,$(B)),-Wno-format-truncation)

# msgpack's headers do not pass our warnings: they count as the system's.
ALL_CFLAGS  := -std=c17 -D_GNU_SOURCE -I. $(WARN) $(mode.$(B)) -pthread $(CFLAGS)
ALL_LDFLAGS := $(filter -fsanitize=% --coverage,$(mode.$(B))) -pthread $(LDFLAGS)
# The worker outlives upgrades of every library on the machine, so it brings its own.
STATIC      := $(if $(filter asan tsan,$(B)),,-static)

libs.keeper     :=
libs.supervisor := -lev -lmsgpackc -llmdb -lyaml
libs.worker     := -lmsgpackc
libs.pull       := -lmsgpackc -lcurl -lcrypto
libs.reeve      := -lmsgpackc -lyaml
libs.tests       = $(shell $(PKG_CONFIG) --libs check jansson) -lev -lmsgpackc -llmdb -lyaml -lcurl -lcrypto

# ---- what there is --------------------------------------------------------
src = $(filter-out %/main.c,$(wildcard $(addsuffix /*.c,$(1))))
obj = $(patsubst %.c,$(O)/%.o,$(1))

archives := ipc store worker supervisor cli step
src.ipc        := $(call src,ipc)
src.store      := $(call src,store)
src.step       := worker/step.c worker/step_pipe.c
src.worker     := $(filter-out $(src.step),$(call src,worker worker/readers))
src.supervisor := $(call src,supervisor supervisor/roster supervisor/commands supervisor/config supervisor/recipe)
src.keeper     := $(wildcard supervisor/keeper/*.c)
src.cli        := $(call src,supervisor/cli)
src.pull       := $(wildcard worker/pull/*.c)

programs := reeved reeve-supervisor reeve-worker reeve-pull reeve
bin      := $(addprefix $(O)/bin/,$(programs))
unit     := $(patsubst tests/unit/%.c,$(O)/tests/unit/%,$(wildcard tests/unit/test_*.c))
integ    := $(patsubst tests/integ/%.c,$(O)/tests/integ/%,$(wildcard tests/integ/test_*.c))
harness  := $(call obj,$(filter-out $(wildcard tests/integ/test_*.c),$(wildcard tests/integ/*.c)))
fakes    := $(patsubst tests/fake/%.c,$(O)/tests/fake/%,$(wildcard tests/fake/*.c))
headers  := $(wildcard $(addsuffix /*.h,ipc store worker worker/pull worker/readers supervisor supervisor/roster supervisor/commands supervisor/config supervisor/recipe supervisor/keeper supervisor/cli))

.PHONY: all
all: $(bin) $(O)/lib/libreeve-step.a ## every program, into .build/$(B)/bin

# ---- rules ----------------------------------------------------------------
define archive_rule
$(O)/$(1).a: $(call obj,$(src.$(1)))
endef
$(foreach lib,$(archives),$(eval $(call archive_rule,$(lib))))

$(O)/%.a:
	@rm -f $@ && ar rcs $@ $^

# The stamp changes only when the command line does; every object depends on it.
$(O)/flags: FORCE
	@mkdir -p $(@D); echo '$(CC) $(ALL_CFLAGS)' | cmp -s - $@ || echo '$(CC) $(ALL_CFLAGS)' >$@

$(O)/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	@echo '  CC    $<'
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

link = @mkdir -p $(@D); echo '  LINK  $@'; $(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^)

# Archives in link order: whoever needs stands before what it needs.
$(O)/bin/reeved: $(call obj,$(src.keeper)) $(O)/ipc.a
	$(link) $(libs.keeper)
$(O)/bin/reeve-supervisor: $(O)/supervisor/main.o $(O)/supervisor.a $(O)/store.a $(O)/ipc.a
	$(link) $(libs.supervisor)
$(O)/bin/reeve-worker: $(O)/worker/main.o $(O)/worker.a $(O)/ipc.a
	$(link) $(STATIC) $(libs.worker)
$(O)/bin/reeve-pull: $(call obj,$(src.pull)) $(O)/step.a $(O)/ipc.a
	$(link) $(libs.pull)
$(O)/bin/reeve: $(O)/supervisor/cli/main.o $(O)/cli.a $(O)/supervisor.a $(O)/ipc.a
	$(link) $(libs.reeve)

# For other people's programs: of all our names they see those of worker/step.h alone.
$(O)/lib/libreeve-step.a: $(call obj,$(src.step)) $(O)/ipc.a
	@mkdir -p $(@D); rm -f $@
	@$(CC) -r -nostdlib -o $(@D)/step.o $^
	@objcopy $$(sed -n 's/^[a-z].* \**\(step_[a-z_]*\)(.*/--keep-global-symbol=\1/p' worker/step.h) $(@D)/step.o
	@ar rcs $@ $(@D)/step.o

$(O)/tests/unit/%: $(O)/tests/unit/%.o $(filter-out %/main.o,$(call obj,$(src.pull))) $(O)/cli.a $(O)/supervisor.a $(O)/store.a $(O)/worker.a $(O)/step.a $(O)/ipc.a
	$(link) $(libs.tests)
$(O)/tests/unit/test_reaps: $(O)/supervisor/keeper/ring.o
$(O)/tests/unit/test_kill: | $(O)/tests/fake/escape
$(O)/tests/unit/test_keeper $(O)/tests/unit/test_keeper_places $(O)/tests/unit/test_keeper_restart: | $(O)/bin/reeved
$(O)/tests/integ/%: $(O)/tests/integ/%.o $(harness) $(O)/store.a $(O)/ipc.a
	$(link) $(libs.tests)
$(O)/tests/fake/%: $(O)/tests/fake/%.o $(O)/step.a $(O)/ipc.a
	$(link) -lmsgpackc

$(O)/tests/bench/bench: $(call obj,$(filter-out tests/bench/chain.c tests/bench/chatter.c,$(wildcard tests/bench/*.c))) $(O)/store.a $(O)/ipc.a
	$(link) -llmdb -lmsgpackc
$(O)/tests/bench/chatter: $(O)/tests/bench/chatter.o $(O)/step.a $(O)/ipc.a
	$(link) -lmsgpackc
$(O)/tests/bench/chain: $(O)/tests/bench/chain.o
	$(link) -static
$(O)/tests/chaos/chaos: $(call obj,$(wildcard tests/chaos/*.c)) $(harness) $(O)/store.a $(O)/ipc.a
	$(link) $(libs.tests)

-include $(shell find $(O) -name '*.d' 2>/dev/null)

# ---- verbs ----------------------------------------------------------------
# Builds of another kind than B are made by calling this Makefile again.
again = $(MAKE) --no-print-directory -j$(shell nproc)
FUZZ_S  ?= 60
CHAOS_S ?= 120
SEED    ?= 1
BENCH   ?=
# Stories whose outcome depends on how processes are started.
spawning := spine survival recipes cancel escape

chosen := $(if $(T),$(filter %/test_$(T),$(unit) $(integ)),$(unit) $(integ))

.PHONY: unit integ check test run lint cov fuzz chaos plants pages bench setup
unit: $(if $(T),$(addprefix $(O)/tests/unit/test_,$(T)),$(unit)) ## the unit tests of one build (B=debug; T=name for one)
	@tests/run.sh $(B) $^

integ: $(bin) $(fakes) $(if $(T),$(addprefix $(O)/tests/integ/test_,$(T)),$(integ)) ## the stories of one build (B=debug; T=name for one)
	@tests/run.sh $(B) $(filter $(O)/tests/integ/%,$^)

check: $(bin) $(fakes) $(chosen) ## unit tests and stories of one build (B=debug, asan; T=name for one)
	@tests/run.sh $(B) $(chosen)

test: ## set up, then every test: debug, the other two ways to spawn, then under ASan and UBSan
	@contrib/setup.sh build test
	@rm -f .build/results
	@$(again) all
	@$(again) B=debug check; a=$$?; \
	REEVE_SPAWN=clone $(again) B=debug integ T='$(spawning)'; b=$$?; \
	REEVE_SPAWN=fork $(again) B=debug integ T='$(spawning)'; c=$$?; \
	$(again) B=asan check; d=$$?; \
	tests/run.sh --total; [ $$a$$b$$c$$d = 0000 ]

run: ## set up, build, then watch the example: download, verify, unpack, run
	@contrib/setup.sh build
	@$(again) all
	@contrib/try-it.sh .build/release

lint: ## layers, headers, gcc, clang, cppcheck, clang-tidy, clang-format, shellcheck
	@contrib/setup.sh build test lint
	@$(again) B=debug all
	@tests/lint/run.sh .build/debug $(filter-out -O1 -g3,$(subst -O2,,$(ALL_CFLAGS))) -DREEVE_FAILPOINTS

cov: ## line coverage of units and stories
	@contrib/setup.sh build test
	@$(again) B=cov check; gcovr -r . --object-directory .build/cov -e 'tests/' --print-summary

fuzz: ## every decoder, FUZZ_S seconds each
	@contrib/setup.sh build lint
	@tests/fuzz/run.sh $(FUZZ_S)

chaos: ## kill everything at random for CHAOS_S seconds and compare with the workers' own record (SEED=n)
	@contrib/setup.sh build test
	@$(again) B=debug .build/debug/tests/chaos/chaos .build/debug/tests/fake/actor all
	@.build/debug/tests/chaos/chaos --seconds $(CHAOS_S) --seed $(SEED)

plants: ## plant known faults and show that chaos catches each
	@contrib/setup.sh build test
	@$(again) B=debug .build/debug/tests/chaos/chaos .build/debug/tests/fake/actor all
	@tests/chaos/plants.sh 15

pages: ## contrib/recipe.schema.json and contrib/RECIPES.md, made from the table of keys
	@$(again) B=debug .build/debug/bin/reeve
	@.build/debug/bin/reeve recipes --schema >contrib/recipe.schema.json
	@.build/debug/bin/reeve recipes --reference >contrib/RECIPES.md

bench: ## figures beside their limits, as JSON lines (BENCH=--small, or a name)
	@contrib/setup.sh build
	@$(again) all .build/release/tests/bench/bench .build/release/tests/bench/chain .build/release/tests/bench/chatter
	@.build/release/tests/bench/bench $(BENCH)

setup: ## install the Debian packages for building and testing
	@contrib/setup.sh build test lint

.PHONY: man install uninstall
man: $(bin) ## the manual pages, into .build/$(B)/man
	@PREFIX=$(PREFIX) contrib/man/make.sh $(O)/bin $(O)/man

installing = DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' PURGE='$(PURGE)' contrib/install.sh
install: all man ## into PREFIX (/usr/local), of this system or of DESTDIR; a running service hands over
	@$(installing) install $(O)

uninstall: ## takes it away again, unless tasks run; PURGE=1: configuration and tasks too
	@$(installing) uninstall $(O)

.PHONY: deb package-test
deb: ## the Debian packages, into .build/deb
	@contrib/setup.sh build package
	@contrib/deb.sh .build/deb
	@ls .build/deb

package-test: ## root: the packages and `make install` in a Debian of their own (5 minutes, the next time 3)
	@contrib/setup.sh build package
	@$(again) all man
	@tests/package/run.sh .build/release

.PHONY: clean
clean: ## remove .build, but for the cache of downloads
	@rm -rf $(filter-out .build/cache,$(wildcard .build/*))

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: FORCE
FORCE:
