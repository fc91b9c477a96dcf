/*
 * Plans of routes. A world is written in short, and so is what is expected of it:
 *
 *     providers  "qwen deepseek hub:openrouter@hub.dns"     name[:type[@its custom service]]; "^" its custom URL
 *     routes     "default@qwen q-ai-route@q{PRE q,EQUAL m}" name@provider[*weight][+provider][{conditions}]
 *     assigned   "manager=qwen/qwen-max alice=…"
 *     event      "switch alice qwen qwen-max qualify", "create p type", "rename a b", "delete a force b"
 *     expect     "+" made, "~" replaced, "-" removed, in order; then "> route"; or "! rc"
 */
#include "hiclaw/hybrid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hiclaw/hybrid_change.h"

#define CONSUMERS \
	"[{\"name\":\"manager\"},{\"name\":\"worker-alice\"},{\"name\":\"worker-bob\"},{\"name\":\"x\"}]"

struct row {
	const char *providers, *routes, *assigned, *event, *expect, *warning, *reason;
};

static const struct row rows[] = {
	/* providers */
	{"qwen", "", "", "create qwen qwen", "+default-ai-route@qwen > default-ai-route", NULL,
		"HI-42: the first provider gets the default route and no other"},
	{"", "", "", "create qwen qwen", "+default-ai-route@qwen > default-ai-route", NULL,
		"the provider need not be among the objects yet"},
	{"qwen", "default@gone", "", "create qwen qwen",
		"~default-ai-route@qwen > default-ai-route", NULL,
		"a default route is repointed at the only provider"},
	{"qwen", "default@qwen", "", "create minimax minimax",
		"+qwen-ai-route@qwen{PRE qwen} "
		"+minimax-ai-route@minimax{PRE minimax,PRE MiniMax} > minimax-ai-route",
		NULL, "HI-41: the second: a route for each, the default as it was"},
	{"qwen", "default@qwen", "", "create deepseek deepseek",
		"+qwen-ai-route@qwen{PRE qwen} +deepseek-ai-route@deepseek{PRE deepseek} "
		"> deepseek-ai-route",
		NULL, "M-39"},
	{"qwen m", "default@qwen qwen-ai-route@qwen{PRE qwen}", "", "create d deepseek",
		"+d-ai-route@d{PRE d} > d-ai-route", NULL, "the third: its own"},
	{"qwen d", "default@qwen qwen-ai-route@qwen{PRE qwen} d-ai-route@d{PRE d}", "",
		"create d deepseek", "> d-ai-route", NULL,
		"once more: everything is right already"},
	{"qwen", "", "", "create d deepseek",
		"+qwen-ai-route@qwen[manager,worker-alice,worker-bob]{PRE qwen} "
		"+d-ai-route@d[manager,worker-alice,worker-bob]{PRE d} "
		"+default-ai-route@qwen > d-ai-route",
		NULL, "the default route is missing: it goes to the one that was there"},
	{"home:openai^http://h/v1", "default@home", "", "create o openai",
		"+home-ai-route@home{PRE home} "
		"+o-ai-route@o{PRE o,PRE gpt-} > o-ai-route",
		NULL, "who knows what is behind a URL: gpt- is left to the vendor"},
	{"qwen home:openai^http://h/v1", "default@qwen", "", "switch alice home gpt-oss",
		"+home-ai-route@home[manager,worker-alice]{PRE home,EQUAL gpt-oss} > home-ai-route",
		NULL, "behind a URL a model is taken by its name"},
	{"hub:openrouter", "default@hub", "alice=hub/qwen-max", "create qwen qwen",
		"+hub-ai-route@hub{PRE hub,EQUAL qwen-max} +qwen-ai-route@qwen{PRE qwen} "
		"> qwen-ai-route",
		NULL, "a new route's prefix must not take what Alice has at another provider"},
	{"qwen", "default@qwen{PRE q}", "", "create d deepseek",
		"+qwen-ai-route@qwen{PRE qwen} +d-ai-route@d{PRE d} > d-ai-route",
		"DEFAULT_NOT_CATCHALL", "conditions that somebody put there stay"},
	{"qwen", "default@qwen", "", "create default openai", "! conflict", NULL,
		"its route would have the default route's name"},

	/* the Manager */
	{"qwen d", "default@qwen", "", "switch manager d deepseek-chat",
		"~default-ai-route@d > default-ai-route", NULL, "one provider at a time"},
	{"qwen d", "default@qwen", "manager=qwen/qwen-max", "switch manager qwen qwen3.5-plus",
		"> default-ai-route", NULL, "another model of the same provider: nothing to write"},
	{"qwen d", "default@qwen", "alice=qwen/qwen-max manager=qwen/qwen-max",
		"switch manager d deepseek-chat",
		"+qwen-ai-route@qwen{PRE qwen} ~default-ai-route@d > default-ai-route", NULL,
		"HI-44: Alice's route is there before the default leaves her provider"},
	{"hub:openrouter d", "default@hub", "alice=hub/llama", "switch manager d deepseek-chat",
		"+hub-ai-route@hub{PRE hub,EQUAL llama} ~default-ai-route@d > default-ai-route",
		NULL, "HI-44: and takes her model"},
	{"qwen hub:openrouter", "default@qwen", "alice=qwen/qwen-max",
		"switch manager hub qwen-plus",
		"+qwen-ai-route@qwen{PRE qwen} +hub-ai-route@hub{PRE hub,EQUAL qwen-plus} "
		"~default-ai-route@hub > hub-ai-route",
		NULL, "Alice's new route would take the Manager's model: it gets one too"},
	{"qwen d:deepseek", "", "", "switch manager d deepseek-chat",
		"+default-ai-route@d > default-ai-route", NULL, "there is no default route"},
	{"qwen d:deepseek", "default@qwen*60+d*40", "", "switch manager d deepseek-chat",
		"~default-ai-route@d > default-ai-route", NULL,
		"a part of the traffic is not enough"},
	{"qwen minimax:minimax",
		"default@qwen qwen-ai-route@qwen{PRE qwen} "
		"minimax-ai-route@minimax{PRE minimax,PRE MiniMax}",
		"", "switch manager minimax MiniMax-M2.7", "> minimax-ai-route", NULL,
		"HI-45: the route takes it: nothing is written"},
	{"qwen minimax:minimax",
		"default@qwen qwen-ai-route@qwen{PRE qwen} minimax-ai-route@minimax{PRE minimax}",
		"", "switch manager minimax MiniMax-M2.7",
		"~minimax-ai-route@minimax{PRE minimax,PRE MiniMax} > minimax-ai-route", NULL,
		"HI-45: a route of the plugin that never took it"},
	{"qwen d:deepseek", "default@qwen qwen-ai-route@qwen{PRE qwen}", "",
		"switch manager d deepseek-chat", "+d-ai-route@d{PRE d} > d-ai-route", NULL,
		"there are own routes, and this provider has none"},
	{"qwen", "default@qwen qwen-ai-route@qwen{PRE qwen}", "", "switch manager qwen qwq-32b",
		"~qwen-ai-route@qwen{PRE qwen,PRE qwq} > qwen-ai-route", NULL,
		"a prefix on demand"},
	{"qwen", "default@qwen qwen-ai-route@qwen{PRE qwen}", "", "switch manager qwen tongyi",
		"~qwen-ai-route@qwen{PRE qwen,EQUAL tongyi} > qwen-ai-route", NULL,
		"no prefix of the type: by its name"},
	{"qwen hub:openrouter",
		"default@qwen qwen-ai-route@qwen{PRE qwen,EQUAL glm} hub-ai-route@hub{PRE hub}", "",
		"switch manager hub glm",
		"~qwen-ai-route@qwen{PRE qwen} ~hub-ai-route@hub{PRE hub,EQUAL glm} > hub-ai-route",
		NULL, "a name that nobody is assigned any more moves"},
	{"qwen hub:openrouter", "default@qwen my-route@qwen{EQUAL glm} hub-ai-route@hub{PRE hub}",
		"", "switch manager hub glm", "! conflict", NULL,
		"a route that a person made stays"},
	{"qwen", "default@qwen q-ai-route@gone{PRE q}", "", "switch manager q qwen-max",
		"! provider", NULL, "no such provider"},
	{"qwen d:deepseek", "default@qwen d-ai-route@gone{PRE d}", "",
		"switch manager d deepseek-chat", "~d-ai-route@d{PRE d} > d-ai-route", NULL,
		"an own route that sends elsewhere is mended"},

	/* Workers */
	{"qwen d:deepseek", "default@qwen", "", "switch alice d deepseek-chat",
		"+d-ai-route@d[manager,worker-alice]{PRE d} > d-ai-route", NULL,
		"a Worker does not take the default route away, and is let in"},
	{"qwen d:deepseek", "default@qwen", "manager=qwen/qwen-max", "switch alice qwen qwen-max",
		"~default-ai-route@qwen[manager,worker-alice] > default-ai-route", NULL,
		"the default route serves already; Alice is let in"},
	{"qwen d:deepseek", "default@qwen", "", "switch carol qwen qwen-max", "> default-ai-route",
		NULL, "there is no consumer of Carol's to be let in"},
	{"qwen d:deepseek", "default@qwen", "manager=qwen/qwen-max alice=qwen/qwen-max",
		"switch alice d deepseek-chat",
		"+d-ai-route@d[manager,worker-alice]{PRE d} > d-ai-route", NULL,
		"the Manager's model still goes where it went"},

	/* two of one name */
	{"qwen hub:openrouter", "default@qwen qwen-ai-route@qwen{PRE qwen}",
		"alice=qwen/qwen3.5-plus", "switch bob hub qwen3.5-plus", "! conflict", NULL,
		"HI-46"},
	{"qwen hub:openrouter", "default@qwen qwen-ai-route@qwen{PRE qwen}",
		"alice=qwen/qwen3.5-plus", "switch bob hub qwen3.5-plus qualify",
		"+hub-ai-route@hub[manager,worker-bob]{PRE hub,EQUAL hub/qwen3.5-plus}"
		"(hub/qwen3.5-plus=qwen3.5-plus) > hub-ai-route asks hub/qwen3.5-plus",
		NULL, "HI-46: by a name of its own, which the route maps back"},
	{"qwen hub:openrouter",
		"default@qwen qwen-ai-route@qwen{PRE qwen} "
		"hub-ai-route@hub{PRE hub,EQUAL hub/m}(hub/m=m)",
		"alice=qwen/m bob=hub/m", "switch bob hub m",
		"~hub-ai-route@hub[manager,worker-bob]{PRE hub,EQUAL hub/m}(hub/m=m) "
		"> hub-ai-route asks hub/m",
		NULL, "what is qualified stays so without being asked again"},
	{"qwen hub:openrouter",
		"default@qwen qwen-ai-route@qwen{PRE qwen} "
		"hub-ai-route@hub{PRE hub,EQUAL hub/qwen-m}(hub/qwen-m=qwen-m)",
		"bob=hub/qwen-m", "switch manager qwen qwen-m", "> qwen-ai-route", NULL,
		"the bare name is free: the other one asks for a qualified one"},
	{"qwen hub:openrouter", "default@qwen", "alice=qwen/qwen-m", "switch alice hub qwen-m",
		"+hub-ai-route@hub[manager,worker-alice]{PRE hub,EQUAL qwen-m} > hub-ai-route",
		NULL, "her own assignment is no rival"},

	/* renamed */
	{"qwen:qwen@qwen.dns d", "default@qwen qwen-ai-route@qwen{PRE qwen,EQUAL m} f@d|qwen", "",
		"rename qwen ali",
		"+source:ali +provider:ali(ali.dns) ~f@d|ali "
		"+ali-ai-route@ali{PRE ali,PRE qwen,EQUAL m} -qwen-ai-route "
		"~default-ai-route@ali -provider:qwen -source:qwen > ali-ai-route",
		NULL, "M-84: what is new stands before what is old goes"},
	{"a:openai@shared.dns", "default@a", "", "rename a b",
		"-provider:a +provider:b(shared.dns) ~default-ai-route@b > default-ai-route", NULL,
		"a service stands for one provider only"},
	{"a b", "default@a", "", "rename a b", "! exists", NULL, "the name is taken"},
	{"a", "default@a b-ai-route@a", "", "rename a b", "! exists", NULL, "its route's name is"},
	{"a", "default@a", "", "rename x b", "! provider", NULL, "nobody of that name"},

	/* deleted */
	{"qwen d", "default@qwen d-ai-route@d{PRE d}", "", "delete d", "-d-ai-route -provider:d >",
		NULL, "its own route is no user"},
	{"qwen:qwen@qwen.dns d", "default@d qwen-ai-route@qwen{PRE qwen}", "", "delete qwen",
		"-qwen-ai-route -provider:qwen -source:qwen >", NULL,
		"its service source goes too"},
	{"qwen:qwen@qwen.dns d:openai@qwen.dns", "default@d", "", "delete qwen", "-provider:qwen >",
		NULL, "another one is at that source"},
	{"qwen d", "default@qwen", "", "delete qwen", "! in-use", NULL, "M-83: a route uses it"},
	{"qwen d", "default@qwen", "alice=d/x", "delete d", "! in-use", NULL,
		"M-83: an assignment uses it"},
	{"qwen d", "default@qwen", "", "delete qwen force", "! replacement", NULL,
		"the default route is never left without an upstream"},
	{"qwen d", "default@qwen qwen-ai-route@qwen{PRE qwen} f@d|qwen", "alice=qwen/x",
		"delete qwen force d", "-qwen-ai-route ~f@d|d ~default-ai-route@d -provider:qwen >",
		"ASSIGNMENT_LEFT", "M-83: with a replacement nothing names it any more"},
	{"qwen d", "default@qwen*30+d*70", "", "delete qwen force",
		"~default-ai-route@d -provider:qwen >", NULL, "the others take its share"},
	{"qwen d", "f@d|qwen default@d", "", "delete qwen force", "~f@d -provider:qwen >", NULL,
		"a fallback without anybody is none"},
	{"qwen d", "default@qwen", "", "delete qwen force qwen", "! replacement", NULL,
		"it cannot replace itself"},
	{"qwen d", "default@qwen", "", "delete x", "! provider", NULL, "nobody of that name"},
};

