/*
 * What a provider's entry says about attempts that fail: failover of its tokens, retryOnFailure (data-plane.md
 * §9.2, §9.3), and our own concurrency and contextWindow. Numbers may be missing, null or 0, which is the
 * default: that is how Console and Higress write and read them.
 */
#include <stdio.h>

#include "base/nearest.h"
#include "base/num.h"
#include "plan/failure_words.h"
#include "plan/provider_int.h"

#define DAY_MS 86400000u
/* Accident: a storm of attempts that one request makes. */
#define RETRIES_MAX 16u
#define CONCURRENCY_MAX 1000000u
#define WINDOW_MAX 100000000u

struct number {
	const char *key;
	uint64_t min, max;
	const char *unit;
};

static struct finding note(struct entry *e, const struct yaml_node *at, const char *code)
{
	return build_warning(e->where, build_place(at), code);
}

/* A map of the entry, NULL when there is none; members that it cannot have are named. */
static const struct yaml_node *block_of(
	struct entry *e, const char *key, const char *const *known, size_t n_known)
{
	const struct yaml_node *block = yaml_get(e->node, key);

	if (block == NULL || block->type == YAML_NULL) {
		return NULL;
	}
	if (block->type != YAML_MAP) {
		provider_refuse(e, block, "map-expected", "%s must be a map", key);
		return NULL;
	}
	for (const struct yaml_node *n = block->items; n != NULL; n = n->next) {
		struct finding at = note(e, n, "unknown-field");
		struct nearest near = {NULL, 0};
		const char *meant;
		size_t i = 0;

		while (i < n_known && !bytes_eq(n->key->text, bytes_str(known[i]))) {
			nearest_offer(&near, n->key->text, known[i++]);
		}
		meant = nearest_slip(&near, n->key->text);
		if (i == n_known) {
			findings_add(e->findings, &at,
				"provider " BYTES_FMT ": " BYTES_FMT " means nothing in %s; %s%s",
				BYTES_ARG(e->out->id), BYTES_ARG(n->key->text), key,
				meant != NULL ? "write " : "check the spelling",
				meant != NULL ? meant : "");
		}
	}
	return block;
}

static bool is_enabled(struct entry *e, const struct yaml_node *block, const char *name)
{
	const struct yaml_node *n = yaml_get(block, "enabled");

	if (n != NULL && n->type != YAML_NULL && n->type != YAML_BOOL &&
		!(n->type == YAML_STRING &&
			(bytes_eq(n->text, BYTES("true")) || bytes_eq(n->text, BYTES("false"))))) {
		provider_refuse(e, n, "boolean-expected", "%s.enabled must be true or false", name);
	}
	return provider_is_true(n);
}

/* The number of that key, def when it is not given. Refuses what is none, or too large; one that is too small, which
 * Higress takes, is raised. */
static uint64_t number_in(struct entry *e, const struct yaml_node *map, const char *prefix,
	const struct number *want, uint64_t def)
{
	const struct yaml_node *n = yaml_get(map, want->key);
	uint64_t v;

	if (n == NULL || n->type == YAML_NULL) {
		return def;
	}
	if ((yaml_u64(n, &v) ||
		    (n->type == YAML_STRING && num_parse_u64(n->text, UINT64_MAX, &v))) &&
		v <= want->max) {
		if (v != 0 && v < want->min) {
			struct finding at = note(e, n, "bad-value");

			findings_add(e->findings, &at,
				"provider " BYTES_FMT
				": %s%s is %llu, and %llu is taken, the least",
				BYTES_ARG(e->out->id), prefix, want->key, (unsigned long long)v,
				(unsigned long long)want->min);
		}
		return v == 0 ? def : MAX(v, want->min);
	}
	provider_refuse(e, n, "bad-value",
		"%s%s is a number%s from %llu to %llu; leave it out for the default", prefix,
		want->key, want->unit, (unsigned long long)want->min,
		(unsigned long long)want->max);
	return def;
}

static void add_word(
	struct entry *e, const struct yaml_node *n, const char *key, struct failure_set *out)
{
	struct fault fault = {0};
	struct finding at = note(e, n, "pattern-without-status");
	int rc;

	if (n->type == YAML_MAP || n->type == YAML_SEQ || n->type == YAML_NULL) {
		provider_refuse(e, n, "string-expected", "%s is a list of texts", key);
		return;
	}
	rc = failure_words_add(out, bytes_trim(n->text), &fault);
	if (rc == ERR_SYNTAX) {
		provider_refuse(e, n, "bad-regex", "%s: " BYTES_FMT " is no expression: %s", key,
			BYTES_ARG(n->text), fault.text);
	} else if (rc != 0) {
		findings_add(e->findings, &at,
			"provider " BYTES_FMT ": " BYTES_FMT " in %s does nothing: %s",
			BYTES_ARG(e->out->id), BYTES_ARG(n->text), key, fault.text);
	}
}

/* A list that is given takes the place of the default's statuses and events. */
static void read_words(
	struct entry *e, const struct yaml_node *map, const char *key, struct failure_set *out)
{
	const struct yaml_node *list = yaml_get(map, key);

	if (list == NULL || list->type == YAML_NULL) {
		return;
	}
	if (list->type != YAML_SEQ) {
		provider_refuse(e, list, "list-expected", "%s must be a list", key);
		return;
	}
	*out = (struct failure_set){.events = 0};
	for (const struct yaml_node *n = list->items; n != NULL; n = n->next) {
		add_word(e, n, key, out);
	}
}

