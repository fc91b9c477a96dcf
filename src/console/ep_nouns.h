/*
 * Endpoints of the nouns that are alike: list, get, create, replace, remove (console-api.md §3), as rows of one
 * table with these functions.
 */
#ifndef CONSOLE_EP_NOUNS_H
#define CONSOLE_EP_NOUNS_H

#include "console/act.h"

/* What differs between nouns in their HTTP. */
struct act_noun {
	const struct op_noun *op;
	const char *label; /* for sentences: "AI route" */
};

extern const struct act_noun noun_domain, noun_provider, noun_consumer, noun_ai_route, noun_route,
	noun_source, noun_certificate, noun_proxy_server, noun_mcp_server, noun_wasm_plugin;

void ep_nouns_list(struct act *a);
void ep_nouns_get(struct act *a);
void ep_nouns_create(struct act *a);
void ep_nouns_replace(struct act *a);
void ep_nouns_remove(struct act *a);
/* Of create and replace. */
void ep_nouns_answer(struct act *a);

/* For the audit: the name of the object that a request was about, "" when its endpoint has no noun; and the
 * object, from a->op, NULL when there is none. */
struct bytes ep_nouns_name(const struct act *a);
struct doc *ep_nouns_object(struct act *a);

#endif