/* --- the world out of its short form ------------------------------------------------------------------ */

static struct bytes word(struct bytes *rest)
{
	struct bytes w = bytes_cut(rest, ' ');

	while (w.n == 0 && rest->p != NULL) {
		w = bytes_cut(rest, ' ');
	}
	return w;
}

static void set(struct arena *a, struct doc *m, const char *key, struct bytes value)
{
	doc_set(a, m, key, doc_string(a, value));
}

/* "qwen", "hub:openrouter", "a:openai@a.dns" */
static void add_provider(struct arena *a, struct doc *lists[], struct bytes text)
{
	struct bytes url = text, service = bytes_cut(&url, '^'), type = bytes_cut(&service, '@');
	struct bytes name = bytes_cut(&type, ':');
	struct doc *p = doc_map(a), *source = doc_map(a);

	set(a, p, "name", name);
	set(a, p, "type", type.p != NULL ? type : name);
	if (service.p != NULL) {
		set(a, doc_need_map(a, p, "rawConfigs"), "openaiCustomServiceName", service);
		set(a, source, "name", name);
		doc_append(a, lists[OPS_SOURCE], source);
	}
	if (url.p != NULL) {
		set(a, doc_need_map(a, p, "rawConfigs"), "openaiCustomUrl", url);
	}
	doc_append(a, lists[OPS_PROVIDER], p);
}

