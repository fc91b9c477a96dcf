/*
 * The API of HiClaw's controller (hiclaw-integration.md 11.2), as far as it is used: one function per call.
 * Control's; every call is asynchronous, has a deadline and is not repeated.
 */
#ifndef HICLAW_CONTROLLER_H
#define HICLAW_CONTROLLER_H

#include "base/arena.h"
#include "http/fetch.h"
#include "wire/json.h"

/* Attack: an answer without end. Some thousand workers fit. */
#define CONTROLLER_ANSWER_MAX ((size_t)4 << 20)
/* Of what an answer becomes. */
#define CONTROLLER_TREE_MAX ((size_t)32 << 20)
/* Names of workers, managers and teams: those of Kubernetes. */
#define CONTROLLER_NAME_MAX 253u

struct controller;

/* url: "http://host:port[/path]"; token: may be empty. Both are copied. NULL and *fault (which quotes
 * neither): url is no such address. The fetcher stays until controller_free; it speaks TLS when url does. */
struct controller *controller_new(
	struct fetcher *fr, struct bytes url, struct bytes token, struct fault *fault);
/* Calls under way end without a word. NULL is allowed. */
void controller_free(struct controller *c);
/* Another token from now on: the file it was read from has changed. Copied. */
void controller_set_token(struct controller *c, struct bytes token);

enum controller_rc {
	CONTROLLER_OK,
	CONTROLLER_UNREACHABLE, /* no answer; or 502, 503, 504 */
	CONTROLLER_FORBIDDEN,   /* 401, 403 */
	CONTROLLER_NOT_FOUND,
	CONTROLLER_CONFLICT, /* 409: of a worker, it is a member of a team */
	CONTROLLER_REFUSED,  /* any other status that is no success; a name that is none */
	CONTROLLER_BROKEN    /* a success that cannot be read */
};

/* Embedded in whoever asks, and zeroed before; not to be moved while it is under way. */
struct controller_call {
	void (*on_done)(struct controller_call *call);
	void *arg;

	/* the answer */
	enum controller_rc rc;
	unsigned status;  /* 0: there was none */
	struct fault why; /* unless CONTROLLER_OK: one sentence without a full stop */
	const struct json_value *answer; /* NULL: empty; lives until controller_call_done */

	/* the controller's */
	struct controller *controller;
	struct list link;
	struct fetch fetch;
	struct text target, body;
	struct arena arena;
	bool refused; /* before it was sent */
	bool plain;   /* the answer may be any text */
	struct task task;
};

/* Never call on_done before they return. Texts are copied. A call is asked again after
 * controller_call_done. */
void controller_health(struct controller *c, struct controller_call *call);
void controller_version(struct controller *c, struct controller_call *call);
void controller_status(struct controller *c, struct controller_call *call);
void controller_workers(struct controller *c, struct controller_call *call);
void controller_worker_status(
	struct controller *c, struct controller_call *call, struct bytes name);
void controller_worker_set_model(
	struct controller *c, struct controller_call *call, struct bytes name, struct bytes model);
void controller_managers(struct controller *c, struct controller_call *call);
void controller_manager_set_model(
	struct controller *c, struct controller_call *call, struct bytes name, struct bytes model);
/* The team as it is, and as it shall be: body is its JSON, with the member's model in it. */
void controller_team(struct controller *c, struct controller_call *call, struct bytes name);
void controller_team_update(
	struct controller *c, struct controller_call *call, struct bytes name, struct bytes body);

enum controller_action { CONTROLLER_WAKE, CONTROLLER_SLEEP, CONTROLLER_ENSURE_READY };
void controller_worker_act(struct controller *c, struct controller_call *call, struct bytes name,
	enum controller_action action);
/* Short-lived keys of the object storage: controller_keys_read. */
void controller_keys(struct controller *c, struct controller_call *call);

/* While it is under way: on_done will not be called. */
void controller_cancel(struct controller_call *call);
/* Gives the answer back, keys in it are wiped. Safe on a zeroed one; not while it is under way. */
void controller_call_done(struct controller_call *call);

/* --- answers ---------------------------------------------------------------------------------------- */

/* Texts are empty where the answer has none; all live as long as the answer. */
struct controller_worker {
	struct bytes name, phase, state, model, runtime, image, container_state, matrix_user, room,
		message, team, role;
	bool managed; /* its container is the controller's */
};

/* Of one object: an item of the list, or the answer of controller_worker_status. False: it has no name. */
bool controller_worker_read(const struct json_value *v, struct controller_worker *out);
/* The first item of the list in an answer of controller_workers or controller_managers, then ->next. */
const struct json_value *controller_first(const struct json_value *answer);

struct controller_keys {
	struct bytes id, secret, token, endpoint, bucket, expiration;
	uint64_t expires_s; /* from now; 0: not said */
};

/* False: key or secret is missing. */
bool controller_keys_read(const struct json_value *v, struct controller_keys *out);

#endif
