/*
 * Order: the manifest and the images are written, then all are synced, which the device does together, then the
 * manifest gets its name, begun.json: from here on it is a journal. Its end is a rename, which cannot fail for
 * want of space. What was never named, or is being removed, is begun.json.new, and swept at the next start.
 *
 * Recovery compares hashes. When every file is as the change would have left it, the change is complete: it may
 * have been acknowledged. Else one that is as the change would have left it is put back, one that is as it was is
 * left, and so is one that is neither: somebody has written it since.
 *
 * A large image is the old file itself under a second name (a link): the change replaces that file by a rename, so
 * nothing writes into it any more. Small ones are copied: people write into them in place, and somebody may just
 * have it open.
 */
#define _GNU_SOURCE
#include "store/journal.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/num.h"
#include "wire/json.h"

#define MANIFEST "manifest.json"
#define BEGUN "begun.json"
/* As file_stage_begin and file_stage_sync call it. */
#define UNNAMED BEGUN ".new"
#define SYNCED BEGUN ".tmp"
#define SUFFIX ".yaml"
#define FORMAT "sluice-journal"
/* 9999-12-31T23:59:59.999999Z: ids have four digits for the year. */
#define LAST_US UINT64_C(253402300799999999)
#define LINK_MIN ((size_t)256 << 10)

bool journal_is_id(struct bytes t)
{
	static const char form[] =
		"dddddddd"
		"T"
		"dddddd"
		"Z-xxxxxx";

	static_assert(sizeof(form) - 1 == JOURNAL_ID_N, "an id has this form");
	if (t.n != JOURNAL_ID_N) {
		return false;
	}
	for (size_t i = 0; i < t.n; i++) {
		char c = t.p[i];
		bool ok = form[i] == 'd' ? ascii_digit(c)
			: form[i] == 'x' ? ascii_digit(c) || (c >= 'a' && c <= 'f')
					 : c == form[i];

		if (!ok) {
			return false;
		}
	}
	return true;
}

/* NUL-terminated. */
static const char *path_of(struct arena *a, const char *dir, const char *sub, const char *file)
{
	size_t n = strlen(dir) + strlen(sub) + strlen(file) + 3;
	char *p = arena_must(a, n);
	struct text t;

	text_init_fixed(&t, p, n);
	text_addf(&t, "%s/%s%s%s", dir, sub, *file != '\0' ? "/" : "", file);
	text_add_char(&t, '\0');
	return p;
}

const char *journal_path(
	struct arena *a, const char *root, enum resource_kind kind, struct bytes name)
{
	const char *dir = resource_dir(kind);
	size_t n = strlen(root) + strlen(dir) + name.n + sizeof(SUFFIX) + 2;
	char *p = arena_must(a, n);
	struct text t;

	text_init_fixed(&t, p, n);
	text_addf(&t, "%s/%s/" BYTES_FMT SUFFIX, root, dir, BYTES_ARG(name));
	text_add_char(&t, '\0');
	return p;
}

static void make_id(char out[JOURNAL_ID_N + 1], uint64_t now_us)
{
	time_t s = (time_t)(now_us / 1000000);
	struct tm tm = {0};
	char when[32];
	struct text t;

	gmtime_r(&s, &tm);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	text_init_fixed(&t, out, JOURNAL_ID_N + 1);
	text_addf(&t, "%s-%06x", when, (unsigned)(now_us % 1000000));
	text_add_char(&t, '\0');
}

/* The moment that an id names. */
static uint64_t time_of(struct bytes id)
{
	struct tm tm = {0};
	uint64_t us = 0;
	char when[16];

	memcpy(when, id.p, 15);
	when[15] = '\0';
	if (strptime(when, "%Y%m%dT%H%M%S", &tm) == NULL ||
		!num_parse_hex(bytes_of(id.p + 17, 6), 999999, &us)) {
		return 0;
	}
	return (uint64_t)timegm(&tm) * 1000000 + us;
}

/* Now, or right behind the newest: the order of names is the order of changes, whatever the clock does. A name
 * that is no moment, which no journal of ours has, says nothing; nor does the last one that can be written. */