static struct doc *new_upstreams(struct arena *a, struct bytes text)
{
	struct doc *list = doc_list(a);

	while (text.p != NULL) {
		struct bytes weight = bytes_cut(&text, '+'), name = bytes_cut(&weight, '*');
		struct doc *u = doc_map(a);

		set(a, u, "provider", name);
		doc_set(a, u, "weight", doc_int(a, weight.p != NULL ? atoi(weight.p) : 100));
		doc_set(a, u, "modelMapping", doc_map(a));
		doc_append(a, list, u);
	}
	return list;
}

static struct bytes cut_bracket(struct bytes *text, char open)
{
	struct bytes inside = *text;

	*text = bytes_cut(&inside, open);
	if (inside.p != NULL) {
		inside.n--;
	}
	return inside;
}

/* "name@provider*weight+…|fallback{PRE x,EQUAL y}(id=model)"; blanks inside are "_" */
static void add_route(struct arena *a, struct doc *lists[], struct bytes text)
{
	struct bytes mapping = cut_bracket(&text, '('), predicates = cut_bracket(&text, '{');
	struct bytes rest = text, name = bytes_cut(&rest, '@'), upstreams = bytes_cut(&rest, '|');
	struct doc *r = doc_map(a), *auth, *fallback;

	set(a, r, "name", bytes_eq(name, BYTES("default")) ? BYTES("default-ai-route") : name);
	doc_set(a, r, "version", doc_str(a, "7"));
	doc_append(a, doc_need_list(a, r, "domains"), doc_str(a, "aigw"));
	doc_set(a, r, "upstreams", new_upstreams(a, upstreams));
	while (predicates.p != NULL) {
		struct bytes value = bytes_cut(&predicates, ','), type = bytes_cut(&value, ' ');
		struct doc *p = doc_map(a);

		set(a, p, "matchType", type);
		set(a, p, "matchValue", value);
		doc_append(a, doc_need_list(a, r, "modelPredicates"), p);
	}
	if (mapping.p != NULL) {
		struct bytes to = mapping, id = bytes_cut(&to, '=');

		doc_set_bytes(a,
			doc_get(a, doc_first(a, doc_get(a, r, "upstreams")), "modelMapping"), id,
			doc_string(a, to));
	}
	auth = doc_need_map(a, r, "authConfig");
	doc_set(a, auth, "enabled", doc_bool(a, true));
	doc_append(a, doc_need_list(a, auth, "allowedConsumers"), doc_str(a, "manager"));
	if (rest.p != NULL) {
		fallback = doc_need_map(a, r, "fallbackConfig");
		doc_set(a, fallback, "upstreams", new_upstreams(a, rest));
	}
	doc_append(a, lists[OPS_AI_ROUTE], r);
}

