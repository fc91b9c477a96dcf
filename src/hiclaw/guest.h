/*
 * A provider of another Console, as a guest in our own plan for the time of a test (placement P4): so it is asked as a
 * provider of ours would be, by its real dialect, with its own address, settings and key, and no client can be sent to it,
 * because no route leads there. It is in no file, so its key is in none, and a process that ends leaves nothing.
 * Control's.
 */
#ifndef HICLAW_GUEST_H
#define HICLAW_GUEST_H

#include "net/loop.h"
#include "store/overlay.h"
#include "store/writer.h"

/* Of guests' names here; behind it a number. Nothing else may be called so. */
#define GUEST_PREFIX "sluice-test-"

struct guests;
struct guest;

/* home: whose turns make plans, with an overlay, in which guests stay. */
struct guests *guests_new(const struct writer *home, struct loop *loop);
/* When the jobs have ended: guests that leave from now on go with the process. NULL is allowed. */
void guests_stop(struct guests *all);
/* Nobody is told any more. NULL is allowed. */
void guests_free(struct guests *all);

/*
 * provider and sources (may be NULL) are the Console's objects, copied. on_there comes later: `name` is what the guest
 * is called here, or empty, when it cannot be tested from here, and `why` says the reason (a sentence without a full
 * stop, until the end of the call); then there is no guest any more.
 */
struct guest *guest_invite(struct guests *all, const struct doc *provider,
	const struct doc *sources, void (*on_there)(void *arg, struct bytes name, struct bytes why),
	void *arg);
/* At any time but after on_there has said why not: it is removed, on_there comes no more. NULL is allowed. */
void guest_leave(struct guest *g);

/* --- pure ------------------------------------------------------------------------------------------------ */

/* The objects that the provider is here; 0: it cannot be, *why_out says the reason. */
#define GUEST_OBJECTS 2u
size_t guest_objects(struct arena *a, const struct doc *provider, const struct doc *sources,
	struct bytes name, struct overlay_object out[GUEST_OBJECTS], const char **why_out);

#endif
