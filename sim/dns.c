/* net/dns.h with scripted answers (sim/names.h). An answer comes by a timer of the asking loop. */
#include "net/dns.h"

#include <stdlib.h>

#include "sim/names.h"
#include "sim/world.h"

#define NAMES_MAX 64u

struct name {
	char *host;
	struct name_answer answer;
	unsigned asked;
};

struct names {
	struct name v[NAMES_MAX];
	unsigned n;
};

struct names *names_new(void)
{
	return must_alloc(sizeof(struct names));
}

void names_free(struct names *n)
{
	for (unsigned i = 0; i < n->n; i++) {
		free(n->v[i].host);
	}
	free(n);
}

static struct name *find(const struct names *n, struct bytes host)
{
	for (unsigned i = 0; i < n->n; i++) {
		if (bytes_eq_nocase(bytes_str(n->v[i].host), host)) {
			return (struct name *)(uintptr_t)&n->v[i];
		}
	}
	return NULL;
}

static struct name *find_or_add(struct names *n, struct bytes host)
{
	struct name *it = find(n, host);

	if (it == NULL) {
		ASSERT(n->n < NAMES_MAX);
		it = &n->v[n->n++];
		it->host = bytes_dup(host);
		it->answer.err = ERR_NOT_FOUND;
	}
	return it;
}

void names_set(struct names *n, struct bytes host, const struct name_answer *a)
{
	find_or_add(n, host)->answer = *a;
}

unsigned names_asked(const struct names *n, struct bytes host)
{
	const struct name *it = find(n, host);

	return it == NULL ? 0 : it->asked;
}

const struct name_answer *names_ask(struct names *n, struct bytes host)
{
	struct name *it = find_or_add(n, host);

	it->asked++;
	return &it->answer;
}

/* --- dns.h -------------------------------------------------------------------------------------- */

struct question {
	struct list link;
	struct timer timer;
	struct dns *dns;
	struct dns_query *query;
	uint16_t port;
	bool timed_out;
	struct name_answer answer;
};

struct dns {
	struct loop *loop;
	struct list asked;
};

struct dns *dns_new(struct loop *l, struct fault *fault)
{
	struct dns *d = must_alloc(sizeof(*d));

	(void)fault;
	d->loop = l;
	list_init(&d->asked);
	return d;
}

static void question_free(struct question *q)
{
	timer_clear(q->dns->loop, &q->timer);
	list_remove(&q->link);
	free(q);
}

void dns_free(struct dns *d)
{
	if (d == NULL) {
		return;
	}
	while (!list_empty(&d->asked)) {
		question_free(CONTAINER_OF(d->asked.next, struct question, link));
	}
	free(d);
}

static void on_due(struct timer *t)
{
	struct question *q = CONTAINER_OF(t, struct question, timer);
	struct dns_query *query = q->query;
	struct dns_answer a = {.ttl_s = q->answer.ttl_s};
	static const char failed[] = "the script says no";
	static const char late[] = "no answer in time";

	a.err = q->timed_out ? ERR_TIMEOUT : q->answer.err;
	if (a.err != 0) {
		memcpy(a.text, q->timed_out ? late : failed,
			q->timed_out ? sizeof(late) : sizeof(failed));
	} else {
		a.n = q->answer.n;
		for (unsigned i = 0; i < a.n; i++) {
			a.addrs[i] = q->answer.addrs[i];
			sys_addr_set_port(&a.addrs[i], q->port);
		}
	}
	question_free(q);
	query->done = true;
	query->on_answer(query, &a);
}

void dns_resolve(struct dns *d, struct dns_query *q, const char *host, uint16_t port,
	unsigned timeout_ms, void (*on_answer)(struct dns_query *q, const struct dns_answer *a))
{
	struct question *it = must_alloc(sizeof(*it));
	const struct name_answer *a = names_ask(world()->names, bytes_str(host));

	q->on_answer = on_answer;
	q->port = port;
	q->done = q->cancelled = false;
	it->dns = d;
	it->query = q;
	it->port = port;
	it->answer = *a;
	it->timed_out = a->silent || a->after_ms > timeout_ms;
	list_append(&d->asked, &it->link);
	timer_set(d->loop, &it->timer, it->timed_out ? timeout_ms : a->after_ms, on_due);
}

void dns_cancel(struct dns *d, struct dns_query *q)
{
	for (struct list *at = d->asked.next; at != &d->asked; at = at->next) {
		struct question *it = CONTAINER_OF(at, struct question, link);

		if (it->query == q) {
			q->cancelled = true;
			question_free(it);
			return;
		}
	}
}
