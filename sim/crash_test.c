/*
 * The real commit and the real recovery on the simulated disk, killed right before each of the changes that they
 * make there: whatever was done until then, the next start finds all files as they were or all as they shall be.
 * The same when the power goes, which takes with it whatever was not synced.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim/disk.h"
#include "sim/world.h"
#include "store/backup.h"
#include "store/commit.h"
#include "store/journal.h"

#define DATA "/data"
#define ROOT DATA "/resources"
#define BACKUPS DATA "/state/backups"
/* Above this the image of a file is a link (store/journal.c). */
#define LARGE ((size_t)300 << 10)
#define STOPS_MAX 400u
#ifdef __SANITIZE_ADDRESS__ /* slower, and it looks for something else */
#define POWER_SEEDS 4u
#else
#define POWER_SEEDS 12u
#endif

static const char *const paths[] = {ROOT "/configmaps/domain-a.com.yaml",
	ROOT "/configmaps/domain-b.com.yaml", ROOT "/ingresses/c.yaml", ROOT "/secrets/d.yaml"};
#define PATHS ARRAY_LEN(paths)

struct story {
	bool power;   /* it is lost, else the process is killed */
	bool large;   /* one file is */
	bool refuse;  /* the plan on trial is refused */
	size_t stop;  /* before which change of the commit; 0: none */
	size_t again; /* before which change of the recovery; 0: none */
	uint64_t seed;
};

struct texts {
	char *v[PATHS]; /* NULL: there is no such file */
};

/* --- the change ------------------------------------------------------------------------------------ */

static enum op_rc operate(void *arg, struct op *o)
{
	struct doc *root = draft_need(&o->draft, RESOURCE_CONFIGMAP, BYTES("domain-a.com"));

	(void)arg;
	doc_set(o->arena, doc_need_map(o->arena, root, "data"), "enableHttps",
		doc_str(o->arena, "on"));
	draft_need(&o->draft, RESOURCE_CONFIGMAP, BYTES("domain-b.com"));
	draft_remove(&o->draft, RESOURCE_INGRESS, BYTES("c"));
	draft_need(&o->draft, RESOURCE_SECRET, BYTES("d")); /* in a directory that is new, too */
	return OP_OK;
}

static void *trial(void *arg, struct snapshot *s, struct text *why)
{
	const struct story *story = arg;
	static int plan;

	(void)s;
	if (story->refuse) {
		text_add_str(why, "no");
		return NULL;
	}
	return &plan;
}

static void drop(void *arg, void *plan)
{
	(void)arg;
	(void)plan;
}

static enum commit_rc run_commit(const struct story *story)
{
	struct directory *d = directory_new(ROOT);
	struct story given = *story;
	struct commit c = {.directory = d,
		.root = ROOT,
		.backups = BACKUPS,
		.who = {BYTES("admin"), BYTES("peer"), BYTES("PUT /x")},
		.now_s = 1700000000,
		.again = true,
		.operate = operate,
		.trial = trial,
		.drop = drop,
		.trial_arg = &given};
	enum commit_rc rc;

	commit_run(&c);
	rc = c.rc;
	commit_done(&c);
	directory_free(d);
	return rc;
}

/* --- the world ------------------------------------------------------------------------------------- */

static void begin_world(const struct story *story)
{
	struct disk *d;
	struct text t;

	world_begin(story->seed);
	d = world()->disk;
	text_init(&t, LARGE * 2);
	text_add_str(&t, "kind: ConfigMap\ndata:\n  domain: a.com\n");
	while (story->large && t.n < LARGE) {
		text_add_str(&t, "# what somebody noted, again and again\n");
	}
	disk_put(d, paths[0], text_bytes(&t));
	text_done(&t);
	disk_put(d, paths[2], BYTES("kind: Ingress\nspec:\n  rules: []\n"));
}

static void take_texts(struct texts *t)
{
	for (size_t i = 0; i < PATHS; i++) {
		struct bytes content = disk_get(world()->disk, paths[i]);

		t->v[i] = content.p != NULL ? bytes_dup(content) : NULL;
	}
}

static void free_texts(struct texts *t)
{
	for (size_t i = 0; i < PATHS; i++) {
		free(t->v[i]);
	}
}

static bool texts_equal(const struct texts *x, const struct texts *y)
{
	for (size_t i = 0; i < PATHS; i++) {
		if ((x->v[i] == NULL) != (y->v[i] == NULL) ||
			(x->v[i] != NULL && strcmp(x->v[i], y->v[i]) != 0)) {
			return false;
		}
	}
	return true;
}

/* What went wrong beside the files themselves, in words; NULL: nothing. Killed by disk_stop_at, it says nothing. */
static const char *recover(void)
{
	const char *wrong = NULL;
	struct findings found;
	struct arena a;
	int rc;

	arena_init(&a, 1 << 24);
	findings_init(&found, &a);
	rc = commit_recover(ROOT, BACKUPS, &found);
	if (!disk_stopped(world()->disk)) {
		wrong = rc != 0             ? "the recovery failed"
			: found.errors != 0 ? "the recovery found an error"
					    : NULL;
		for (const struct finding *f = found.first; f != NULL; f = f->next) {
			wrong = f->level == FINDING_WARNING ? "the recovery found another writer"
							    : wrong;
		}
	}
	arena_done(&a);
	return wrong;
}

/* --- what is checked -------------------------------------------------------------------------------- */

