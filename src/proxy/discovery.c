/*
 * One question per cell at a time, beside others; nacos is first asked for a token, which those that have
 * the same credentials share until half of its time is over. A list is replaced only by another one, and
 * then idle connections are dropped: some may lead to an instance that has left.
 *
 * An answer without instances makes the cell vacant (503); no answer, or one that cannot be read, changes
 * nothing. Instances that are named instead of addressed are left out: names are what a dns registry is
 * for.
 */
#include "proxy/discovery.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "http/fetch.h"
#include "plan/discovered.h"
#include "proxy/gateway_int.h"
#include "proxy/zookeeper_ask.h"

/* What answers under way may hold in segments; they move on into texts. */
#define POOL_BYTES ((size_t)8 << 20)
#define CONNECT_MS 3000u
#define TIMEOUT_MS 10000u
/* A plan with thousands of services must not open as many connections in one moment. */
#define RUNNING_MAX 32u
/* Accident: credentials that change with each plan. The oldest is forgotten. */
#define LOGINS_MAX 64u
#define BODY_MAX ((size_t)64 << 10)
/* What nacos documents for its tokens. */
#define TOKEN_TTL_S 18000u

struct login {
	struct list link;
	struct discovered *of;
	struct bytes token; /* of the heap, a NUL behind it */
	uint64_t until_ms;
};

struct discovery {
	struct gateway *gateway;
	struct fetcher *fetcher; /* NULL until somebody asks */
	struct dns *dns;         /* NULL until zookeeper is asked */
	struct list running, logins;
	unsigned n_running, n_logins;
};

struct asking {
	struct list link;
	struct discovery *d;
	struct endpoint_cell *cell;
	struct discovered *of; /* a copy: the cell's may change meanwhile */
	struct fetch fetch;
	struct zookeeper_ask zookeeper;
	struct task answered; /* a fetch is not ended inside of its callback */
	struct text target, body, host;
	bool logging_in;
	bool with_token;
	bool again; /* a token was refused, and another one asked for */
};

struct discovery *discovery_new(struct gateway *g)
{
	struct discovery *d = must_alloc(sizeof(*d));

	d->gateway = g;
	list_init(&d->running);
	list_init(&d->logins);
	return d;
}

static void asking_free(struct asking *a)
{
	list_remove(&a->link);
	a->d->n_running--;
	fetch_done(&a->fetch);
	zookeeper_ask_end(&a->zookeeper);
	text_done(&a->target);
	text_done(&a->body);
	text_done(&a->host);
	free(a->of);
	free(a);
}

/* --- tokens ------------------------------------------------------------------------------------- */

static void forget_login(struct discovery *d, struct login *l)
{
	list_remove(&l->link);
	d->n_logins--;
	free(l->of);
	free((char *)(uintptr_t)l->token.p);
	free(l);
}

static bool same_login(const struct discovered *x, const struct discovered *y)
{
	static const enum discovered_text compared[] = {
		DISCOVERED_HOST, DISCOVERED_USER, DISCOVERED_SECRET};
	bool same = x->kind == y->kind && x->port == y->port;

	for (size_t i = 0; i < ARRAY_LEN(compared); i++) {
		same = same && bytes_eq(x->texts[compared[i]], y->texts[compared[i]]);
	}
	return same;
}

static struct login *find_login(struct discovery *d, const struct discovered *of)
{
	for (struct list *at = d->logins.next; at != &d->logins; at = at->next) {
		struct login *l = CONTAINER_OF(at, struct login, link);

		if (same_login(l->of, of)) {
			return l;
		}
	}
	return NULL;
}

static void keep_login(
	struct discovery *d, const struct discovered *of, struct bytes token, uint64_t ttl_s)
{
	struct login *l = find_login(d, of);
	char *copy = must_alloc(token.n + 1);

	if (l != NULL) {
		forget_login(d, l);
	} else if (d->n_logins == LOGINS_MAX) {
		forget_login(d, CONTAINER_OF(d->logins.next, struct login, link));
	}
	memcpy(copy, token.p, token.n);
	l = must_alloc(sizeof(*l));
	l->of = discovered_copy(of);
	l->token = bytes_of(copy, token.n);
	ttl_s = ttl_s == 0 || ttl_s > TOKEN_TTL_S ? TOKEN_TTL_S : ttl_s;
	l->until_ms = loop_now_ms(d->gateway->control) + ttl_s * 500;
	list_append(&d->logins, &l->link);
	d->n_logins++;
}

