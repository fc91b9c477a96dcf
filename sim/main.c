/*
 * The runner of scenarios: sluice-sim [--seed N] FILE-or-DIRECTORY...
 * Every file is one scenario; each of its cases is played under several seeds.
 *
 * And of trials (sim/trial.h): sluice-sim [--seed N] --trials COUNT, which plays those that the seeds from N on make, and
 * sluice-sim --trial SEED for one of them, told as a story.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "net/tls.h"
#include "sim/player.h"
#include "sim/trial.h"

#define SEEDS_DEFAULT 8u
#define FAILURE_ROOM 16384u

struct run {
	uint64_t only_seed;      /* 0: all */
	uint64_t trials, trial;  /* 0: none */
	unsigned passed, failed; /* scenarios */
	unsigned trials_passed, trials_failed;
	bool verbose;
};

/* One case under one seed; false: it failed, and why is said. */
static bool play_once(const struct run *r, const struct script *s, unsigned c, uint64_t seed)
{
	struct text failure;
	bool good;

	text_init(&failure, FAILURE_ROOM);
	good = play(s, c, seed, &failure);
	if (!good) {
		printf("%s\n", text_cstr(&failure));
		printf("    in case %u under seed %llu: sluice-sim --seed %llu %s\n", c + 1,
			(unsigned long long)seed, (unsigned long long)seed, s->path);
	}
	text_done(&failure);
	(void)r;
	return good;
}

static bool play_all(const struct run *r, const struct script *s)
{
	unsigned seeds = s->seeds == 0 ? SEEDS_DEFAULT : s->seeds;

	for (unsigned c = 0; c < s->n_cases; c++) {
		if (r->only_seed != 0) {
			if (!play_once(r, s, c, r->only_seed)) {
				return false;
			}
			continue;
		}
		for (uint64_t seed = 1; seed <= seeds; seed++) {
			if (!play_once(r, s, c, seed)) {
				return false;
			}
		}
	}
	return true;
}

static void run_file(struct run *r, const char *path)
{
	struct script *s = script_read(path);
	bool good = s != NULL && play_all(r, s);

	if (good) {
		r->passed++;
	} else {
		r->failed++;
	}
	if (r->verbose) {
		printf("%s %s\n", good ? "ok    " : "FAILED", path);
	}
	fflush(stdout);
	if (s != NULL) {
		script_free(s);
	}
}

static int is_scenario(const struct dirent *e)
{
	return bytes_ends(bytes_str(e->d_name), BYTES(".sim"));
}

static void run_path(struct run *r, const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, is_scenario, alphasort);

	if (n < 0) {
		run_file(r, path);
		return;
	}
	for (int i = 0; i < n; i++) {
		char *file = NULL;

		if (asprintf(&file, "%s/%s", path, names[i]->d_name) >= 0) {
			run_file(r, file);
		}
		free(file);
		free(names[i]);
	}
	free(names);
}

/* False: it is none of the options, or lacks its number. */
static bool read_option(struct run *r, int argc, char **argv, int *i)
{
	const struct {
		const char *name;
		uint64_t *number;
	} all[] = {{"--seed", &r->only_seed}, {"--trials", &r->trials}, {"--trial", &r->trial}};

	if (strcmp(argv[*i], "-v") == 0) {
		r->verbose = true;
		return true;
	}
	for (size_t k = 0; k < ARRAY_LEN(all); k++) {
		if (strcmp(argv[*i], all[k].name) == 0 && *i + 1 < argc) {
			return num_parse_u64(bytes_str(argv[++*i]), UINT64_MAX, all[k].number);
		}
	}
	return false;
}

static void run_trials(struct run *r)
{
	uint64_t first = r->only_seed != 0 ? r->only_seed : 1;
	unsigned n = (unsigned)MIN(r->trials, UINT32_MAX);
	unsigned failed =
		r->trial != 0 ? trial_run(r->trial, 1, true) : trial_run(first, n, r->verbose);

	if (n != 0) {
		printf("trials of the seeds from %llu on\n", (unsigned long long)first);
	}
	n += r->trial != 0;
	printf("%u trials passed, %u failed\n", n - failed, failed);
	r->trials_passed = n - failed;
	r->trials_failed = failed;
}

int main(int argc, char **argv)
{
	struct run r = {.passed = 0};
	struct fault fault;
	int i = 1;

	log_init(LOG_ERROR, LOG_TEXT);
	/* Workers make a TLS context whether a story uses it or not. */
	if (tls_global_init(NULL, &fault) != 0) {
		fprintf(stderr, "sluice-sim: %s\n", fault.text);
		return 1;
	}
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!read_option(&r, argc, argv, &i)) {
			fprintf(stderr,
				"usage: sluice-sim [-v] [--seed N] FILE-OR-DIRECTORY...\n"
				"       sluice-sim [-v] [--seed N] --trials COUNT | --trial SEED\n");
			return 2;
		}
	}
	if (r.trials != 0 || r.trial != 0) {
		run_trials(&r);
	}
	for (int k = i; k < argc; k++) {
		run_path(&r, argv[k]);
	}
	if (i < argc) {
		printf("%u scenarios passed, %u failed\n", r.passed, r.failed);
	}
	if (r.failed + r.trials_failed != 0) {
		/* A failed run leaves the product as it was: a report of leaks would hide the reason. */
		fflush(stdout);
		_exit(1);
	}
	return r.passed + r.trials_passed != 0 ? 0 : 1;
}