/* A route's conditions hold blanks: it ends at one that stands outside of braces. */
static struct bytes route_word(struct bytes *rest)
{
	size_t n = 0;
	bool inside = false;
	struct bytes w;

	for (; n < rest->n && (inside || rest->p[n] != ' '); n++) {
		inside = rest->p[n] == '{' || (inside && rest->p[n] != '}');
	}
	w = bytes_of(rest->p, n);
	*rest = n < rest->n ? bytes_of(rest->p + n + 1, rest->n - n - 1) : (struct bytes){NULL, 0};
	return w;
}

static size_t read_assigned(struct bytes text, struct hybrid_assignment *out)
{
	size_t n = 0;

	while (text.n > 0) {
		struct bytes rest = word(&text);

		out[n].target = bytes_cut(&rest, '=');
		out[n].provider = bytes_cut(&rest, '/');
		out[n++].model = rest;
	}
	return n;
}

static void make_lists(struct arena *a, const struct row *r, struct doc *lists[OPS_NOUNS])
{
	struct bytes providers = bytes_str(r->providers), routes = bytes_str(r->routes);

	lists[OPS_PROVIDER] = doc_list(a);
	lists[OPS_SOURCE] = doc_list(a);
	lists[OPS_AI_ROUTE] = doc_list(a);
	lists[OPS_CONSUMER] = doc_of_json(a, json_parse(a, BYTES(CONSUMERS), NULL));
	while (providers.n > 0) {
		add_provider(a, lists, word(&providers));
	}
	while (routes.n > 0) {
		add_route(a, lists, route_word(&routes));
	}
}