void discovery_free(struct discovery *d)
{
	if (d == NULL) {
		return;
	}
	while (!list_empty(&d->running)) {
		struct asking *a = CONTAINER_OF(d->running.next, struct asking, link);

		loop_again_cancel(&a->answered);
		fetch_cancel(&a->fetch);
		asking_free(a);
	}
	while (!list_empty(&d->logins)) {
		forget_login(d, CONTAINER_OF(d->logins.next, struct login, link));
	}
	fetcher_free(d->fetcher);
	dns_free(d->dns);
	free(d);
}

/* --- what a cell holds -------------------------------------------------------------------------- */

static void forget_idle(struct worker *w, void *arg)
{
	client_forget_endpoint(w->client, (uint32_t)(uintptr_t)arg);
}

static bool holds(const struct address_list *list, const struct sys_addr *addr)
{
	char one[SYS_ADDR_TEXT];
	char other[SYS_ADDR_TEXT];

	sys_addr_format(addr, one);
	for (unsigned i = 0; i < list->n; i++) {
		struct sys_addr at;

		memcpy(&at, list->v[i].room, sizeof(at));
		sys_addr_format(&at, other);
		if (strcmp(one, other) == 0) {
			return true;
		}
	}
	return false;
}

static void put_addresses(
	struct discovery *d, struct endpoint_cell *cell, const struct sys_addr *v, unsigned n)
{
	const struct address_list *old = atomic_load(&cell->addresses);
	bool same = old != NULL && old->n == n;

	for (unsigned i = 0; same && i < n; i++) {
		same = holds(old, &v[i]);
	}
	if (!same) {
		bool moved = old != NULL;

		resolver_replace(d->gateway, cell, v, n, 0);
		log_info("proxy", "service %s has %u instances", cell->host, n);
		if (moved) {
			gateway_post_all(d->gateway, forget_idle, (void *)(uintptr_t)cell->index);
		}
	}
	atomic_store(&cell->failed, 0);
	atomic_store(&cell->vacant, false);
}

static void put_none(struct discovery *d, struct endpoint_cell *cell, size_t n_all)
{
	if (!atomic_exchange(&cell->vacant, true)) {
		log_warn("proxy",
			"service %s has no usable instance in registry %s (%zu in all); requests for it "
			"answer 503 until it has",
			cell->host, cell->ask->texts[DISCOVERED_REGISTRY].p, n_all);
		gateway_post_all(d->gateway, forget_idle, (void *)(uintptr_t)cell->index);
	}
	atomic_store(&cell->failed, ERR_NOT_FOUND);
	cell->failed_ms = loop_now_ms(d->gateway->control);
}

/* Why an instance cannot be used; NULL: it can. */
static const char *why_not(const struct instance *i, bool tls, struct sys_addr *out)
{
	uint16_t port = tls ? i->tls_port : i->port;

	if (i->protocol.n != 0 &&
		!bytes_eq_nocase(i->protocol, tls ? BYTES("https") : BYTES("http"))) {
		return "speaks another protocol than the registry's `protocol`";
	}
	if (port == 0) {
		return "has no port";
	}
	if (i->address.n == 0 || sys_addr_parse(out, i->address.p, i->address.n, port) != 0) {
		return "is not given by an IP address";
	}
	return NULL;
}

static void take_instances(struct asking *a, const struct instances *found)
{
	struct sys_addr *v = must_alloc((found->n + 1) * sizeof(*v));
	unsigned n = 0;
	const char *why = NULL;

	for (size_t i = 0; i < found->n; i++) {
		struct sys_addr addr = {0};
		const char *no = why_not(&found->v[i], a->of->tls, &addr);

		if (no == NULL) {
			v[n++] = addr;
		} else {
			why = no;
		}
	}
	if (why != NULL && !a->cell->left_out) {
		log_warn("proxy", "service %s: of its %zu instances %zu are left out; one %s",
			a->cell->host, found->n, found->n - n, why);
	}
	a->cell->left_out = why != NULL;
	if (n != 0) {
		put_addresses(a->d, a->cell, v, n);
	} else {
		put_none(a->d, a->cell, found->n_all);
	}
	free(v);
}

/* --- the end of a question ---------------------------------------------------------------------- */

static void finish(struct asking *a)
{
	struct gateway *g = a->d->gateway;
	struct endpoint_cell *cell = a->cell;

	asking_free(a);
	resolver_answered(g, cell);
}