static uint64_t next_time(struct arena *a, const char *backups)
{
	uint64_t now_us = clock_wall_ms() * 1000;
	struct strings ids;

	if (journal_list(a, backups, &ids, NULL) != 0) {
		return now_us;
	}
	for (size_t i = ids.n; i > 0; i--) {
		uint64_t newest = time_of(ids.v[i - 1]);

		if (newest != 0 && newest < LAST_US) {
			return MAX(now_us, newest + 1);
		}
	}
	return now_us;
}

/* --- manifest, written -------------------------------------------------------------------------- */

static void put_hash(
	struct json_writer *w, const char *key, bool there, const unsigned char *digest)
{
	char hex[DIGEST_HEX_SIZE];

	json_key(w, key);
	if (!there) {
		json_put_null(w);
		return;
	}
	digest_hex(hex, digest);
	json_put_string(w, bytes_of(hex, sizeof(hex)));
}

static void put_text(struct json_writer *w, const char *key, struct bytes value)
{
	json_key(w, key);
	json_put_string(w, value);
}

/* Its name says whether the change is complete. */
static void write_manifest(const struct journal *j, struct text *out)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_open_object(&w);
	put_text(&w, "format", BYTES(FORMAT));
	json_key(&w, "version");
	json_put_u64(&w, 1);
	put_text(&w, "id", bytes_str(j->id));
	put_text(&w, "state", BYTES("done"));
	json_key(&w, "named");
	json_put_bool(&w, j->named);
	json_key(&w, "time");
	json_put_i64(&w, j->time_s);
	put_text(&w, "actor", j->actor);
	put_text(&w, "peer", j->peer);
	put_text(&w, "what", j->what);
	put_text(&w, "reason", j->reason);
	json_key(&w, "files");
	json_open_array(&w);
	for (size_t i = 0; i < j->n; i++) {
		const struct journal_file *f = &j->files[i];

		json_open_object(&w);
		put_text(&w, "kind", bytes_str(resource_dir(f->kind)));
		put_text(&w, "name", f->name);
		json_key(&w, "mode");
		json_put_u64(&w, f->mode);
		put_hash(&w, "before", f->had, f->before);
		put_hash(&w, "after", f->has, f->after);
		json_close_object(&w);
	}
	json_close_array(&w);
	json_close_object(&w);
	text_add_char(out, '\n');
}

static int write_image(
	struct journal_file *f, struct arena *a, const char *dir, struct fault *fault)
{
	const char *path = journal_path(a, dir, f->kind, f->name);
	int rc = file_make_dir(path_of(a, dir, resource_dir(f->kind), ""), 0700, fault);

	if (rc == 0 && f->path != NULL && f->old.n >= LINK_MIN &&
		file_link(f->path, path, NULL) == 0) {
		return 0;
	}
	return rc == 0 ? file_stage_begin(&f->image, path, f->old, 0600, fault) : rc;
}

static int write_begun(struct journal *j, struct arena *a, struct fault *fault)
{
	struct text t;
	int rc;

	text_init(&t, JOURNAL_MANIFEST_MAX);
	write_manifest(j, &t);
	rc = text_full(&t) ? (int)fault_set(fault, ERR_LIMIT, 0, 0,
				     "the change touches too many files for one journal")
			   : file_stage_begin(&j->begun, path_of(a, j->dir, BEGUN, ""),
				     text_bytes(&t), 0600, fault);
	text_done(&t);
	return rc;
}

/* The directories above the first backup ever are to outlive a loss of power, too. */
static int make_backups(struct arena *a, const char *backups, struct fault *fault)
{
	struct bytes rest = bytes_str(backups);
	struct file_stat st;
	int rc = file_stat(backups, &st);

	if (rc != 0 || st.exists) {
		return 0; /* what else is wrong with it is found out next */
	}
	rc = file_make_dir(backups, 0700, fault);
	while (rc == 0 && rest.n > 1) {
		do {
			rest.n--;
		} while (rest.n > 1 && rest.p[rest.n] != '/');
		IGNORE(file_sync_dir(arena_copy(a, rest).p, NULL)); /* one that is not ours */
	}
	return rc;
}

void journal_hash(struct journal_file *f)
{
	digest_sha256(f->before, f->old);
	digest_sha256(f->after, f->text);
}

