# sluice: `make` gives build/sluice. Rooms are globbed: a new .c file needs no edit here.
#   make            the program            make check      unit tests, scenarios, structure
#   make asan       the same, sanitized    make fuzz-build every fuzz target (needs clang)
#   make release    build/release/sluice, laid out by what requests execute (needs gcc)
# BUILD=dir and CC=clang-14 may be given; everything is built out of tree.

ifeq ($(origin CC),default)
CC      := gcc
endif
BUILD   ?= build
ROOMS   := base wire net http resource plan store proxy filter ai meter manage console hiclaw page mock cli
CSTD    := -std=c17
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
           -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wswitch-enum -Wimplicit-fallthrough \
           -Wdouble-promotion -Werror
HARDEN  := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -fcf-protection -fstack-clash-protection
LINK    := -pie -Wl,-z,relro,-z,now
OPT     ?= -O2 -g
SAN     ?=
LIBS    := -lm -lcrypt -lseccomp -lpcre2-8 -lyaml -lexpat -lcares -lssl -lcrypto -lz -lpthread
VERSION ?= $(shell cat VERSION 2>/dev/null || echo 0.0.0)
CFLAGS  += $(CSTD) $(OPT) $(WARN) $(if $(SAN),$(SAN),$(HARDEN)) -Isrc -I. -MMD -MP
LDFLAGS += $(if $(SAN),$(SAN),$(LINK))