static void read_failover(struct entry *e)
{
	static const char *const known[] = {"enabled", "failureThreshold", "successThreshold",
		"healthCheckInterval", "healthCheckTimeout", "healthCheckModel",
		"failoverOnStatus"};
	static const struct number threshold = {"failureThreshold", 1, 255, ""};
	static const struct number successes = {"successThreshold", 1, 15, ""};
	static const struct number every = {"healthCheckInterval", 100, DAY_MS, " of milliseconds"};
	static const struct number timeout = {"healthCheckTimeout", 10, DAY_MS, " of milliseconds"};
	const struct yaml_node *block = block_of(e, "failover", known, ARRAY_LEN(known));
	struct failover_policy *p = &e->out->failover;
	struct bytes model = {0};

	if (block == NULL || !is_enabled(e, block, "failover")) {
		return;
	}
	p->enabled = true;
	p->failure_threshold =
		(unsigned)number_in(e, block, "failover.", &threshold, p->failure_threshold);
	p->success_threshold =
		(unsigned)number_in(e, block, "failover.", &successes, p->success_threshold);
	p->probe_every_ms = (uint32_t)number_in(e, block, "failover.", &every, p->probe_every_ms);
	p->probe_timeout_ms =
		(uint32_t)number_in(e, block, "failover.", &timeout, p->probe_timeout_ms);
	read_words(e, block, "failoverOnStatus", &p->on);
	IGNORE(build_scalar(yaml_get(block, "healthCheckModel"), "healthCheckModel", e->where,
		e->findings, &model)); /* absent: "" */
	p->probe_model = build_text(e->arena, bytes_trim(model));
	if (p->probe_model.n == 0) {
		struct finding at = note(e, block, "health-check-model-missing");

		findings_add(e->findings, &at,
			"provider " BYTES_FMT
			": failover without healthCheckModel: no probe is sent, so a token "
			"that was taken out is tried with a request of a client; name a model "
			"that is cheap",
			BYTES_ARG(e->out->id));
	}
}

static void read_retry(struct entry *e)
{
	static const char *const known[] = {
		"enabled", "maxRetries", "retryTimeout", "retryOnStatus"};
	static const struct number max = {"maxRetries", 1, RETRIES_MAX, ""};
	static const struct number timeout = {"retryTimeout", 10, DAY_MS, " of milliseconds"};
	const struct yaml_node *block = block_of(e, "retryOnFailure", known, ARRAY_LEN(known));
	struct retry_policy *p = &e->out->retry;
	unsigned events = p->on.events;

	if (block == NULL || !is_enabled(e, block, "retryOnFailure")) {
		return;
	}
	p->enabled = true;
	p->max = (unsigned)number_in(e, block, "retryOnFailure.", &max, p->max);
	p->timeout_ms = (uint32_t)number_in(e, block, "retryOnFailure.", &timeout, p->timeout_ms);
	read_words(e, block, "retryOnStatus", &p->on);
	p->on.events |= events; /* §9.3: whatever the list says */
}

static void read_concurrency(struct entry *e)
{
	static const char *const known[] = {
		"max", "maxPerToken", "maxPerConsumer", "queue", "queueTimeout"};
	static const struct number max = {"max", 1, CONCURRENCY_MAX, " of requests"};
	static const struct number token = {"maxPerToken", 1, CONCURRENCY_MAX, " of requests"};
	static const struct number consumer = {
		"maxPerConsumer", 1, CONCURRENCY_MAX, " of requests"};
	static const struct number wait = {"queueTimeout", 1, DAY_MS, " of milliseconds"};
	static const struct number queue = {"queue", 1, CONCURRENCY_MAX, " of requests"};
	const struct yaml_node *block = block_of(e, "concurrency", known, ARRAY_LEN(known));
	const struct yaml_node *n = yaml_get(block, "queue");
	struct concurrency *c = &e->out->concurrency;
	uint64_t length = 1;

	c->queue = CONCURRENCY_QUEUE_DEFAULT;
	c->queue_ms = CONCURRENCY_QUEUE_MS_DEFAULT;
	if (block == NULL) {
		return;
	}
	c->upstream = (unsigned)number_in(e, block, "concurrency.", &max, 0);
	c->credential = (unsigned)number_in(e, block, "concurrency.", &token, 0);
	c->consumer = (unsigned)number_in(e, block, "concurrency.", &consumer, 0);
	c->queue = (unsigned)number_in(e, block, "concurrency.", &queue, c->queue);
	c->queue_ms = (uint32_t)number_in(e, block, "concurrency.", &wait, c->queue_ms);
	if (n != NULL && yaml_u64(n, &length) && length == 0) {
		c->queue = 0; /* nobody waits */
	}
	if (c->upstream == 0 && c->credential == 0 && c->consumer == 0) {
		struct finding at = note(e, block, "concurrency-without-cap");

		findings_add(e->findings, &at,
			"provider " BYTES_FMT
			": concurrency limits nothing; give max, maxPerToken or maxPerConsumer",
			BYTES_ARG(e->out->id));
	}
}

void provider_failover_read(struct entry *e)
{
	static const struct number window = {"contextWindow", 1, WINDOW_MAX, " of tokens"};

	e->out->failover = failover_default;
	e->out->retry = retry_default;
	read_failover(e);
	read_retry(e);
	read_concurrency(e);
	e->out->context_window = (unsigned)number_in(e, e->node, "", &window, 0);
}