static void fail(struct asking *a, const char *why)
{
	struct endpoint_cell *cell = a->cell;
	struct gateway *g = a->d->gateway;

	g->registry_failures++;
	if (!cell->ask_failed) {
		log_warn("proxy", "registry %s at %s:%u could not be asked for service %s (%s); %s",
			a->of->texts[DISCOVERED_REGISTRY].p, a->of->texts[DISCOVERED_HOST].p,
			a->of->port, cell->host, why,
			atomic_load(&cell->addresses) != NULL
				? "the instances that are known stay in use"
				: "requests for it answer 503 until it can");
	}
	cell->ask_failed = true;
	cell->failed_ms = loop_now_ms(g->control);
	atomic_store(&cell->failed, ERR_IO);
	finish(a);
}

static void fail_status(struct asking *a)
{
	char why[96];

	snprintf(why, sizeof(why), "%s was answered with status %u%s",
		a->logging_in ? "the login" : "the question", a->fetch.status,
		a->fetch.status == 401 || a->fetch.status == 403
			? ": check the Secret of authSecretName"
			: "");
	fail(a, why);
}

static void take(struct asking *a, const struct instances *found)
{
	if (a->cell->ask_failed) {
		log_info("proxy", "registry %s answers again for service %s",
			a->of->texts[DISCOVERED_REGISTRY].p, a->cell->host);
	}
	a->cell->ask_failed = false;
	take_instances(a, found);
	finish(a);
}

static void read_nodes(struct asking *a)
{
	const struct zookeeper_ask *z = &a->zookeeper;
	struct instances found = {0};
	struct fault fault = {0};
	struct arena arena;

	arena_init(&arena, 64 * INSTANCES_ANSWER_MAX);
	if (z->rc != 0) {
		fail(a, z->why.text);
	} else if (instances_read_nodes(z->nodes, z->n_nodes, &arena, &found, &fault) != 0) {
		fail(a, fault.text);
	} else {
		take(a, &found);
	}
	arena_done(&arena);
}

static void read_answer(struct asking *a)
{
	struct instances found = {0};
	struct fault fault = {0};
	struct arena arena;
	int rc;

	arena_init(&arena, 64 * INSTANCES_ANSWER_MAX);
	/* Eureka has no empty lists. */
	rc = a->fetch.status == 404 ? 0
				    : instances_read(a->of->kind, text_bytes(&a->fetch.body_in),
					      &arena, &found, &fault);
	if (rc != 0) {
		fail(a, fault.text);
	} else {
		take(a, &found);
	}
	arena_done(&arena);
}

static void begin(struct asking *a);

static void read_login(struct asking *a)
{
	struct fault fault = {0};
	struct arena arena;
	struct bytes token;
	uint64_t ttl_s;
	int rc;

	arena_init(&arena, 64 * INSTANCES_ANSWER_MAX);
	rc = instances_read_token(text_bytes(&a->fetch.body_in), &arena, &token, &ttl_s, &fault);
	if (rc != 0) {
		fail(a, fault.text);
	} else {
		keep_login(a->d, a->of, token, ttl_s);
		begin(a);
	}
	arena_done(&arena);
}

static bool is_refused(const struct asking *a)
{
	return a->with_token && !a->again && (a->fetch.status == 401 || a->fetch.status == 403);
}

static void on_answered(struct task *t)
{
	struct asking *a = CONTAINER_OF(t, struct asking, answered);
	struct fetch *f = &a->fetch;
	struct login *l;

	if (a->of->kind == INSTANCES_ZOOKEEPER) {
		read_nodes(a);
	} else if (f->rc != FETCH_DONE) {
		fail(a, f->why.text);
	} else if (is_refused(a)) {
		l = find_login(a->d, a->of);
		a->again = true;
		if (l != NULL) {
			forget_login(a->d, l);
		}
		begin(a);
	} else if (f->status == 200 && a->logging_in) {
		read_login(a);
	} else if (f->status == 200 || (f->status == 404 && a->of->kind == INSTANCES_EUREKA)) {
		read_answer(a);
	} else {
		fail_status(a);
	}
}

static void on_fetched(struct fetch *f)
{
	struct asking *a = f->arg;

	loop_again(a->d->gateway->control, &a->answered, on_answered);
}

/* --- the question ------------------------------------------------------------------------------- */

