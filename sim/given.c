#define _GNU_SOURCE
#include "sim/given.h"

#include <dirent.h>
#include <stdio.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "proxy/gateway.h"
#include "sim/bridging.h"
#include "sim/chance.h"
#include "sim/disk.h"
#include "sim/names.h"
#include "sim/probing.h"
#include "sim/reaching.h"
#include "sim/world.h"

#define MS 1000000u
/* The in-memory directory that the gateway's resources are in. */
#define RESOURCES "/resources"
#define PATH_ROOM 512

static const struct subject_ops *const subjects[] = {
	&subject_echo, &subject_relay, &subject_gateway};

uint64_t setting(const struct settings *s, const char *name, uint64_t otherwise)
{
	for (unsigned i = s->n; i-- > 0;) {
		if (strcmp(s->v[i].name, name) == 0) {
			return s->v[i].value;
		}
	}
	return otherwise;
}

bool play_duration(struct player *p, struct bytes text, uint64_t *ns)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = {
		{"ms", MS}, {"us", 1000}, {"s", 1000 * (uint64_t)MS}, {"m", 60000 * (uint64_t)MS}};

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		struct bytes unit = bytes_str(units[i].unit);
		uint64_t n;

		if (bytes_ends(text, unit) &&
			num_parse_u64(bytes_of(text.p, text.n - unit.n), 1000000000, &n)) {
			*ns = n * units[i].ns;
			return true;
		}
	}
	return play_fail(p, "a duration is written 10s, 500ms or 2m");
}

/* "10.0.0.1:443" */
static bool address(struct player *p, struct bytes text, struct sys_addr *out)
{
	const char *colon = memrchr(text.p, ':', text.n);
	uint64_t port = 0;
	size_t n = colon == NULL ? text.n : (size_t)(colon - text.p);

	if (colon != NULL && !num_parse_u64(bytes_of(colon + 1, text.n - n - 1), 65535, &port)) {
		return play_fail(p, "an address is written 10.0.0.1:443");
	}
	return sys_addr_parse(out, text.p, n, (uint16_t)port) == 0 ||
		play_fail(p, "an address is written 10.0.0.1:443");
}

/* --- what is given ------------------------------------------------------------------------------ */

static bool given_world(struct player *p, struct bytes rest)
{
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
		if (bytes_eq(rest, bytes_str(subjects[i]->name))) {
			p->ops = subjects[i];
			return true;
		}
	}
	return play_fail(p, "there is no such subject");
}

static bool add_actor(struct player *p, struct bytes name, bool is_client, struct actor **out)
{
	struct actor *a = must_alloc(sizeof(*a));

	ASSERT(p->n_actors < ACTORS_MAX);
	if (name.n >= sizeof(a->name)) {
		free(a);
		return play_fail(p, "that name is too long");
	}
	memcpy(a->name, name.p, name.n);
	a->is_client = is_client;
	a->habits = far_habits_plain;
	p->actors[p->n_actors++] = a;
	*out = a;
	return true;
}

static bool given_client(struct player *p, struct bytes rest)
{
	struct actor *a;

	while (rest.n != 0) {
		if (!add_actor(p, script_word(&rest), true, &a)) {
			return false;
		}
		IGNORE(sys_addr_parse(&a->address, SUBJECT_ADDRESS, sizeof(SUBJECT_ADDRESS) - 1,
			SUBJECT_PORT)); /* a literal */
	}
	return true;
}

static bool given_upstream(struct player *p, struct bytes rest)
{
	struct bytes name = script_word(&rest);
	struct actor *a;

	if (!add_actor(p, name, false, &a)) {
		return false;
	}
	if (!bytes_eq(script_word(&rest), BYTES("at"))) {
		return play_fail(p, "upstream NAME at ADDRESS");
	}
	if (!address(p, script_word(&rest), &a->address)) {
		return false;
	}
	simnet_address(world()->net, &a->address, ADDR_ACCEPTS);
	return true;
}

/* name h is 10.0.0.1 10.0.0.2 [after 2s] [for 30s] */
static bool name_is(struct player *p, struct name_answer *a, struct bytes rest)
{
	uint64_t ns;

	while (rest.n != 0) {
		struct bytes word = script_word(&rest);

		if (bytes_eq(word, BYTES("after")) || bytes_eq(word, BYTES("for"))) {
			if (!play_duration(p, script_word(&rest), &ns)) {
				return false;
			}
			if (word.n == 5) {
				a->after_ms = (unsigned)(ns / MS);
			} else {
				a->ttl_s = (unsigned)(ns / MS / 1000);
			}
		} else if (a->n == ARRAY_LEN(a->addrs) || !address(p, word, &a->addrs[a->n++])) {
			return false;
		}
	}
	return true;
}

