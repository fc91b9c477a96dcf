/*
 * Backups of the resources: before-images that every change leaves, and complete copies that a person asks for. An
 * addition of ours to the Console's API.
 */
#ifndef CONSOLE_EP_BACKUPS_H
#define CONSOLE_EP_BACKUPS_H

#include "console/act.h"

/* GET: [{id, time, named, actor, what, reason, files, size}], newest first. */
void ep_backups_list(struct act *a);
/* POST {"reason": "…"}: a complete copy; {id}. */
void ep_backups_create(struct act *a);
/* GET {id}: what going back to that moment would do: {id, files: [{change, kind, name}]}. */
void ep_backups_compare(struct act *a);
/* GET {id}/document: all resources as they were at that moment: {id, resources: [{kind, name, text}]}. */
void ep_backups_document(struct act *a);
/* POST {id}/restore: goes back, as a change like any other; the answer of compare. */
void ep_backups_restore(struct act *a);
/* DELETE {id} */
void ep_backups_remove(struct act *a);

#endif