static bool on_name(void *arg, const char *name)
{
	bool *left = arg;

	*left = *left || !bytes_ends(bytes_str(name), BYTES(".yaml"));
	return true;
}

static bool has_temporaries(void)
{
	bool left = false;

	for (int k = 0; k < RESOURCE_KIND_COUNT; k++) {
		char dir[100];
		struct text t;

		text_init_fixed(&t, dir, sizeof(dir));
		text_addf(&t, ROOT "/%s", resource_dir((enum resource_kind)k));
		IGNORE(file_list(text_cstr(&t), on_name, &left, NULL));
	}
	return left;
}

/* A kill leaves a journal that has ended or none; of the power we promise no more than the files. */
static const char *find_rests(void)
{
	struct backup_entries list;
	struct strings ids;
	struct fault f;
	struct arena a;
	bool left = false;

	arena_init(&a, 1 << 24);
	if (journal_list(&a, BACKUPS, &ids, &f) != 0 || backup_list(&a, BACKUPS, &list, &f) != 0) {
		arena_done(&a);
		return "the backups cannot be listed";
	}
	left = ids.n != list.n;
	for (size_t i = 0; i < list.n; i++) {
		left = left || list.v[i].begun;
	}
	arena_done(&a);
	if (has_temporaries()) {
		return "there is a temporary of nobody";
	}
	return left ? "there is a journal that is none" : NULL;
}

struct ends {
	struct texts before, after;
};

static const char *judge(const struct story *story, const struct ends *ends, enum commit_rc rc)
{
	const char *wrong = recover();
	struct texts now;

	take_texts(&now);
	if (wrong != NULL) {
		/* said already */
	} else if (texts_equal(&now, &ends->after)) {
		wrong = story->refuse ? "a change that was refused is there" : NULL;
	} else if (!texts_equal(&now, &ends->before)) {
		wrong = "the files are neither as before nor as after";
	} else if (rc == COMMIT_DONE) {
		wrong = "a change that was acknowledged is gone";
	}
	if (wrong == NULL && !story->power) {
		wrong = find_rests();
	}
	free_texts(&now);
	return wrong;
}

/* True: the story went to its end without being stopped where it says. */
static bool play(const struct story *story, const struct ends *ends)
{
	struct story next = {.seed = 1};
	const char *wrong;
	enum commit_rc rc;
	bool whole;

	begin_world(story);
	disk_stop_at(world()->disk, story->stop);
	rc = run_commit(story);
	whole = !disk_stopped(world()->disk);
	disk_restart(world()->disk, story->power);
	world_clock_move(10000000000u);
	if (story->again != 0) {
		disk_stop_at(world()->disk, story->again);
		wrong = recover();
		whole = !disk_stopped(world()->disk);
		disk_restart(world()->disk, story->power);
		world_clock_move(10000000000u);
	}
	wrong = judge(story, ends, rc);
	if (wrong == NULL && run_commit(&next) != COMMIT_DONE) {
		wrong = "no change is possible afterwards";
	}
	world_end();
	if (wrong != NULL) {
		fail_msg(
			"stopped before change %zu of the commit, then before %zu of the recovery, %s, "
			"seed %lu: %s",
			story->stop, story->again, story->power ? "power lost" : "killed",
			(unsigned long)story->seed, wrong);
	}
	return whole;
}

static void begin_ends(struct ends *ends, bool large)
{
	struct story story = {.large = large, .seed = 1};

	begin_world(&story);
	take_texts(&ends->before);
	assert_int_equal(run_commit(&story), COMMIT_DONE);
	take_texts(&ends->after);
	world_end();
	assert_false(texts_equal(&ends->before, &ends->after));
}

static void end_ends(struct ends *ends)
{
	free_texts(&ends->before);
	free_texts(&ends->after);
}

/* --- tests ----------------------------------------------------------------------------------------- */

/* How many changes the commit makes. */
static size_t stop_everywhere(struct story story, bool again)
{
	struct ends ends;
	bool whole = false;

	begin_ends(&ends, story.large);
	for (story.stop = 1; !whole; story.stop++) {
		bool recovered = !again;

		assert_true(story.stop < STOPS_MAX);
		story.again = 0;
		whole = play(&story, &ends);
		for (story.again = 1; !recovered; story.again++) {
			assert_true(story.again < STOPS_MAX);
			recovered = play(&story, &ends);
		}
	}
	end_ends(&ends);
	return story.stop - 2;
}

static void a_kill_leaves_old_or_new(void **state)
{
	(void)state;
	assert_true(stop_everywhere((struct story){.seed = 1}, false) > 20);
	assert_true(stop_everywhere((struct story){.seed = 1, .large = true}, false) > 20);
}

static void a_kill_of_the_recovery_too(void **state)
{
	(void)state;
	stop_everywhere((struct story){.seed = 1}, true);
}

static void a_refusal_leaves_nothing(void **state)
{
	(void)state;
	stop_everywhere((struct story){.seed = 1, .refuse = true}, false);
}

static void a_loss_of_power_leaves_old_or_new(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= POWER_SEEDS; seed++) {
		stop_everywhere((struct story){.power = true, .seed = seed}, true);
		stop_everywhere((struct story){.power = true, .large = true, .seed = seed}, false);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kill_leaves_old_or_new),
		cmocka_unit_test(a_kill_of_the_recovery_too),
		cmocka_unit_test(a_refusal_leaves_nothing),
		cmocka_unit_test(a_loss_of_power_leaves_old_or_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
