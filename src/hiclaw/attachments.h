/*
 * Which parts of a HiClaw installation are there (hiclaw-integration.md 1.2): looked at every half a minute, never
 * because somebody asks. Control's.
 */
#ifndef HICLAW_ATTACHMENTS_H
#define HICLAW_ATTACHMENTS_H

#include "base/bytes.h"

#define ATTACHMENTS_MS 30000u

struct hiclaw;
struct attachments;

enum attachment {
	ATTACHMENT_CONTROLLER,
	ATTACHMENT_MANAGER_FILE,
	ATTACHMENT_AGENTS_DIR,
	ATTACHMENT_S3,
	ATTACHMENT_OPENCLAW,
	ATTACHMENT_ENGINE, /* of containers */
	ATTACHMENTS
};
enum attachment_state { ATTACHMENT_ABSENT, ATTACHMENT_OK, ATTACHMENT_DEGRADED, ATTACHMENT_DOWN };

/* "managerFile", ...; "ok", ... */
const char *attachment_name(enum attachment a);
const char *attachment_state_text(enum attachment_state s);

struct attachments *attachments_new(struct hiclaw *h);
/* NULL is allowed. */
void attachments_free(struct attachments *a);
/* detail_out: one sentence or a path, until the next turn of the loop; empty: nothing to say. */
enum attachment_state attachments_get(
	const struct attachments *a, enum attachment which, struct bytes *detail_out);

#endif