ALL_C   := $(foreach r,$(ROOMS),$(wildcard src/$(r)/*.c))
TEST_C  := $(filter %_test.c,$(ALL_C))
FUZZ_C  := $(filter %_fuzz.c,$(ALL_C))
ROOM_C  := $(filter-out %_test.c %_fuzz.c,$(ALL_C))
MAIN_C  := $(wildcard src/*.c)
PAGE_O  := $(BUILD)/obj/page/packed.o
ROOM_O  := $(ROOM_C:%.c=$(BUILD)/obj/%.o) $(PAGE_O)
MAIN_O  := $(MAIN_C:%.c=$(BUILD)/obj/%.o)
TESTS   := $(TEST_C:src/%.c=$(BUILD)/test/%) $(patsubst %.c,$(BUILD)/test/%,$(wildcard sim/*_test.c))

# What the simulated world replaces.
SIM_GONE := src/net/sys.c src/base/clock.c src/base/random.c src/base/file.c src/net/dns.c \
            src/net/sys_watch.c src/net/file_watch.c src/net/name_watch.c
SIM_C    := $(filter-out %_test.c,$(wildcard sim/*.c))
# What is not asked for is not linked: the simulated world watches no files.
SIM_O    := $(SIM_C:%.c=$(BUILD)/obj/%.o) $(BUILD)/libsim.a

.PHONY: all check unit scenarios clean asan tsan fuzz-build
all: $(BUILD)/sluice

$(BUILD)/sluice: $(ROOM_O) $(MAIN_O)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/libsluice.a: $(ROOM_O)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/libsim.a: $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out $(SIM_GONE),$(ROOM_C)))
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/obj/src/cli/version.o: CFLAGS += -DSLUICE_VERSION='"$(VERSION)"'
$(BUILD)/obj/src/cli/version.o: VERSION

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

# The web page: page/'s files, put together and packed into the program by tools of this machine (page/bundle.c, page/pack.c).
PAGE_MODULES := page/app.mjs $(filter-out page/app.mjs,$(sort $(wildcard page/*.mjs)))
PAGE_STYLES  := $(addprefix page/,tokens.css components.css screens.css extra.css)
PAGE_FILES   := $(sort $(wildcard page/*.html page/*.shell page/*.js docs/guides/*.md)) \
                $(addprefix $(BUILD)/page/,app.mjs page.css pixel.ttf)
$(BUILD)/page/%: page/%.c
	@mkdir -p $(@D)
	$(CC) $(CSTD) -O1 $(WARN) -o $@ $< -lcrypto -lz
$(BUILD)/page/app.mjs: $(BUILD)/page/bundle $(PAGE_MODULES) Makefile
	$(BUILD)/page/bundle $@ $(PAGE_MODULES)
$(BUILD)/page/page.css: $(PAGE_STYLES) Makefile
	@mkdir -p $(@D)
	cat $(PAGE_STYLES) > $@
$(BUILD)/page/pixel.ttf: $(BUILD)/page/font page/pixel.font
	$(BUILD)/page/font page/pixel.font $@
$(BUILD)/page/packed.c: $(BUILD)/page/pack $(PAGE_FILES) Makefile
	$(BUILD)/page/pack $@ $(BUILD)/page/packed.bin $(PAGE_FILES)
$(PAGE_O): $(BUILD)/page/packed.c src/page/assets.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

# A unit test is src/<room>/<name>_test.c with a main of cmocka.
$(BUILD)/test/%_test: $(BUILD)/obj/src/%_test.o $(BUILD)/libsluice.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(BUILD)/libsluice.a -lcmocka -ljansson $(LIBS)

# One in the simulated world is sim/<name>_test.c.
$(BUILD)/test/sim/%_test: $(BUILD)/obj/sim/%_test.o $(SIM_O)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter-out %/sim/main.o,$^) -lcmocka $(LIBS)

# What judges a parser beside simdjson. The one C++ file is the shim to it; no program contains it.
$(BUILD)/obj/%.o: %.cc
	@mkdir -p $(@D)
	$(CXX) -std=c++17 $(OPT) -Wall -Wextra $(SAN) -Isrc -I. -MMD -MP -c -o $@ $<
DIFFER_O := $(BUILD)/obj/tests/differential/json_differential.o $(BUILD)/obj/tests/differential/simdjson_shim.o
$(BUILD)/json-differential: $(DIFFER_O) $(BUILD)/libsluice.a
	$(CXX) $(LDFLAGS) -o $@ $^ -lsimdjson $(LIBS)

.PHONY: unit-build objects
unit-build: $(TESTS)
# Everything is compiled, nothing linked: for another compiler's warnings.
objects: $(ROOM_O) $(MAIN_O) $(TEST_C:%.c=$(BUILD)/obj/%.o) $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard sim/*.c))
unit: $(TESTS)
	@for t in $(TESTS); do ASAN_OPTIONS=handle_segv=2 $$t || exit 1; done

$(BUILD)/sluice-sim: $(SIM_O)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

scenarios: $(BUILD)/sluice-sim
	$(BUILD)/sluice-sim --trials 1000 tests/sim

# The program as it is shipped. The rooms of the data path are compiled once so that they count where their branches go while
# the stories of tests/train are played, and again, as one unit, with those counts: what a request executes then lies together,
# in half as many lines of the cache. The played world has one thread and no time of its own, so that the same sources and
# compiler make the same bytes, in any directory. Loops are left as they are: to unroll and copy them costs more lines than it saves.
PATH_ROOMS := base wire net http plan proxy filter ai meter
PATH_C     := $(filter $(PATH_ROOMS:%=src/%/%),$(ROOM_C))
TRAIN      := $(BUILD)/train
RELEASE    := $(BUILD)/release
TRAIN_O    := $(patsubst %.c,$(TRAIN)/%.o,$(filter-out $(SIM_GONE),$(PATH_C)))
RELEASE_O  := $(PATH_C:%.c=$(RELEASE)/%.o)
# The sources are warned about above. Both times a file has the name by which its counts are found.
QUIET       = $(filter-out -W% -g%,$(CFLAGS)) -w
COUNTS      = -dumpdir $(TRAIN)/$(dir $<) -dumpbase $(notdir $<) -dumpbase-ext .c
TRAINED    := -flto -fprofile-use -fprofile-partial-training -fno-tracer -fno-unroll-loops -fno-peel-loops

.PHONY: release
release: $(RELEASE)/sluice
$(TRAIN)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(QUIET) $(COUNTS) -fprofile-generate -fprofile-update=single -c -o $@ $<
$(TRAIN)/libpath.a: $(TRAIN_O)
	@rm -f $@
	ar rcs $@ $^
$(TRAIN)/sluice-sim: $(TRAIN)/libpath.a $(SIM_O)
	$(CC) $(LDFLAGS) -fprofile-generate -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)
$(TRAIN)/played: $(TRAIN)/sluice-sim $(wildcard tests/train/*)
	find $(TRAIN) -name '*.gcda' -delete
	$(TRAIN)/sluice-sim tests/train
	@touch $@
$(RELEASE)/%.o: %.c $(TRAIN)/played
	@mkdir -p $(@D)
	$(CC) $(QUIET) $(COUNTS) $(TRAINED) -c -o $@ $<
$(RELEASE)/sluice: $(RELEASE_O) $(filter-out $(PATH_C:%.c=$(BUILD)/obj/%.o),$(ROOM_O) $(MAIN_O))
	+$(CC) $(QUIET) $(LDFLAGS) -Wl,-S $(TRAINED) -flto=auto -o $@ $^ $(LIBS)

check: unit scenarios
	script/check

asan:
	$(MAKE) BUILD=$(BUILD)/asan OPT="-O1 -g1 -fno-omit-frame-pointer" SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined" $(or $(GOAL),unit scenarios all)
tsan:
	$(MAKE) BUILD=$(BUILD)/tsan OPT="-O1 -g1" SAN="-fsanitize=thread" $(or $(GOAL),all)

# A fuzz target is src/<room>/<name>_fuzz.c with LLVMFuzzerTestOneInput; the rooms are compiled once more
# for all of them, below $(BUILD)/fuzz.
FUZZERS    := $(FUZZ_C:src/%_fuzz.c=$(BUILD)/%_fuzz)
FUZZ_FLAGS  = BUILD=$(BUILD)/fuzz CC=clang-14 OPT="-O1 -g1" \
              SAN="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined"
.PHONY: fuzz-programs FORCE
fuzz-build:
	$(MAKE) $(FUZZ_FLAGS) fuzz-programs
$(BUILD)/fuzz/%_fuzz: FORCE
	$(MAKE) $(FUZZ_FLAGS) $@
fuzz-programs: $(FUZZERS)
$(BUILD)/%_fuzz: $(BUILD)/obj/src/%_fuzz.o $(BUILD)/libsluice.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $< $(BUILD)/libsluice.a $(LIBS)

# For script/check: objects without a program; every header compiled alone.
.PHONY: objects
objects: $(ROOM_O) $(MAIN_O)
HEADER_H := $(foreach r,$(ROOMS),$(wildcard src/$(r)/*.h)) $(wildcard sim/*.h)
.PHONY: headers
headers: $(HEADER_H:%=$(BUILD)/header/%.ok)
$(BUILD)/header/%.ok: %
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MT $@ -MF $(@:.ok=.d) -fsyntax-only -x c $<
	@touch $@

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj $(BUILD)/header $(TRAIN) $(RELEASE) -name '*.d' 2>/dev/null)