int journal_begin(struct journal *j, struct arena *a, const char *backups, struct fault *fault)
{
	uint64_t now_us = next_time(a, backups);
	int rc = make_backups(a, backups, fault);

	make_id(j->id, now_us);
	j->dir = path_of(a, backups, j->id, "");
	j->time_s = (int64_t)(now_us / 1000000);
	rc = rc == 0 ? file_make_dir(j->dir, 0700, fault) : rc;
	rc = rc == 0 ? write_begun(j, a, fault) : rc;
	for (size_t i = 0; i < j->n && rc == 0; i++) {
		rc = j->files[i].had ? write_image(&j->files[i], a, j->dir, fault) : 0;
	}
	if (rc != 0) {
		journal_drop(j, a, backups);
	}
	return rc;
}

static int sync_images(struct journal *j, struct arena *a, struct fault *fault)
{
	bool in[RESOURCE_KIND_COUNT] = {false};
	int rc = 0;

	for (size_t i = 0; i < j->n && rc == 0; i++) {
		in[j->files[i].kind] = in[j->files[i].kind] || j->files[i].had;
		if (j->files[i].image.open) {
			rc = file_stage_sync(&j->files[i].image, fault);
			rc = rc == 0 ? file_stage_rename(&j->files[i].image, fault) : rc;
		}
	}
	for (int k = 0; k < RESOURCE_KIND_COUNT && rc == 0; k++) {
		rc = in[k]
			? file_sync_dir(path_of(a, j->dir, resource_dir((enum resource_kind)k), ""),
				  fault)
			: 0;
	}
	return rc;
}

int journal_sync(struct journal *j, struct arena *a, const char *backups, struct fault *fault)
{
	int rc = sync_images(j, a, fault);

	rc = rc == 0 ? file_stage_sync(&j->begun, fault) : rc;
	rc = rc == 0 ? file_stage_rename(&j->begun, fault) : rc;
	rc = rc == 0 ? file_sync_dir(j->dir, fault) : rc;
	return rc == 0 ? file_sync_dir(backups, fault) : rc;
}

int journal_end(struct journal *j, struct arena *a, struct fault *fault)
{
	return file_rename(path_of(a, j->dir, BEGUN, ""), path_of(a, j->dir, MANIFEST, ""), fault);
}

struct sweep {
	struct arena *arena;
	const char *dir;
};

static bool on_left(void *arg, const char *name)
{
	const struct sweep *s = arg;

	IGNORE(file_remove(path_of(s->arena, s->dir, name, "")));
	return true;
}

/* What cannot be removed is only in the way. */
static void sweep(struct arena *a, const char *dir)
{
	for (int k = 0; k < RESOURCE_KIND_COUNT; k++) {
		struct sweep s = {a, path_of(a, dir, resource_dir((enum resource_kind)k), "")};

		IGNORE(file_list(s.dir, on_left, &s, NULL));
		IGNORE(file_remove_dir(s.dir));
	}
	IGNORE(file_remove(path_of(a, dir, UNNAMED, "")));
	IGNORE(file_remove(path_of(a, dir, SYNCED, "")));
	IGNORE(file_remove_dir(dir));
}

void journal_drop(struct journal *j, struct arena *a, const char *backups)
{
	const char *dir = path_of(a, backups, j->id, "");
	const char *unnamed = path_of(a, dir, UNNAMED, "");

	for (size_t i = 0; i < j->n; i++) {
		file_stage_drop(&j->files[i].image);
	}
	/* First of all it is no journal any more. */
	IGNORE(file_rename(path_of(a, dir, BEGUN, ""), unnamed, NULL));
	IGNORE(file_rename(path_of(a, dir, MANIFEST, ""), unnamed, NULL));
	sweep(a, dir);
	file_stage_drop(&j->begun);
}

/* --- manifest, read ----------------------------------------------------------------------------- */

struct ids {
	struct arena *arena;
	struct strings *out;
	size_t cap;
	bool full;
};

static bool on_id(void *arg, const char *name)
{
	struct ids *ids = arg;
	struct bytes *more;

	if (!journal_is_id(bytes_str(name))) {
		return true;
	}
	if (ids->out->n == ids->cap) {
		ids->cap = MAX(ids->cap * 2, 64u);
		more = arena_alloc(ids->arena, ids->cap * sizeof(*more));
		if (more == NULL) {
			ids->full = true;
			return false;
		}
		if (ids->out->n != 0) {
			memcpy(more, ids->out->v, ids->out->n * sizeof(*more));
		}
		ids->out->v = more;
	}
	ids->out->v[ids->out->n++] = arena_copy(ids->arena, bytes_str(name));
	return true;
}

