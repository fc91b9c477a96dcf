/*
 * What a change of a route, a domain or a service source would do, without doing it: whether it is taken, which objects
 * it makes of which, what the linter would then say that it does not say now, and where a request goes before and after.
 * It uses what a change and the data path use (resource/op.h, plan/explain.h), so it cannot say something else. Pure; a
 * jobs thread, since it compiles plans.
 *
 *   {"change":{"noun":"route","name":"x","body":{...}},
 *    "ask":{"host":"a.com","path":"/x?y=1","method":"POST","headers":[{"name":"k","value":"v"}],
 *           "model":"gpt-4o","consumer":"alice","tls":false}}
 *
 * Both may be missing. noun: "route", "aiRoute", "domain", "source", "mcpServer". body null: it is removed; "create": true beside it:
 * made. The answer:
 *
 *   {"refused":null,"warnings":["…"],"changes":[{"kind","name","what","before","after"}],
 *    "findings":[{"level","code","file","text"}],"before":{…},"after":{…}}
 *
 * refused is the sentence with which the change would be. what is "create", "update" or "remove"; before and after are
 * the YAML of an Ingress, of other kinds null: they may hold secrets. before and after of the answer say where the
 * request goes, null where none was asked about or, of after, nothing changes.
 */
#ifndef PAGE_REHEARSE_H
#define PAGE_REHEARSE_H

#include "plan/plan.h"
#include "wire/json.h"

/* Attack and accident: what one call may take of memory, plans not counted. */
#define REHEARSE_ARENA_MAX ((size_t)256 << 20)
/* Accident: more than a person reads. */
#define REHEARSE_FINDINGS_MAX 50u
#define REHEARSE_ANSWER_MAX ((size_t)4 << 20)

struct rehearse_env {
	const struct snapshot *snapshot;
	struct plan_env plan;
	/* As struct op has it. */
	bool (*address_allowed)(void *arg, struct bytes host, const char **why);
	void *arg;
	int64_t now_s;
};

/* ERR_SYNTAX: nothing can be made of what is asked, f says why in one sentence; ERR_LIMIT: it takes too much memory. */
MUST_CHECK int rehearse(
	const struct rehearse_env *env, struct bytes body, struct text *out, struct fault *f);

#endif
