/*
 * Which figures are the container's: inside of one with a namespace of its own /proc/self/cgroup says "/", and the
 * mounted root is its cgroup. Without such a namespace the path is looked for, and where it is not mounted the
 * root is what the container was given. A cgroup that is neither its own root nor limited is a service of a host,
 * say, for which the host's figures are the true ones.
 */
#define _GNU_SOURCE
#include "hiclaw/host_load.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "base/num.h"

/* memory.stat is the longest that is read whole; of /proc/stat one line is enough. */
#define FILE_MAX 16384u
#define PATH_MAX_HERE 1024u
#define KB 1024u
/* A period is 100 ms; more than this many CPUs is no quota of this world. */
#define CPUS_MAX 1000000u

const struct host_load_places host_load_usual = {"/proc", "/sys/fs/cgroup", 0};

/* --- parsers ---------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next word of a line, empty at its end. */
static struct bytes take_word(struct bytes *rest)
{
	struct bytes word;
	size_t n = 0;

	*rest = bytes_trim(*rest);
	while (n < rest->n && !is_blank(rest->p[n])) {
		n++;
	}
	word = bytes_of(rest->p, n);
	*rest = bytes_of(rest->p + n, rest->n - n);
	return word;
}

bool host_load_field(struct bytes text, struct bytes name, uint64_t *out)
{
	while (text.p != NULL) {
		struct bytes line = bytes_cut(&text, '\n');
		struct bytes word = take_word(&line);

		if (word.n > 0 && word.p[word.n - 1] == ':') {
			word.n--;
		}
		if (bytes_eq(word, name)) {
			return num_parse_u64(take_word(&line), UINT64_MAX, out);
		}
	}
	return false;
}

/* "cpu  user nice system idle iowait irq softirq steal guest guest_nice": guests are in user and nice. */
bool host_load_ticks(struct bytes text, uint64_t *busy_out, uint64_t *total_out)
{
	struct bytes line = bytes_cut(&text, '\n');
	uint64_t total = 0, idle = 0;

	if (!bytes_eq(take_word(&line), BYTES("cpu"))) {
		return false;
	}
	for (unsigned i = 0; i < 8; i++) {
		uint64_t v;

		if (!num_parse_u64(take_word(&line), UINT64_MAX / 8, &v)) {
			if (i < 4) {
				return false;
			}
			break; /* an old kernel has fewer */
		}
		total += v;
		idle += i == 3 || i == 4 ? v : 0;
	}
	*busy_out = total - idle;
	*total_out = total;
	return true;
}

static bool quota_of(struct bytes quota, struct bytes period, unsigned *out)
{
	uint64_t q, p;

	if (bytes_eq(quota, BYTES("max")) || bytes_eq(quota, BYTES("-1"))) {
		*out = 0;
		return true;
	}
	if (!num_parse_u64(quota, UINT64_MAX / 1000, &q) ||
		!num_parse_u64(period, UINT64_MAX, &p) || q == 0 || p == 0 || q / p > CPUS_MAX) {
		return false;
	}
	*out = (unsigned)MAX(q * 1000 / p, 1);
	return true;
}

bool host_load_quota(struct bytes text, unsigned *milli_cpus_out)
{
	struct bytes line = bytes_cut(&text, '\n');
	struct bytes quota = take_word(&line);

	return quota_of(quota, take_word(&line), milli_cpus_out);
}

static bool names_controller(struct bytes list, struct bytes controller)
{
	if (controller.n == 0) {
		return list.n == 0;
	}
	while (list.p != NULL) {
		if (bytes_eq(bytes_cut(&list, ','), controller)) {
			return true;
		}
	}
	return false;
}

/* "4:memory:/docker/0a9f", "3:cpu,cpuacct:/", "0::/". */
bool host_load_path(struct bytes text, struct bytes controller, struct bytes *out)
{
	while (text.p != NULL) {
		struct bytes path = bytes_cut(&text, '\n');
		struct bytes list;

		bytes_cut(&path, ':');
		list = bytes_cut(&path, ':');
		if (path.p != NULL && names_controller(list, controller)) {
			*out = path;
			return true;
		}
	}
	return false;
}

/* --- files ---------------------------------------------------------------------------------------------- */

struct content {
	char p[FILE_MAX];
	struct bytes text;
};

/* False: nothing. A file that is longer is cut behind its last whole line. */
static bool read_fd(int fd, struct content *c)
{
	size_t n = 0;
	ssize_t got = 1;

	while (fd >= 0 && got > 0 && n < sizeof(c->p)) {
		got = pread(fd, c->p + n, sizeof(c->p) - n, (off_t)n);
		n += got > 0 ? (size_t)got : 0;
	}
	while (n == sizeof(c->p) && n > 0 && c->p[n - 1] != '\n') {
		n--;
	}
	c->text = bytes_of(c->p, n);
	return n > 0;
}