int journal_list(struct arena *a, const char *backups, struct strings *out, struct fault *fault)
{
	struct ids ids = {.arena = a, .out = out};
	int rc;

	*out = (struct strings){.n = 0};
	rc = file_list(backups, on_id, &ids, fault);
	if (rc == ERR_NOT_FOUND) {
		return 0;
	}
	return ids.full ? (int)fault_set(fault, ERR_LIMIT, 0, 0, "there are too many backups") : rc;
}

static int hex_digit(char c)
{
	return ascii_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* null: there was none. */
static bool read_hash(const struct json_value *v, bool *there, unsigned char *out)
{
	struct bytes t = json_text(v, BYTES(""));

	if (v != NULL && v->type == JSON_NULL) {
		*there = false;
		return true;
	}
	if (t.n != DIGEST_HEX_SIZE) {
		return false;
	}
	for (size_t i = 0; i < DIGEST_SHA256_SIZE; i++) {
		int high = hex_digit(t.p[2 * i]);
		int low = hex_digit(t.p[2 * i + 1]);

		if (high < 0 || low < 0) {
			return false;
		}
		out[i] = (unsigned char)(high * 16 + low);
	}
	*there = true;
	return true;
}

static bool is_file_name(struct bytes n)
{
	return n.n != 0 && n.n < 256 && memchr(n.p, '/', n.n) == NULL &&
		memchr(n.p, '\0', n.n) == NULL;
}

static bool read_file(const struct json_value *v, struct journal_file *f)
{
	const struct json_value *mode = json_get(v, "mode");
	int kind = resource_kind_of_dir(json_text(json_get(v, "kind"), BYTES("")));
	uint64_t bits = 0;

	*f = (struct journal_file){.name = json_text(json_get(v, "name"), BYTES(""))};
	if (kind < 0 || !is_file_name(f->name) || mode == NULL || mode->type != JSON_NUMBER ||
		!json_number_u64(mode->text, &bits) || bits > 07777) {
		return false;
	}
	f->kind = (enum resource_kind)kind;
	f->mode = (unsigned)bits & 0777u; /* a resource is no program */
	return read_hash(json_get(v, "before"), &f->had, f->before) &&
		read_hash(json_get(v, "after"), &f->has, f->after);
}

static bool read_files(struct journal *j, struct arena *a, const struct json_value *list)
{
	if (list == NULL || list->type != JSON_ARRAY) {
		return false;
	}
	j->files = arena_alloc(a, (list->n + 1) * sizeof(*j->files));
	if (j->files == NULL) {
		return false;
	}
	for (const struct json_value *v = list->items; v != NULL; v = v->next) {
		if (!read_file(v, &j->files[j->n++])) {
			return false;
		}
	}
	return true;
}

static bool fill(struct journal *j, struct arena *a, const struct json_value *v)
{
	const struct json_value *time = json_get(v, "time");
	const struct json_value *named = json_get(v, "named");
	struct bytes state = json_text(json_get(v, "state"), BYTES(""));
	uint64_t s;

	if (!bytes_eq(json_text(json_get(v, "format"), BYTES("")), BYTES(FORMAT)) || time == NULL ||
		time->type != JSON_NUMBER || !json_number_u64(time->text, &s) || s > INT64_MAX) {
		return false;
	}
	j->time_s = (int64_t)s;
	j->state = bytes_eq(state, BYTES("done")) ? JOURNAL_DONE : JOURNAL_BEGUN;
	j->named = named != NULL && named->type == JSON_TRUE;
	j->actor = json_text(json_get(v, "actor"), BYTES(""));
	j->peer = json_text(json_get(v, "peer"), BYTES(""));
	j->what = json_text(json_get(v, "what"), BYTES(""));
	j->reason = json_text(json_get(v, "reason"), BYTES(""));
	return read_files(j, a, json_get(v, "files"));
}

static int read_manifest(struct journal *j, struct arena *a, const char *name, struct fault *fault)
{
	const struct json_value *v;
	struct bytes kept;
	struct text t;
	int rc;

	text_init(&t, JOURNAL_MANIFEST_MAX);
	rc = file_read(path_of(a, j->dir, name, ""), JOURNAL_MANIFEST_MAX, &t, NULL, fault);
	kept = arena_copy(a, text_bytes(&t));
	text_done(&t);
	if (rc != 0) {
		return rc;
	}
	v = kept.p != NULL ? json_parse(a, kept, fault) : NULL;
	return v != NULL && fill(j, a, v)
		? 0
		: (int)fault_set(fault, ERR_SYNTAX, 0, 0,
			  "the manifest of backup %s cannot be understood", j->id);
}

int journal_read(struct journal *j, struct arena *a, const char *backups, struct bytes id,
	struct fault *fault)
{
	struct journal got = {.n = 0};
	int rc;

	if (!journal_is_id(id)) {
		return (int)fault_set(
			fault, ERR_NOT_FOUND, 404, 0, "there is no backup of that name");
	}
	memcpy(got.id, id.p, JOURNAL_ID_N);
	got.dir = path_of(a, backups, got.id, "");
	rc = read_manifest(&got, a, MANIFEST, fault);
	if (rc == ERR_NOT_FOUND) {
		rc = read_manifest(&got, a, BEGUN, fault);
		got.state = JOURNAL_BEGUN;
	}
	if (rc == 0) {
		*j = got;
	}
	return rc;
}

int journal_image(const char *backups, const struct journal *j, const struct journal_file *f,
	struct text *out, struct fault *fault)
{
	unsigned char digest[DIGEST_SHA256_SIZE];
	size_t before = out->n;
	struct arena a;
	int rc;

	arena_init(&a, 65536);
	rc = file_read(journal_path(&a, path_of(&a, backups, j->id, ""), f->kind, f->name),
		RESOURCE_FILE_MAX, out, NULL, fault);
	arena_done(&a);
	if (rc != 0) {
		return rc;
	}
	digest_sha256(digest, bytes_of(out->p + before, out->n - before));
	if (memcmp(digest, f->before, sizeof(digest)) != 0) {
		out->n = before;
		return (int)fault_set(fault, ERR_SYNTAX, 0, 0,
			"an image of backup %s is not what was written into it", j->id);
	}
	return 0;
}

/* --- recovery ----------------------------------------------------------------------------------- */

struct recovery {
	const char *root, *backups;
	struct arena *arena;
	struct findings *findings;
	struct journal journal;
	bool failed;
};

static void tell(struct recovery *r, const struct journal_file *f, enum finding_level level,
	const char *what)
{
	char label[600];
	struct text t;
	struct finding at = {.level = level, .code = "journal"};

	text_init_fixed(&t, label, sizeof(label));
	text_addf(&t, "%s/" BYTES_FMT SUFFIX, resource_dir(f->kind), BYTES_ARG(f->name));
	at.file = text_bytes(&t);
	findings_add(r->findings, &at, "%s (" BYTES_FMT ", backup %s)", what,
		BYTES_ARG(r->journal.what), r->journal.id);
}

/* Whether the file is what the hash says; 0 when it cannot be read: then it is neither. */
static bool is(const char *path, bool there, const unsigned char *hash)
{
	unsigned char digest[DIGEST_SHA256_SIZE];
	struct text t;
	int rc;

	text_init(&t, RESOURCE_FILE_MAX);
	rc = file_read(path, RESOURCE_FILE_MAX, &t, NULL, NULL);
	digest_sha256(digest, text_bytes(&t));
	text_done(&t);
	return rc == ERR_NOT_FOUND ? !there
				   : rc == 0 && there && memcmp(digest, hash, sizeof(digest)) == 0;
}

static int put_back(struct recovery *r, const struct journal_file *f, const char *path)
{
	struct fault fault;
	struct text t;
	int rc;

	if (!f->had) {
		rc = file_remove(path);
		return rc == ERR_NOT_FOUND ? 0 : rc;
	}
	text_init(&t, RESOURCE_FILE_MAX);
	rc = journal_image(r->backups, &r->journal, f, &t, &fault);
	rc = rc == 0 ? file_write_atomic(path, text_bytes(&t), f->mode, &fault) : rc;
	text_done(&t);
	return rc;
}

/* The temporaries of the process that ended went with the locks it no longer holds. */
static void remove_orphans(const char *path)
{
	struct file_stage orphan = {.open = false};

	if (file_stage(&orphan, path, BYTES(""), 0600, NULL) == 0) {
		file_stage_drop(&orphan);
	}
	if (file_stage_begin(&orphan, path, BYTES(""), 0600, NULL) == 0) {
		file_stage_drop(&orphan);
	}
}

static void recover_file(struct recovery *r, const struct journal_file *f)
{
	const char *path = journal_path(r->arena, r->root, f->kind, f->name);

	remove_orphans(path);
	if (is(path, f->had, f->before)) {
		return;
	}
	if (!is(path, f->has, f->after)) {
		tell(r, f, FINDING_WARNING,
			"was being changed when the program ended, and somebody has written it since: it "
			"is left as it is");
	} else if (put_back(r, f, path) == 0) {
		tell(r, f, FINDING_INFO,
			"is put back: the program ended before the change it belongs to was complete");
	} else {
		tell(r, f, FINDING_ERROR,
			"cannot be put back as it was before a change that was not completed; restore it "
			"from the backup");
		r->failed = true;
	}
}

/* It ended before there was a journal, so nothing was changed; but what was to be may lie about. What nobody began
 * to write is somebody else's. */
static void sweep_unnamed(struct recovery *r, struct bytes id)
{
	static const char *const names[] = {UNNAMED, SYNCED};
	struct arena *a = r->arena;
	struct journal left = {.dir = path_of(a, r->backups, arena_copy(a, id).p, "")};
	bool ours = false;
	struct fault fault;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		int rc = read_manifest(&left, a, names[i], &fault);

		ours = ours || rc != ERR_NOT_FOUND;
		for (size_t k = 0; k < left.n && rc == 0; k++) {
			const struct journal_file *f = &left.files[k];

			remove_orphans(journal_path(a, r->root, f->kind, f->name));
		}
		left.n = 0;
	}
	if (ours) {
		sweep(a, left.dir);
	} else {
		IGNORE(file_remove_dir(left.dir)); /* an empty one */
	}
}