/* --- the plan in its short form ------------------------------------------------------------------------- */

static void put_upstreams(struct arena *a, const struct doc *list, char before, struct text *out)
{
	for (const struct doc *u = doc_first(a, list); u != NULL; u = u->next) {
		text_add_char(out, before);
		text_add_bytes(out, doc_peek(u, "provider", BYTES("?")));
		before = '+';
	}
}

/* Consumers are said where they are others than the Manager alone. */
static void put_consumers(struct arena *a, const struct doc *list, struct text *out)
{
	const struct doc *c = doc_first(a, list);

	if (c == NULL || c->next == NULL) {
		return;
	}
	for (text_add_char(out, '['); c != NULL; c = c->next) {
		text_add_bytes(out, c->text);
		text_add_char(out, c->next != NULL ? ',' : ']');
	}
}

static void put_route(struct arena *a, const struct ops_item *i, struct text *out)
{
	const struct doc *p = doc_first(a, doc_get(a, i->body, "modelPredicates"));
	const struct doc *u = doc_first(a, doc_get(a, i->body, "upstreams")), *m;

	put_upstreams(a, doc_get(a, i->body, "upstreams"), '@', out);
	put_upstreams(a, doc_at(a, i->body, "fallbackConfig.upstreams"), '|', out);
	/* HiClaw's shape lets all consumers in that are its own. */
	if (i->verb != OPS_CREATE || !bytes_eq(i->name, BYTES("default-ai-route"))) {
		put_consumers(a, doc_at(a, i->body, "authConfig.allowedConsumers"), out);
	}
	for (char c = '{'; p != NULL; p = p->next, c = ',') {
		text_addf(out, "%c" BYTES_FMT " " BYTES_FMT "%s", c,
			BYTES_ARG(doc_peek(p, "matchType", BYTES("?"))),
			BYTES_ARG(doc_peek(p, "matchValue", BYTES("?"))),
			p->next == NULL ? "}" : "");
	}
	m = doc_first(a, doc_get(a, u, "modelMapping"));
	if (m != NULL) {
		text_addf(out, "(" BYTES_FMT "=" BYTES_FMT ")", BYTES_ARG(m->key),
			BYTES_ARG(m->text));
	}
}