static bool given_name(struct player *p, struct bytes rest)
{
	struct bytes host = script_word(&rest);
	struct bytes verb = script_word(&rest);
	struct name_answer a = {.ttl_s = 300};
	uint64_t n;

	if (bytes_eq(verb, BYTES("asked"))) {
		return play_number(p, script_word(&rest), &n) &&
			(names_asked(world()->names, host) == n ||
				play_fail(p, "it was asked for %u times",
					names_asked(world()->names, host)));
	}
	if (bytes_eq(verb, BYTES("fails"))) {
		a.err = bytes_eq(rest, BYTES("for now")) ? ERR_IO : ERR_NOT_FOUND;
	} else if (!bytes_eq(verb, BYTES("is"))) {
		return play_fail(p, "name HOST is ADDRESS, is silent, or fails");
	} else if (bytes_eq(rest, BYTES("silent"))) {
		a.silent = true;
	} else if (!name_is(p, &a, rest)) {
		return false;
	}
	names_set(world()->names, host, &a);
	return true;
}

static bool given_set(struct player *p, struct bytes rest)
{
	struct bytes name = script_word(&rest);
	uint64_t v;

	if (p->subject != NULL) {
		return play_fail(p, "it has started already");
	}
	if (!bytes_eq(script_word(&rest), BYTES("=")) || !play_number(p, script_word(&rest), &v)) {
		return play_fail(p, "set NAME = NUMBER");
	}
	if (p->settings.n == SETTINGS_MAX || name.n >= sizeof(p->settings.v[0].name)) {
		return play_fail(p, "too many settings, or too long a name");
	}
	memcpy(p->settings.v[p->settings.n].name, name.p, name.n);
	p->settings.v[p->settings.n++].value = v;
	return true;
}

/* --- resources ---------------------------------------------------------------------------------- */

static bool load_file(const char *from, const char *to)
{
	FILE *f = fopen(from, "rb");
	struct pipe content = {.p = NULL};
	char room[4096];
	size_t n;

	if (f == NULL) {
		return false;
	}
	while ((n = fread(room, 1, sizeof(room), f)) != 0) {
		pipe_add(&content, bytes_of(room, n));
	}
	fclose(f);
	disk_put(world()->disk, to, pipe_bytes(&content));
	pipe_done(&content);
	return true;
}

static bool load_dir(const char *from, const char *to, unsigned depth)
{
	DIR *d = depth > 2 ? NULL : opendir(from);
	const struct dirent *e;

	if (d == NULL) {
		return false;
	}
	while ((e = readdir(d)) != NULL) {
		char source[PATH_ROOM];
		char target[PATH_ROOM];

		if (e->d_name[0] == '.') {
			continue;
		}
		snprintf(source, sizeof(source), "%s/%s", from, e->d_name);
		snprintf(target, sizeof(target), "%s/%s", to, e->d_name);
		if (!load_dir(source, target, depth + 1)) {
			IGNORE(load_file(source, target)); /* it vanished */
		}
	}
	closedir(d);
	return true;
}

static bool given_resources(struct player *p, struct bytes rest)
{
	char *dir = bytes_dup(rest);
	bool good = load_dir(dir, RESOURCES, 0);

	free(dir);
	return good || play_fail(p, "the directory cannot be read");
}

static bool given_resources_by_chance(struct player *p, struct bytes rest)
{
	(void)p;
	(void)rest;
	chance_resources(&world()->chance, world()->disk, RESOURCES);
	return true;
}

static void resource_path(char out[PATH_ROOM], struct bytes name)
{
	snprintf(out, PATH_ROOM, RESOURCES "/" BYTES_FMT, BYTES_ARG(name));
}

/* resource PATH, its text below */
static bool given_resource(struct player *p, struct bytes rest)
{
	char path[PATH_ROOM];
	struct text t;

	resource_path(path, rest);
	text_init(&t, SCRIPT_TEXT_MAX);
	for (unsigned i = 0; i < p->line->n_block; i++) {
		script_expand(p->script, p->case_index, p->line->block[i], &t);
		text_add_char(&t, '\n');
	}
	disk_put(world()->disk, path, text_bytes(&t));
	text_done(&t);
	return true;
}