static bool is_complete(const struct recovery *r)
{
	for (size_t i = 0; i < r->journal.n; i++) {
		const struct journal_file *f = &r->journal.files[i];

		if (!is(journal_path(r->arena, r->root, f->kind, f->name), f->has, f->after)) {
			return false;
		}
	}
	return true;
}

/* What was put back is there before the journal is gone. */
static void sync_kinds(const struct recovery *r)
{
	for (int k = 0; k < RESOURCE_KIND_COUNT; k++) {
		IGNORE(file_sync_dir(
			path_of(r->arena, r->root, resource_dir((enum resource_kind)k), ""), NULL));
	}
}

static void recover_one(struct recovery *r, struct bytes id)
{
	struct finding at = {.level = FINDING_ERROR, .file = id, .code = "journal"};
	struct fault fault;
	int rc = journal_read(&r->journal, r->arena, r->backups, id, &fault);

	if (rc == ERR_NOT_FOUND) {
		sweep_unnamed(r, id);
		return;
	}
	if (rc != 0) {
		findings_add(r->findings, &at, "%s", fault.text);
		return;
	}
	if (r->journal.state == JOURNAL_DONE) {
		return;
	}
	if (is_complete(r) && journal_end(&r->journal, r->arena, &fault) == 0) {
		return;
	}
	r->failed = false;
	for (size_t i = r->journal.n; i > 0; i--) {
		recover_file(r, &r->journal.files[i - 1]);
	}
	if (!r->failed) {
		sync_kinds(r);
		journal_drop(&r->journal, r->arena, r->backups);
	}
}

int journal_recover(const char *root, const char *backups, struct findings *findings)
{
	struct arena a;
	struct recovery r = {.root = root, .backups = backups, .arena = &a, .findings = findings};
	struct strings ids;
	struct fault fault;
	int rc;

	arena_init(&a, (size_t)1 << 30);
	rc = journal_list(&a, backups, &ids, &fault);
	/* The newest first: a file that two of them touched gets the older image in the end. */
	for (size_t i = ids.n; rc == 0 && i > 0; i--) {
		struct arena_mark mark = arena_mark(&a);

		recover_one(&r, ids.v[i - 1]);
		arena_rewind(&a, &mark);
	}
	if (rc != 0) {
		findings_add(findings,
			&(struct finding){.level = FINDING_ERROR,
				.file = BYTES("backups"),
				.code = "journal"},
			"%s", fault.text);
	}
	arena_done(&a);
	return rc;
}