static void write_request(struct asking *a, const struct login *login)
{
	struct fetch *f = &a->fetch;

	text_clear(&a->target);
	text_clear(&a->body);
	if (a->logging_in) {
		discovered_login(a->of, &a->target, &a->body);
		f->method = BYTES("POST");
		f->body = text_bytes(&a->body);
		fetch_add(f, BYTES("Content-Type"), BYTES("application/x-www-form-urlencoded"));
	} else {
		discovered_target(a->of, login != NULL ? login->token : BYTES(""), &a->target);
		f->method = BYTES("GET");
		if (a->of->kind == INSTANCES_CONSUL && a->of->texts[DISCOVERED_SECRET].n != 0) {
			fetch_add(f, BYTES("X-Consul-Token"), a->of->texts[DISCOVERED_SECRET]);
		}
	}
	f->target = text_bytes(&a->target);
	fetch_add(f, BYTES("Host"), text_bytes(&a->host));
	fetch_add(f, BYTES("Accept"), BYTES("application/json"));
}

static void on_nodes(struct zookeeper_ask *z)
{
	struct asking *a = CONTAINER_OF(z, struct asking, zookeeper);

	loop_again(a->d->gateway->control, &a->answered, on_answered);
}

static void begin_zookeeper(struct asking *a)
{
	struct discovery *d = a->d;
	struct fault fault = {0};

	discovered_target(a->of, BYTES(""), &a->target);
	if (text_full(&a->target)) {
		fail(a, "the name of its node is too long");
		return;
	}
	if (d->dns == NULL) {
		d->dns = dns_new(d->gateway->control, &fault);
	}
	if (d->dns == NULL) {
		fail(a, fault.text);
		return;
	}
	a->zookeeper = (struct zookeeper_ask){.loop = d->gateway->control,
		.dns = d->dns,
		.host = a->of->texts[DISCOVERED_HOST].p,
		.port = a->of->port,
		.node = text_bytes(&a->target),
		.connect_ms = CONNECT_MS,
		.timeout_ms = TIMEOUT_MS,
		.on_done = on_nodes};
	zookeeper_ask_start(&a->zookeeper);
}

/* A new request in the place of the one before. */
static void begin(struct asking *a)
{
	struct discovery *d = a->d;
	struct login *login = discovered_logs_in(a->of) ? find_login(d, a->of) : NULL;

	if (login != NULL && loop_now_ms(d->gateway->control) >= login->until_ms) {
		forget_login(d, login);
		login = NULL;
	}
	a->with_token = login != NULL;
	a->logging_in = discovered_logs_in(a->of) && login == NULL;
	fetch_done(&a->fetch);
	a->fetch = (struct fetch){.host = a->of->texts[DISCOVERED_HOST].p,
		.port = a->of->port,
		.connect_ms = CONNECT_MS,
		.timeout_ms = TIMEOUT_MS,
		.answer_max = INSTANCES_ANSWER_MAX,
		.on_done = on_fetched,
		.arg = a};
	write_request(a, login);
	if (text_full(&a->target) || text_full(&a->body) || text_full(&a->host)) {
		fail(a, "the question is longer than a request line: names or credentials are too long");
		return;
	}
	if (d->fetcher == NULL) {
		d->fetcher = fetcher_new(d->gateway->control, POOL_BYTES, false, NULL);
	}
	fetch_start(d->fetcher, &a->fetch);
}

void discovery_ask(struct discovery *d, struct endpoint_cell *cell)
{
	struct asking *a;

	if (atomic_load(&cell->resolving)) {
		return;
	}
	a = must_alloc(sizeof(*a));
	a->d = d;
	a->cell = cell;
	a->of = discovered_copy(cell->ask);
	text_init(&a->target, DISCOVERED_TARGET_MAX);
	text_init(&a->body, BODY_MAX);
	text_init(&a->host, BODY_MAX);
	text_addf(&a->host,
		strchr(a->of->texts[DISCOVERED_HOST].p, ':') != NULL ? "[%s]:%u" : "%s:%u",
		a->of->texts[DISCOVERED_HOST].p, a->of->port);
	cells_hold(cell);
	atomic_store(&cell->resolving, true);
	cell->ask_at_ms = loop_now_ms(d->gateway->control) + (uint64_t)a->of->refresh_s * 1000;
	list_append(&d->running, &a->link);
	d->n_running++;
	if (a->of->kind == INSTANCES_ZOOKEEPER) {
		begin_zookeeper(a);
	} else {
		begin(a);
	}
}

void discovery_tick(struct discovery *d, const struct plan *p)
{
	uint64_t now = loop_now_ms(d->gateway->control);

	for (size_t i = 0; i < p->n_endpoints && d->n_running < RUNNING_MAX; i++) {
		struct endpoint_cell *cell = p->endpoints[i]->cell;

		if (p->endpoints[i]->ask != NULL && cell != NULL && now >= cell->ask_at_ms) {
			discovery_ask(d, cell);
		}
	}
}