/* Of a file that is one number; false also for "max". */
static bool read_number(int fd, uint64_t *out)
{
	struct content c;

	return read_fd(fd, &c) && num_parse_u64(bytes_cut(&c.text, '\n'), UINT64_MAX, out);
}

static int open_in(const char *dir, const char *file)
{
	char path[PATH_MAX_HERE];

	if (snprintf(path, sizeof(path), "%s/%s", dir, file) >= (int)sizeof(path)) {
		return -1;
	}
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* --- opening -------------------------------------------------------------------------------------------- */

/* Where the cgroup is mounted below root/hierarchy; own when the process sees itself at the root. */
static void find_dir(const struct host_load_places *at, struct bytes cgroups, const char *hierarchy,
	const char *probe, char out[PATH_MAX_HERE])
{
	struct bytes path = BYTES("/");
	int fd;

	IGNORE(host_load_path(cgroups, bytes_str(hierarchy), &path)); /* the root then */
	snprintf(out, PATH_MAX_HERE, "%.300s/%s" BYTES_FMT, at->cgroups, hierarchy,
		(int)MIN(path.n, 600), path.p);
	fd = open_in(out, probe);
	if (fd < 0 || bytes_starts(path, BYTES("/.."))) {
		snprintf(out, PATH_MAX_HERE, "%.300s/%s", at->cgroups, hierarchy);
	}
	if (fd >= 0) {
		close(fd);
	}
}

static void open_2(struct host_load *h, const struct host_load_places *at, struct bytes cgroups)
{
	char dir[PATH_MAX_HERE];

	find_dir(at, cgroups, "", "cpu.stat", dir);
	h->usage = open_in(dir, "cpu.stat");
	h->quota = open_in(dir, "cpu.max");
	h->memory = open_in(dir, "memory.current");
	h->memory_max = open_in(dir, "memory.max");
	h->memory_of = open_in(dir, "memory.stat");
}

static void open_1(struct host_load *h, const struct host_load_places *at, struct bytes cgroups)
{
	char dir[PATH_MAX_HERE];

	find_dir(at, cgroups, "cpuacct", "cpuacct.usage", dir);
	h->usage = open_in(dir, "cpuacct.usage");
	find_dir(at, cgroups, "cpu", "cpu.cfs_quota_us", dir);
	h->quota = open_in(dir, "cpu.cfs_quota_us");
	h->period = open_in(dir, "cpu.cfs_period_us");
	find_dir(at, cgroups, "memory", "memory.usage_in_bytes", dir);
	h->memory = open_in(dir, "memory.usage_in_bytes");
	h->memory_max = open_in(dir, "memory.limit_in_bytes");
	h->memory_of = open_in(dir, "memory.stat");
}

static unsigned count_cpus(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0) {
		return (unsigned)CPU_COUNT(&set);
	}
	return (unsigned)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
}

void host_load_open(struct host_load *h, const struct host_load_places *at)
{
	struct bytes path = BYTES("");
	struct content c = {.text = BYTES("")};
	int fd = open_in(at->proc, "self/cgroup");
	int unified = open_in(at->cgroups, "cgroup.controllers");

	*h = (struct host_load){.usage = -1,
		.quota = -1,
		.period = -1,
		.memory = -1,
		.memory_max = -1,
		.memory_of = -1,
		.stat = open_in(at->proc, "stat"),
		.meminfo = open_in(at->proc, "meminfo"),
		.cpus = at->cpus != 0 ? at->cpus : count_cpus()};
	if (!read_fd(fd, &c)) {
		c.text = BYTES("");
	}
	h->kind = unified >= 0 ? HOST_LOAD_CGROUP_2 : HOST_LOAD_CGROUP_1;
	if (unified >= 0) {
		open_2(h, at, c.text);
	} else {
		open_1(h, at, c.text);
	}
	h->kind = h->usage >= 0 ? h->kind : HOST_LOAD_HOST;
	h->own = host_load_path(c.text, unified >= 0 ? BYTES("") : BYTES("cpuacct"), &path) &&
		bytes_eq(path, BYTES("/"));
	if (fd >= 0) {
		close(fd);
	}
	if (unified >= 0) {
		close(unified);
	}
}