static bool given_without_resource(struct player *p, struct bytes rest)
{
	char path[PATH_ROOM];

	resource_path(path, rest);
	if (disk_get(world()->disk, path).p == NULL) {
		return play_fail(p, "there is no such resource");
	}
	disk_remove(world()->disk, path);
	return true;
}

/* in PATH the text OLD becomes NEW, each on a line of the block */
static bool given_edit(struct player *p, struct bytes rest)
{
	char path[PATH_ROOM];
	struct text sides[2];
	struct text out;
	struct bytes now;
	const char *at = NULL;

	resource_path(path, rest);
	now = disk_get(world()->disk, path);
	if (now.p == NULL || p->line->n_block != 2) {
		return play_fail(p, "edit PATH, with the old and the new text on a line each");
	}
	text_init(&out, SCRIPT_TEXT_MAX);
	for (unsigned i = 0; i < 2; i++) {
		struct text raw;

		text_init(&raw, SCRIPT_TEXT_MAX);
		text_init(&sides[i], SCRIPT_TEXT_MAX);
		script_expand(p->script, p->case_index, p->line->block[i], &raw);
		IGNORE(script_value(text_bytes(&raw), &sides[i])); /* not found below when wrong */
		text_done(&raw);
	}
	at = memmem(now.p, now.n, sides[0].p, sides[0].n);
	if (at != NULL) {
		text_add(&out, now.p, (size_t)(at - now.p));
		text_add_bytes(&out, text_bytes(&sides[1]));
		text_add(&out, at + sides[0].n, now.n - (size_t)(at - now.p) - sides[0].n);
		disk_put(world()->disk, path, text_bytes(&out));
	}
	text_done(&out);
	text_done(&sides[0]);
	text_done(&sides[1]);
	return at != NULL || play_fail(p, "the old text is not in it");
}

/* disk STEP fails, disk STEP works */
static bool given_disk(struct player *p, struct bytes rest)
{
	enum disk_step step = disk_step_of(script_word(&rest));

	if (step == DISK_STEP_COUNT) {
		return play_fail(p, "there is no such step");
	}
	disk_fail(world()->disk, step, bytes_eq(rest, BYTES("fails")));
	return true;
}

/* reload; reload N times: each becomes live before the next. */
static bool given_reload(struct player *p, struct bytes rest)
{
	uint64_t n = 1;

	if (p->subject == NULL || p->ops->reload == NULL) {
		return play_fail(p, "nothing is there to reload");
	}
	if (rest.n != 0 && !play_number(p, script_word(&rest), &n)) {
		return false;
	}
	while (n-- > 1) {
		p->ops->reload(p->subject);
		if (!play_settle(p)) {
			return false;
		}
	}
	p->ops->reload(p->subject);
	return true;
}

static bool given_start(struct player *p, struct bytes rest)
{
	(void)rest;
	return play_start(p);
}

static bool given_drain(struct player *p, struct bytes rest)
{
	(void)rest;
	p->ops->drain(p->subject);
	return true;
}

/* Ends what still runs, as a process does whose time to drain is over. */
static bool given_cut(struct player *p, struct bytes rest)
{
	(void)rest;
	if (p->ops->gateway == NULL) {
		return play_fail(p, "this subject cannot do that");
	}
	gateway_cut(p->ops->gateway(p->subject));
	return true;
}

/* The process ends at once, whatever runs; the next line that needs one starts another. */
static bool given_stop(struct player *p, struct bytes rest)
{
	(void)rest;
	p->ops->stop(p->subject);
	p->subject = NULL;
	return true;
}

static bool given_descriptors(struct player *p, struct bytes rest)
{
	uint64_t n;

	if (bytes_eq(rest, BYTES("enough"))) {
		simnet_descriptors_left(world()->net, UINT32_MAX);
		return true;
	}
	if (!play_number(p, rest, &n)) {
		return false;
	}
	simnet_descriptors_left(world()->net, (unsigned)n);
	return true;
}

/* --- what is true ------------------------------------------------------------------------------- */

static bool time_passes(struct player *p, struct bytes rest)
{
	uint64_t ns;

	return play_start(p) && play_duration(p, rest, &ns) && play_pass(p, ns);
}

static bool compare(struct player *p, struct bytes rest, uint64_t got)
{
	struct bytes op = script_word(&rest);
	uint64_t n;
	bool good;

	if (!play_number(p, script_word(&rest), &n)) {
		return false;
	}
	good = bytes_eq(op, BYTES("<="))    ? got <= n
		: bytes_eq(op, BYTES(">=")) ? got >= n
					    : got == n;
	return good || play_fail(p, "it is %llu", (unsigned long long)got);
}

