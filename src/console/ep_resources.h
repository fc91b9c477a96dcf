/*
 * Resources as they are, for declarative use (`sluice apply`, `export`, `diff`): an addition of ours to the
 * Console's API. Reading gives every object as the file store would write it, with its secrets; writing takes any
 * number of whole objects and names to remove, as one transaction.
 */
#ifndef CONSOLE_EP_RESOURCES_H
#define CONSOLE_EP_RESOURCES_H

#include "console/act.h"

/* Objects of one request. Accident: a directory that is none of resources. */
#define EP_RESOURCES_MAX 100000u
/* A change may hold the largest file (RESOURCE_FILE_MAX) and others, as JSON. */
#define EP_RESOURCES_BODY_MAX ((size_t)96 << 20)

/* GET: [{kind, name, file, version, text}], by kind and name; ?kind=Ingress: of one kind. */
void ep_resources_list(struct act *a);
/* PUT {"resources": [object…], "remove": [{kind, name}…]}. What a version or a time of creation says in an object is
 * passed over: the object is what shall be, whatever is there. One that is so already is not written. */
void ep_resources_apply(struct act *a);
/* [{kind, name, version}] of the resources that were sent, in their order. */
void ep_resources_answer(struct act *a);

#endif
