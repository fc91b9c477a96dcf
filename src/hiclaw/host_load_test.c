#define _GNU_SOURCE /* nftw */
#include "hiclaw/host_load.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"

/* --- parsers ------------------------------------------------------------------------------------------ */

static void fields(void **state)
{
	static const struct {
		const char *text, *name;
		uint64_t value; /* 0: refused */
		const char *reason;
	} rows[] = {
		{"usage_usec 12\nuser_usec 7\n", "usage_usec", 12, "the first line"},
		{"usage_usec 12\nuser_usec 7\n", "user_usec", 7, "another line"},
		{"MemTotal:       16 kB\nMemAvailable:   9 kB\n", "MemAvailable", 9,
			"/proc/meminfo"},
		{"inactive_file 5", "inactive_file", 5, "no line end"},
		{"total_inactive_file 5\n", "inactive_file", 0, "a part of a name"},
		{"inactive_file_x 5\n", "inactive_file", 0, "the beginning of a name"},
		{"usage_usec\n", "usage_usec", 0, "no number"},
		{"usage_usec -1\n", "usage_usec", 0, "a sign"},
		{"usage_usec 18446744073709551616\n", "usage_usec", 0, "too large"},
		{"usage_usec 18446744073709551615\n", "usage_usec", UINT64_MAX, "the largest"},
		{"", "usage_usec", 0, "nothing"},
		{"\n\n\n", "usage_usec", 0, "empty lines"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t v = 0;
		bool ok = host_load_field(bytes_str(rows[i].text), bytes_str(rows[i].name), &v);

		if (ok != (rows[i].value != 0) || v != rows[i].value) {
			fail_msg("%s", rows[i].reason);
		}
	}
}

static void ticks(void **state)
{
	static const struct {
		const char *text;
		uint64_t busy, total; /* 0: refused */
		const char *reason;
	} rows[] = {
		{"cpu  1 2 3 100 50 4 5 6 7 8\ncpu0 9 9 9 9\n", 21, 171,
			"waiting for a disk is idle, guests are counted once"},
		{"cpu  1 2 3 100\n", 6, 106, "an old kernel"},
		{"cpu  1 2 3\n", 0, 0, "too few"},
		{"cpu0 1 2 3 100\n", 0, 0, "one CPU is not all"},
		{"cpu  1 2 x 100\n", 0, 0, "no number"},
		{"", 0, 0, "nothing"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t busy = 0, total = 0;
		bool ok = host_load_ticks(bytes_str(rows[i].text), &busy, &total);

		if (ok != (rows[i].total != 0) || busy != rows[i].busy || total != rows[i].total) {
			fail_msg("%s", rows[i].reason);
		}
	}
}

static void quotas(void **state)
{
	static const struct {
		const char *text;
		int milli; /* -1: refused */
	} rows[] = {{"max 100000\n", 0}, {"200000 100000\n", 2000}, {"50000 100000", 500},
		{"1 100000", 1}, {"0 100000", -1}, {"100000 0", -1}, {"100000", -1}, {"", -1},
		{"-5 100000", -1}, {"18446744073709551615 1", -1}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned milli = 77;
		bool ok = host_load_quota(bytes_str(rows[i].text), &milli);

		assert_int_equal(ok, rows[i].milli >= 0);
		assert_int_equal(milli, ok ? (unsigned)rows[i].milli : 77);
	}
}

static void paths(void **state)
{
	const struct bytes text =
		BYTES("9:name=systemd:/s\n4:memory:/m/x\n3:cpu,cpuacct:/c:d\n0::/u\n");
	static const struct {
		const char *controller, *path;
	} rows[] = {{"memory", "/m/x"}, {"cpuacct", "/c:d"}, {"cpu", "/c:d"}, {"", "/u"},
		{"pids", NULL}, {"systemd", NULL}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes path = {0};

		assert_int_equal(host_load_path(text, bytes_str(rows[i].controller), &path),
			rows[i].path != NULL);
		assert_true(bytes_eq(path, bytes_str(rows[i].path)));
	}
}

/* --- a machine of files ---------------------------------------------------------------------------------- */

struct machine {
	char root[64], proc[80], cgroups[80];
	struct host_load_places places;
	struct host_load load;
};

static void put(const struct machine *m, const char *path, const char *content)
{
	char room[256], dir[256];

	snprintf(room, sizeof(room), "%s/%s", m->root, path);
	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(room, '/') - room), room);
	assert_int_equal(file_make_dir(dir, 0700, NULL), 0);
	/* As the kernel does: the file that is open changes. */
	if (file_overwrite(room, bytes_str(content), NULL) != 0) {
		assert_int_equal(file_write_atomic(room, bytes_str(content), 0600, NULL), 0);
	}
}