static void put_item(struct arena *a, const struct ops_item *i, struct text *out)
{
	struct bytes service =
		doc_text(doc_at(a, i->body, "rawConfigs.openaiCustomServiceName"), BYTES(""));

	text_add_char(out, i->verb == OPS_REMOVE ? '-' : i->verb == OPS_CREATE ? '+' : '~');
	text_add_str(out,
		i->noun == OPS_PROVIDER         ? "provider:"
			: i->noun == OPS_SOURCE ? "source:"
						: "");
	text_add_bytes(out, i->name);
	if (service.n > 0) {
		text_addf(out, "(" BYTES_FMT ")", BYTES_ARG(service));
	}
	if (i->noun == OPS_AI_ROUTE && i->verb != OPS_REMOVE) {
		put_route(a, i, out);
	}
	text_add_char(out, ' ');
}

static void put_plan(
	struct arena *a, const struct hybrid_plan *p, struct bytes model, struct text *out)
{
	static const char *const words[] = {
		"", "provider", "conflict", "exists", "in-use", "replacement", "large"};

	if (p->rc != HYBRID_OK) {
		text_addf(out, "! %s", words[p->rc]);
		return;
	}
	for (size_t i = 0; i < p->n_items; i++) {
		put_item(a, &p->items[i], out);
	}
	text_addf(out, ">%s" BYTES_FMT, p->route.n > 0 ? " " : "", BYTES_ARG(p->route));
	if (p->model.n > 0 && !bytes_eq(p->model, model)) {
		text_addf(out, " asks " BYTES_FMT, BYTES_ARG(p->model));
	}
}

/* --- rows ------------------------------------------------------------------------------------------------ */

static struct bytes plan_event(
	const struct hybrid_world *world, const char *event, struct hybrid_plan *out)
{
	struct bytes rest = bytes_str(event), verb = word(&rest), a = word(&rest), b = word(&rest);
	struct bytes c = word(&rest), d = word(&rest);

	if (bytes_eq(verb, BYTES("switch"))) {
		const struct hybrid_switch s = {
			.target = a, .provider = b, .model = c, .qualify = d.n > 0};

		hybrid_switch(world, &s, out);
	} else if (bytes_eq(verb, BYTES("create"))) {
		hybrid_created(world, a, b, out);
	} else if (bytes_eq(verb, BYTES("rename"))) {
		hybrid_change_rename(world, a, b, out);
	} else {
		const struct hybrid_change_delete r = {
			.provider = a, .force = b.n > 0, .replacement = c};

		hybrid_change_delete(world, &r, out);
	}
	return c;
}

static bool has_warning(const struct hybrid_plan *p, const char *code)
{
	for (size_t i = 0; i < p->n_warnings; i++) {
		if (code != NULL && strcmp(p->warnings[i].code, code) == 0) {
			return true;
		}
	}
	return code == NULL && p->n_warnings == 0;
}