void host_load_close(struct host_load *h)
{
	int *const fds[] = {&h->usage, &h->quota, &h->period, &h->memory, &h->memory_max,
		&h->memory_of, &h->stat, &h->meminfo};

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		if (*fds[i] >= 0) {
			close(*fds[i]);
		}
		*fds[i] = -1;
	}
}

/* --- sampling ---------------------------------------------------------------------------------------------- */

/* Thousandths of a CPU; 0: no limit, or unknown. */
static unsigned read_quota(const struct host_load *h)
{
	struct content quota, period;
	unsigned milli = 0;
	bool known;

	if (!read_fd(h->quota, &quota)) {
		return 0;
	}
	if (h->kind == HOST_LOAD_CGROUP_2) {
		known = host_load_quota(quota.text, &milli);
	} else {
		known = read_fd(h->period, &period) &&
			quota_of(bytes_cut(&quota.text, '\n'), bytes_cut(&period.text, '\n'),
				&milli);
	}
	return known ? milli : 0;
}

/* Microseconds. */
static bool read_usage(const struct host_load *h, uint64_t *out)
{
	struct content c;
	uint64_t ns;

	if (h->kind == HOST_LOAD_CGROUP_2) {
		return read_fd(h->usage, &c) && host_load_field(c.text, BYTES("usage_usec"), out);
	}
	if (h->kind == HOST_LOAD_HOST || !read_number(h->usage, &ns)) {
		return false;
	}
	*out = ns / 1000;
	return true;
}

static void sample_cpu(const struct host_load *h, struct host_load_sample *s)
{
	unsigned quota = read_quota(h);
	unsigned milli = quota != 0 ? MIN(quota, h->cpus * 1000) : h->cpus * 1000;
	struct content c;

	s->cpus = (milli + 999) / 1000;
	if ((h->own || quota != 0) && read_usage(h, &s->busy)) {
		s->milli_cpus = milli;
		return;
	}
	s->cpus = h->cpus;
	if (!read_fd(h->stat, &c) || !host_load_ticks(c.text, &s->busy, &s->total)) {
		s->busy = s->total = 0;
	}
}

static void sample_host_memory(const struct host_load *h, struct host_load_sample *s)
{
	uint64_t total, available;
	struct content c;

	if (read_fd(h->meminfo, &c) && host_load_field(c.text, BYTES("MemTotal"), &total) &&
		host_load_field(c.text, BYTES("MemAvailable"), &available) && available <= total &&
		total <= UINT64_MAX / KB) {
		s->limit = total * KB;
		s->used = (total - available) * KB;
	}
}

/* Against the limit, when it is less than the host has; the cache of files that nobody needs is free memory. */
static void sample_memory(const struct host_load *h, struct host_load_sample *s)
{
	struct bytes inactive = h->kind == HOST_LOAD_CGROUP_2 ? BYTES("inactive_file")
							      : BYTES("total_inactive_file");
	uint64_t used, max, cache = 0;
	struct content c;

	sample_host_memory(h, s);
	if (!read_number(h->memory_max, &max) || max == 0 || !read_number(h->memory, &used) ||
		(s->limit != 0 && max >= s->limit)) {
		return;
	}
	if (!read_fd(h->memory_of, &c) || !host_load_field(c.text, inactive, &cache)) {
		cache = 0;
	}
	s->limit = max;
	s->used = used > cache ? used - cache : 0;
}

void host_load_sample(const struct host_load *h, uint64_t now_us, struct host_load_sample *out)
{
	*out = (struct host_load_sample){.at_us = now_us};
	sample_cpu(h, out);
	sample_memory(h, out);
}

static unsigned percent(double part, double whole)
{
	double p = part * 100 / whole + 0.5;

	return p >= 100 ? 100 : (unsigned)p;
}

bool host_load_cpu(const struct host_load_sample *before, const struct host_load_sample *now,
	unsigned *percent_out)
{
	bool of_cgroup = now->milli_cpus != 0;
	double whole;

	if ((before->milli_cpus != 0) != of_cgroup || (!of_cgroup && before->total == 0) ||
		now->busy < before->busy || now->total < before->total ||
		now->at_us <= before->at_us) {
		return false;
	}
	whole = of_cgroup ? (double)(now->at_us - before->at_us) * now->milli_cpus / 1000
			  : (double)(now->total - before->total);
	if (whole <= 0) {
		return false;
	}
	*percent_out = percent((double)(now->busy - before->busy), whole);
	return true;
}

bool host_load_memory(const struct host_load_sample *s, unsigned *percent_out)
{
	if (s->limit == 0) {
		return false;
	}
	*percent_out = percent((double)s->used, (double)s->limit);
	return true;
}