static void machine_init(struct machine *m, unsigned cpus)
{
	snprintf(m->root, sizeof(m->root), "/tmp/load-test-XXXXXX");
	assert_non_null(mkdtemp(m->root));
	snprintf(m->proc, sizeof(m->proc), "%s/proc", m->root);
	snprintf(m->cgroups, sizeof(m->cgroups), "%s/cgroup", m->root);
	m->places = (struct host_load_places){m->proc, m->cgroups, cpus};
	put(m, "proc/stat", "cpu  100 0 0 900 0 0 0 0 0 0\n");
	put(m, "proc/meminfo", "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 250 kB\n");
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void machine_done(struct machine *m)
{
	host_load_close(&m->load);
	host_load_close(&m->load);
	assert_int_equal(nftw(m->root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* What the percentages are when `file` says `then` two seconds later; -1: unknown. */
static void measure(struct machine *m, const char *file, const char *then, int *cpu, int *memory)
{
	struct host_load_sample before, now;
	unsigned percent;

	host_load_open(&m->load, &m->places);
	host_load_sample(&m->load, 1000000, &before);
	put(m, file, then);
	host_load_sample(&m->load, 3000000, &now);
	*cpu = host_load_cpu(&before, &now, &percent) ? (int)percent : -1;
	*memory = host_load_memory(&now, &percent) ? (int)percent : -1;
}

static void a_host(void **state)
{
	struct machine m;
	int cpu, memory;

	(void)state;
	machine_init(&m, 4);
	measure(&m, "proc/stat", "cpu  130 0 0 970 0 0 0 0 0 0\n", &cpu, &memory);
	assert_int_equal(cpu, 30);
	assert_int_equal(memory, 75);
	machine_done(&m);
}

static void a_container_of_version_2(void **state)
{
	struct host_load_sample s;
	struct machine m;
	int cpu, memory;

	(void)state;
	machine_init(&m, 8);
	put(&m, "proc/self/cgroup", "0::/\n");
	put(&m, "cgroup/cgroup.controllers", "cpu memory\n");
	put(&m, "cgroup/cpu.stat", "usage_usec 1000000\nuser_usec 1\n");
	put(&m, "cgroup/cpu.max", "200000 100000\n");
	put(&m, "cgroup/memory.current", "600000\n");
	put(&m, "cgroup/memory.max", "800000\n");
	put(&m, "cgroup/memory.stat", "anon 1\ninactive_file 200000\n");
	/* M-06: 4 of 2 x 2 seconds */
	measure(&m, "cgroup/cpu.stat", "usage_usec 4700000\nuser_usec 1\n", &cpu, &memory);
	assert_int_equal(cpu, 93);
	assert_int_equal(memory, 50);
	host_load_sample(&m.load, 4000000, &s);
	assert_int_equal(s.cpus, 2);
	assert_int_equal(s.used, 400000);
	assert_int_equal(s.limit, 800000);
	machine_done(&m);
}

static void a_container_without_limits(void **state)
{
	struct machine m;
	int cpu, memory;

	(void)state;
	machine_init(&m, 2);
	put(&m, "proc/self/cgroup", "0::/\n");
	put(&m, "cgroup/cgroup.controllers", "cpu memory\n");
	put(&m, "cgroup/cpu.stat", "usage_usec 0\n");
	put(&m, "cgroup/cpu.max", "max 100000\n");
	put(&m, "cgroup/memory.current", "1\n");
	put(&m, "cgroup/memory.max", "max\n");
	measure(&m, "cgroup/cpu.stat", "usage_usec 1000000\n", &cpu, &memory);
	assert_int_equal(cpu, 25);    /* of two CPUs */
	assert_int_equal(memory, 75); /* the host's */
	machine_done(&m);
}

static void a_service_of_a_host(void **state)
{
	struct machine m;
	int cpu, memory;

	(void)state;
	machine_init(&m, 2);
	put(&m, "proc/self/cgroup", "0::/system.slice/sluice.service\n");
	put(&m, "cgroup/cgroup.controllers", "cpu memory\n");
	put(&m, "cgroup/system.slice/sluice.service/cpu.stat", "usage_usec 0\n");
	put(&m, "cgroup/system.slice/sluice.service/cpu.max", "max 100000\n");
	measure(&m, "proc/stat", "cpu  110 0 0 990 0 0 0 0 0 0\n", &cpu, &memory);
	assert_int_equal(cpu, 10);
	assert_int_equal(memory, 75);
	machine_done(&m);
}

static void a_container_of_version_1(void **state)
{
	struct machine m;
	int cpu, memory;

	(void)state;
	machine_init(&m, 8);
	put(&m, "proc/self/cgroup", "4:memory:/docker/1\n3:cpu,cpuacct:/docker/1\n");
	put(&m, "cgroup/cpuacct/cpuacct.usage", "1000000000\n");
	put(&m, "cgroup/cpu/cpu.cfs_quota_us", "50000\n");
	put(&m, "cgroup/cpu/cpu.cfs_period_us", "100000\n");
	put(&m, "cgroup/memory/memory.usage_in_bytes", "600000\n");
	put(&m, "cgroup/memory/memory.limit_in_bytes", "800000\n");
	put(&m, "cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 400000\n");
	measure(&m, "cgroup/cpuacct/cpuacct.usage", "1500000000\n", &cpu, &memory);
	assert_int_equal(cpu, 50); /* half a second of half a CPU in two */
	assert_int_equal(memory, 25);
	machine_done(&m);
}

static void the_path_is_looked_for(void **state)
{
	struct machine m;
	int cpu, memory;

	(void)state;
	machine_init(&m, 8);
	put(&m, "proc/self/cgroup", "4:memory:/docker/1\n3:cpu,cpuacct:/docker/1\n");
	put(&m, "cgroup/cpuacct/cpuacct.usage", "5\n");
	put(&m, "cgroup/cpuacct/docker/1/cpuacct.usage", "0\n");
	put(&m, "cgroup/cpu/docker/1/cpu.cfs_quota_us", "100000\n");
	put(&m, "cgroup/cpu/docker/1/cpu.cfs_period_us", "100000\n");
	put(&m, "cgroup/memory/docker/1/memory.usage_in_bytes", "1\n");
	put(&m, "cgroup/memory/docker/1/memory.limit_in_bytes", "9223372036854771712\n");
	measure(&m, "cgroup/cpuacct/docker/1/cpuacct.usage", "500000000\n", &cpu, &memory);
	assert_int_equal(cpu, 25);
	assert_int_equal(memory, 75); /* no limit: the host's */
	machine_done(&m);
}

static void what_is_not_there_is_unknown(void **state)
{
	struct host_load_sample before, now;
	struct machine m;
	unsigned percent;

	(void)state;
	machine_init(&m, 2);
	m.places.proc = m.places.cgroups = "/nowhere/at/all";
	host_load_open(&m.load, &m.places);
	host_load_sample(&m.load, 1, &before);
	host_load_sample(&m.load, 2000000, &now);
	assert_false(host_load_cpu(&before, &now, &percent));
	assert_false(host_load_memory(&now, &percent));
	machine_done(&m);
}

static void samples_that_are_not_alike(void **state)
{
	const struct host_load_sample cgroup = {.at_us = 1, .busy = 5, .milli_cpus = 1000};
	const struct host_load_sample host = {.at_us = 9, .busy = 9, .total = 10};
	const struct host_load_sample back = {.at_us = 9, .busy = 4, .milli_cpus = 1000};
	const struct host_load_sample much = {.at_us = 9, .busy = 4000, .milli_cpus = 1000};
	unsigned percent = 0;

	(void)state;
	assert_false(host_load_cpu(&cgroup, &host, &percent));   /* a quota has gone */
	assert_false(host_load_cpu(&cgroup, &back, &percent));   /* a counter went back */
	assert_false(host_load_cpu(&cgroup, &cgroup, &percent)); /* no time has passed */
	assert_true(host_load_cpu(&cgroup, &much, &percent));
	assert_int_equal(percent, 100); /* a burst above the quota */
}

/* M-04, on whatever this test runs. */
static void this_machine(void **state)
{
	struct host_load_sample before, now;
	volatile uint64_t work = 0;
	struct host_load h;
	unsigned percent;

	(void)state;
	host_load_open(&h, &host_load_usual);
	host_load_sample(&h, clock_mono_ns() / 1000, &before);
	for (uint64_t end = clock_mono_ns() + 50000000; clock_mono_ns() < end;) {
		work = work + 1;
	}
	host_load_sample(&h, clock_mono_ns() / 1000, &now);
	assert_true(now.limit > 0 && now.used > 0 && now.used <= now.limit);
	assert_true(host_load_memory(&now, &percent) && percent <= 100);
	assert_true(now.cpus > 0);
	if (host_load_cpu(&before, &now, &percent)) { /* /proc/stat counts in steps of 10 ms */
		assert_true(percent <= 100);
	}
	host_load_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(ticks),
		cmocka_unit_test(quotas),
		cmocka_unit_test(paths),
		cmocka_unit_test(a_host),
		cmocka_unit_test(a_container_of_version_2),
		cmocka_unit_test(a_container_without_limits),
		cmocka_unit_test(a_service_of_a_host),
		cmocka_unit_test(a_container_of_version_1),
		cmocka_unit_test(the_path_is_looked_for),
		cmocka_unit_test(what_is_not_there_is_unknown),
		cmocka_unit_test(samples_that_are_not_alike),
		cmocka_unit_test(this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