static void check_row(const struct row *r)
{
	struct doc *lists[OPS_NOUNS] = {NULL};
	struct hybrid_assignment assigned[4];
	struct hybrid_plan p;
	struct arena a;
	struct text t, before, after;
	struct json_writer w;
	struct bytes model;

	arena_init(&a, 1 << 20);
	text_init(&t, 4000);
	text_init(&before, 1 << 20);
	text_init(&after, 1 << 20);
	make_lists(&a, r, lists);
	json_writer_init(&w, &before);
	doc_put_json(&a, &w, lists[OPS_AI_ROUTE]);
	model = plan_event(&(struct hybrid_world){.arena = &a,
				   .lists = lists,
				   .assignments = assigned,
				   .n_assignments = read_assigned(bytes_str(r->assigned), assigned),
				   .hiclaw_version = BYTES("1.1")},
		r->event, &p);
	put_plan(&a, &p, model, &t);
	json_writer_init(&w, &after);
	doc_put_json(&a, &w, lists[OPS_AI_ROUTE]);
	if (strcmp(text_cstr(&t), r->expect) != 0 || !has_warning(&p, r->warning) ||
		p.updated != (p.rc == HYBRID_OK) || p.changed != (p.n_items > 0) ||
		(p.rc != HYBRID_OK && p.why.n == 0)) {
		fail_msg("%s: %s\n    %s\n    instead of %s; %zu warnings", r->event, r->reason,
			text_cstr(&t), r->expect, p.n_warnings);
	}
	if (!bytes_eq(text_bytes(&before), text_bytes(&after))) {
		fail_msg("%s: %s: what was given is not ours to change", r->event, r->reason);
	}
	text_done(&before);
	text_done(&after);
	text_done(&t);
	arena_done(&a);
}

static void plans(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check_row(&rows[i]);
	}
}

static const char default_route[] =
	"[{\"name\":\"default-ai-route\",\"version\":\"3\",\"domains\":[\"aigw\"],\"pathPredicate\":"
	"{\"matchType\":\"PRE\",\"matchValue\":\"/x\",\"caseSensitive\":false},\"upstreams\":[{"
	"\"provider\":\"qwen\",\"weight\":100,\"modelMapping\":{\"a\":\"b\"}}],\"authConfig\":{"
	"\"enabled\":true,\"allowedCredentialTypes\":[\"key-auth\"],\"allowedConsumers\":[\"manager\","
	"\"worker-bob\"]},\"headerControl\":{\"enabled\":true,\"request\":{\"add\":[{\"key\":"
	"\"user-agent\",\"value\":\"HiClaw/1\"}],\"set\":[],\"remove\":[]}},\"customLabels\":{}}]";

static const char inherited[] =
	"{\"domains\":[\"aigw\"],\"pathPredicate\":{\"matchType\":\"PRE\",\"matchValue\":\"/x\","
	"\"caseSensitive\":false},\"authConfig\":{\"enabled\":true,\"allowedCredentialTypes\":["
	"\"key-auth\"],\"allowedConsumers\":[\"manager\",\"worker-bob\"]},\"headerControl\":{"
	"\"enabled\":true,\"request\":{\"add\":[{\"key\":\"user-agent\",\"value\":\"HiClaw/1\"}],\"set\":"
	"[],\"remove\":[]}},\"name\":\"d-ai-route\",\"upstreams\":[{\"provider\":\"d\",\"weight\":100,"
	"\"modelMapping\":{}}],\"modelPredicates\":[{\"matchType\":\"PRE\",\"matchValue\":\"d\"}]}";

static const char hiclaw_default[] =
	"{\"name\":\"default-ai-route\",\"domains\":[],\"pathPredicate\":{\"matchType\":\"PRE\","
	"\"matchValue\":\"/v1\",\"caseSensitive\":false},\"upstreams\":[{\"provider\":\"d\",\"weight\":"
	"100,\"modelMapping\":{}}],\"authConfig\":{\"enabled\":true,\"allowedCredentialTypes\":["
	"\"key-auth\"],\"allowedConsumers\":[\"manager\",\"worker-alice\",\"worker-bob\"]},"
	"\"headerControl\":{\"request\":{\"add\":[{\"key\":\"user-agent\",\"value\":\"HiClaw/1.1\"}]},"
	"\"enabled\":true}}";

