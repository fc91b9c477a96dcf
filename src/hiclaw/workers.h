/*
 * The Workers that there are and what each does (hiclaw-integration.md 12): HiClaw's files are read on a jobs thread
 * every few seconds, and the controller, the container engine and the storage are asked; consumers, assignments and requests are looked at whenever somebody
 * asks. A change of state is an event. Control's.
 */
#ifndef HICLAW_WORKERS_H
#define HICLAW_WORKERS_H

#include "hiclaw/evidence.h"

#define WORKERS_FILES_MS 5000u
#define WORKERS_CONTROLLER_MS 15000u

struct hiclaw;
struct workers;

struct worker {
	struct bytes name;
	struct state_evidence evidence;
	struct state state;
	struct bytes runtime, deployment, room, team; /* empty: unknown */
	struct bytes message;                         /* the controller's */
	uint64_t requests_1h, errors_1h, tokens_1h;
	bool has_config, has_consumer;
	bool authorized; /* an AI route lets its consumer in */
	bool by_controller;
};

struct workers *workers_new(struct hiclaw *h);
/* NULL is allowed. */
void workers_free(struct workers *w);
/* As they are now, by name; valid until the next turn of the loop. */
size_t workers_now(struct workers *w, const struct worker **out);
/* NULL: there is none. */
const struct worker *workers_find(struct workers *w, struct bytes name);
/* Sentences about files that cannot be used, as of the last look. */
size_t workers_warnings(const struct workers *w, const struct bytes **out);
/* stored_forget. */
void workers_forget_record(const struct workers *w, struct bytes target);
/* Why the storage's Workers are not known; empty: they are, or there is no storage. Until the next turn. */
struct bytes workers_storage_warning(const struct workers *w);
/* Whether the container engine answered the last question, and why not. */
enum workers_engine { WORKERS_NO_ENGINE, WORKERS_ENGINE_OK, WORKERS_ENGINE_DOWN };
enum workers_engine workers_engine(const struct workers *w, struct bytes *why_out);
/* What the controller says: whether it answered the last question, and why not. */
enum workers_controller { WORKERS_NO_CONTROLLER, WORKERS_CONTROLLER_OK, WORKERS_CONTROLLER_DOWN };
enum workers_controller workers_controller(const struct workers *w, struct bytes *why_out);

#endif