static bool want_memory(struct player *p, struct bytes rest)
{
	return compare(p, rest, p->ops->lent(p->subject));
}

static size_t heap_bytes(void)
{
	return mallinfo2().uordblks;
}

/* heap counts from here: what `heap grown` compares with. */
static bool given_heap(struct player *p, struct bytes rest)
{
	(void)rest;
	p->heap_before = heap_bytes();
	return true;
}

/* A sanitizer's allocator tells nothing; it has a judge of leaks of its own. */
static bool want_heap(struct player *p, struct bytes rest)
{
	size_t now = heap_bytes();

	return compare(p, rest, now > p->heap_before ? now - p->heap_before : 0);
}

static bool want_count(struct player *p, struct bytes rest)
{
	struct bytes name = script_word(&rest);
	uint64_t got;

	if (!p->ops->count(p->subject, name, &got)) {
		return play_fail(p, "there is no such counter");
	}
	return compare(p, rest, got);
}

static unsigned log_lines(struct bytes log)
{
	unsigned n = 0;

	for (size_t i = 0; i < log.n; i++) {
		n += log.p[i] == '\n';
	}
	return n;
}

static bool want_log(struct player *p, struct bytes rest)
{
	struct bytes log = p->ops->log(p->subject);
	struct bytes verb = script_word(&rest);
	struct bytes v;
	uint64_t n;
	bool found;

	if (bytes_eq(verb, BYTES("lines"))) {
		IGNORE(script_word(&rest)); /* = */
		return play_number(p, rest, &n) &&
			(log_lines(log) == n || play_fail_bytes(p, "lines", BYTES(""), log));
	}
	if (!play_value(p, rest, &v)) {
		return false;
	}
	found = memmem(log.p, log.n, v.p, v.n) != NULL;
	return found == bytes_eq(verb, BYTES("contains")) || play_fail_bytes(p, "log", v, log);
}

bool given_check_end(struct player *p)
{
	uint64_t exchanges;
	uint64_t probes = 0;

	if (!p->ops->count(p->subject, BYTES("exchanges"), &exchanges)) {
		return true;
	}
	IGNORE(p->ops->count(p->subject, BYTES("probes"), &probes)); /* there is such a number */
	return log_lines(p->ops->log(p->subject)) == exchanges + probes ||
		play_fail(p, "%u access lines for %llu exchanges",
			log_lines(p->ops->log(p->subject)),
			(unsigned long long)(exchanges + probes));
}

/* --- the table ---------------------------------------------------------------------------------- */

static const struct {
	const char *words;
	bool needs_subject;
	bool (*run)(struct player *p, struct bytes rest);
} lines[] = {
	{"world", false, given_world},
	{"client", false, given_client},
	{"upstream", false, given_upstream},
	{"name", false, given_name},
	{"set", false, given_set},
	{"resources by chance", false, given_resources_by_chance},
	{"resources", false, given_resources},
	{"resource", false, given_resource},
	{"without resource", false, given_without_resource},
	{"edit", false, given_edit},
	{"disk", false, given_disk},
	{"descriptors left", false, given_descriptors},
	{"reload", true, given_reload},
	{"start", false, given_start},
	{"drain", true, given_drain},
	{"cut", true, given_cut},
	{"stop", true, given_stop},
	{"bridge", false, bridging_set},
	{"the bridge of", true, bridging_expect},
	{"probe", false, probing_start},
	{"the probe", false, probing_expect},
	{"reach the list of", false, reaching_start_list},
	{"reach", false, reaching_start},
	{"it was reached", true, reaching_expect},
	{"time passes", false, time_passes},
	{"memory lent", true, want_memory},
	{"heap counts from here", true, given_heap},
	{"heap grown", true, want_heap},
	{"counter", true, want_count},
	{"log", true, want_log},
};

bool given_run(struct player *p, struct bytes text)
{
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct bytes words = bytes_str(lines[i].words);

		if (!bytes_starts(text, words) || (text.n > words.n && text.p[words.n] != ' ')) {
			continue;
		}
		if (lines[i].needs_subject && p->subject == NULL) {
			return play_fail(p, "nothing has started yet");
		}
		return lines[i].run(p, bytes_trim(bytes_of(text.p + words.n, text.n - words.n)));
	}
	return play_fail(p, "nobody knows what that means");
}