static void check_body(struct arena *a, const struct hybrid_plan *p, const char *expect)
{
	struct json_writer w;
	struct text t;

	text_init(&t, 10000);
	json_writer_init(&w, &t);
	doc_put_json(a, &w, p->items[p->n_items - 1].body);
	assert_string_equal(text_cstr(&t), expect);
	text_done(&t);
}

/* HI-43: domains, path, list of consumers and headers are the default route's; name, upstreams and conditions its
 * own; nothing else of it. And the default route that is made when there is none. */
static void shapes(void **state)
{
	struct doc *lists[OPS_NOUNS] = {NULL};
	struct hybrid_world world = {.lists = lists, .hiclaw_version = BYTES("1.1")};
	struct hybrid_plan p;
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	world.arena = &a;
	lists[OPS_AI_ROUTE] = doc_of_json(&a, json_parse(&a, bytes_str(default_route), NULL));
	lists[OPS_PROVIDER] = doc_of_json(
		&a, json_parse(&a, BYTES("[{\"name\":\"qwen\",\"type\":\"qwen\"}]"), NULL));
	hybrid_created(&world, BYTES("d"), BYTES("groq"), &p);
	check_body(&a, &p, inherited);
	lists[OPS_CONSUMER] = doc_of_json(&a, json_parse(&a, BYTES(CONSUMERS), NULL));
	lists[OPS_AI_ROUTE] = lists[OPS_PROVIDER] = NULL;
	hybrid_created(&world, BYTES("d"), BYTES("groq"), &p);
	check_body(&a, &p, hiclaw_default);
	arena_done(&a);
}

static void details(void **state)
{
	struct doc *lists[OPS_NOUNS] = {NULL};
	const struct row r = {.providers = "a b", .routes = "default@a f@b|a"};
	const struct hybrid_assignment assigned[] = {{BYTES("alice"), BYTES("a"), BYTES("m")}};
	struct hybrid_world world = {.lists = lists, .assignments = assigned, .n_assignments = 1};
	struct hybrid_plan p;
	struct arena a;
	struct json_writer w;
	struct text t;

	(void)state;
	arena_init(&a, 1 << 20);
	text_init(&t, 10000);
	world.arena = &a;
	make_lists(&a, &r, lists);
	hybrid_change_delete(&world, &(struct hybrid_change_delete){.provider = BYTES("a")}, &p);
	json_writer_init(&w, &t);
	doc_put_json(&a, &w, p.details);
	assert_string_equal(text_cstr(&t),
		"{\"routes\":[\"default-ai-route\",\"f\"],\"assignments\":[\"alice\"]}");
	hybrid_switch(&world,
		&(struct hybrid_switch){
			.target = BYTES("manager"), .provider = BYTES("b"), .model = BYTES("m")},
		&p);
	text_clear(&t);
	json_writer_init(&w, &t);
	doc_put_json(&a, &w, p.details);
	assert_string_equal(
		text_cstr(&t), "{\"target\":\"alice\",\"provider\":\"a\",\"model\":\"m\"}");
	text_done(&t);
	arena_done(&a);
}

/* However small the room: a refusal, never a half plan. */
static void room_ends(void **state)
{
	bool whole = false;

	(void)state;
	for (size_t max = 0; !whole; max += 64) {
		struct doc *lists[OPS_NOUNS] = {NULL};
		const struct hybrid_assignment assigned[] = {
			{BYTES("alice"), BYTES("qwen"), BYTES("qwen-max")}};
		struct hybrid_world world = {
			.lists = lists, .assignments = assigned, .n_assignments = 1};
		struct hybrid_plan p;
		struct arena given, a;

		arena_init(&given, 1 << 20);
		arena_init(&a, max);
		make_lists(&given, &rows[3], lists);
		world.arena = &a;
		hybrid_switch(&world,
			&(struct hybrid_switch){.target = BYTES("bob"),
				.provider = BYTES("qwen"),
				.model = BYTES("tongyi")},
			&p);
		hybrid_created(&world, BYTES("d"), BYTES("deepseek"), &p);
		whole = p.rc == HYBRID_OK;
		assert_true(whole || (p.rc == HYBRID_TOO_LARGE && p.n_items == 0));
		assert_true(max < 1 << 20);
		arena_done(&a);
		arena_done(&given);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans),
		cmocka_unit_test(shapes),
		cmocka_unit_test(details),
		cmocka_unit_test(room_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
