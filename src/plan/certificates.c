/*
 * Two tables: of hosts that somebody names a Secret for, and of the names in TLS Secrets. A key is
 * "a.com" for itself and ".a.com" for "*.a.com". Names of the second table are those of the
 * certificates, which are held. Texts of the snapshot are used while compiling only.
 */
#include "plan/certificates.h"

#include <stdlib.h>

#include "plan/build.h"

#define HOST_MAX 255u
#define DOMAIN_PREFIX "domain-"
#define DEFAULT_DOMAIN "higress-default-domain"

struct held {
	const struct certificate *certificate; /* one reference, once it is in the list */
	struct held *next;
	bool listed;
};

struct domain {
	bool force;
};

struct certificates {
	struct map by_host, by_name; /* to struct held */
	struct map domains;          /* to struct domain, "*" for the default one */
	const struct held *any;
	struct held *list;
};

struct builder {
	struct plan *plan;
	const struct snapshot *snapshot;
	struct certificates *c;
	struct map secrets; /* those with a certificate, to struct held */
};

#define note(b, make, o, at, code, ...)                                   \
	do {                                                              \
		struct finding where_ = make(o, at, code);                \
		findings_add(&(b)->plan->findings, &where_, __VA_ARGS__); \
	} while (0)

/* --- Secrets ------------------------------------------------------------------------------------ */

static bool is_tls(const struct object *secret)
{
	return bytes_eq(secret->u.secret.type, BYTES(SECRET_TLS));
}

static struct bytes key_of(struct bytes host)
{
	return host.p[0] == '*' ? bytes_of(host.p + 1, host.n - 1) : host;
}

static void hold(struct builder *b, struct held *h)
{
	if (h->listed) {
		return;
	}
	certificate_ref(h->certificate);
	h->listed = true;
	h->next = b->c->list;
	b->c->list = h;
	b->plan->n_certificates++;
}

static void put_names(struct builder *b, struct held *h)
{
	for (size_t i = 0; i < h->certificate->n_names; i++) {
		struct bytes key = key_of(h->certificate->names[i]);
		const struct held *other = map_get(&b->c->by_name, key);

		if (other == NULL ||
			h->certificate->not_after_s > other->certificate->not_after_s) {
			map_put(&b->c->by_name, key, h);
		}
	}
}

static void add_secrets(struct builder *b)
{
	size_t from;
	size_t n = snapshot_kind(b->snapshot, RESOURCE_SECRET, &from);

	for (size_t i = from; i < from + n; i++) {
		const struct object *o = b->snapshot->objects[i];
		struct held *h;

		if (o->u.secret.certificate == NULL) {
			continue;
		}
		h = arena_must(&b->plan->arena, sizeof(*h));
		h->certificate = o->u.secret.certificate;
		map_put(&b->secrets, o->meta.name, h);
		if (is_tls(o)) {
			hold(b, h);
			put_names(b, h);
		}
	}
}

/* --- who names them ----------------------------------------------------------------------------- */

struct naming { /* a Secret for a host */
	const struct object *by;
	struct bytes host, secret;
	struct place at; /* of the Secret's name */
	struct place host_at;
};

static struct held *find_secret(struct builder *b, const struct naming *n)
{
	struct bytes name = bytes_trim(n->secret);
	struct held *h = map_get(&b->secrets, name);
	const struct object *o = snapshot_get(b->snapshot, RESOURCE_SECRET, name);

	if (o == NULL) {
		note(b, build_error, n->by, n->at, "certificate-missing",
			"there is no Secret " BYTES_FMT
			" in secrets/, or it could not be read; " BYTES_FMT
			" is served with another certificate, if one covers it",
			BYTES_ARG(name), BYTES_ARG(n->host));
	} else if (h == NULL) {
		note(b, build_error, n->by, n->at, "certificate-type",
			"the Secret " BYTES_FMT " holds no certificate: make its type " SECRET_TLS
			", with tls.crt and tls.key",
			BYTES_ARG(name));
	} else if (!is_tls(o)) {
		note(b, build_warning, n->by, n->at, "certificate-type",
			"the Secret " BYTES_FMT
			" is used for its tls.crt and tls.key, but its type is not " SECRET_TLS
			": change it",
			BYTES_ARG(name));
	}
	return h;
}

static void check_name(struct builder *b, const struct naming *n, const struct held *h)
{
	if (!bytes_eq(n->host, BYTES("*")) && !certificate_covers(h->certificate, n->host)) {
		note(b, build_warning, n->by, n->host_at, "certificate-name",
			"the certificate in the Secret " BYTES_FMT " does not cover " BYTES_FMT
			", so clients will refuse it: name another Secret",
			BYTES_ARG(bytes_trim(n->secret)), BYTES_ARG(n->host));
	}
}

static bool is_same(const struct held *a, const struct held *b)
{
	return memcmp(a->certificate->id, b->certificate->id, sizeof(a->certificate->id)) == 0;
}

/* The first that names a usable one for a host is the one that counts. */
static void name_secret(struct builder *b, const struct naming *n)
{
	bool any = bytes_eq(n->host, BYTES("*"));
	const struct held *other = any ? b->c->any : map_get(&b->c->by_host, key_of(n->host));
	struct held *h = find_secret(b, n);

	if (h == NULL || (other != NULL && is_same(other, h))) {
		return;
	}
	if (other != NULL) {
		note(b, build_warning, n->by, n->at, "certificate-conflict",
			"%s" BYTES_FMT
			" has another Secret already, by a domain or an older Ingress; " BYTES_FMT
			" is not used for it",
			any ? "the default host " : "", BYTES_ARG(n->host),
			BYTES_ARG(bytes_trim(n->secret)));
		return;
	}
	check_name(b, n, h);
	hold(b, h);
	if (any) {
		b->c->any = h;
	} else {
		map_put(&b->c->by_host, key_of(n->host), h);
	}
}

/* --- domains ------------------------------------------------------------------------------------ */

static bool read_domain_host(struct builder *b, const struct object *o, struct naming *n)
{
	const struct pair *domain = pairs_find(&o->u.configmap.data, BYTES("domain"));
	struct place top = {1, 1};

	if (domain == NULL || bytes_trim(domain->value).n == 0) {
		note(b, build_warning, o, domain != NULL ? domain->at : top, "domain-missing",
			"a ConfigMap whose name begins with " DOMAIN_PREFIX
			" is a domain and has the host in data.domain: add it");
		return false;
	}
	n->host_at = domain->at;
	if (bytes_eq(bytes_trim(domain->value), BYTES(DEFAULT_DOMAIN))) {
		n->host = BYTES("*");
		return true;
	}
	if (!build_host(&b->plan->arena, domain->value, &n->host)) {
		note(b, build_error, o, domain->at, "bad-host",
			"the domain " BYTES_FMT
			" is none that a request can have; the domain is left out",
			BYTES_ARG(domain->value));
		return false;
	}
	return true;
}

/* Only compared with off (§3.1), but a value that nobody writes is worth a word. */
static bool read_https(struct builder *b, const struct object *o, bool *force)
{
	const struct pair *p = pairs_find(&o->u.configmap.data, BYTES("enableHttps"));
	struct bytes value = p != NULL ? bytes_trim(p->value) : BYTES("");

	*force = bytes_eq(value, BYTES("force"));
	if (value.n != 0 && !*force && !bytes_eq(value, BYTES("on")) &&
		!bytes_eq(value, BYTES("off"))) {
		note(b, build_warning, o, p->at, "enable-https",
			"enableHttps is off, on or force, and what stands there is taken as on: "
			"correct it");
	}
	return !bytes_eq(value, BYTES("off"));
}

static void add_domain(struct builder *b, const struct object *o)
{
	const struct pair *cert = pairs_find(&o->u.configmap.data, BYTES("cert"));
	struct naming n = {.by = o};
	struct domain *d;
	bool force, https;

	if (!read_domain_host(b, o, &n)) {
		return;
	}
	if (map_get(&b->c->domains, n.host) != NULL) {
		note(b, build_warning, o, n.host_at, "domain-duplicate",
			"another ConfigMap is the domain of this host already; this one is left out");
		return;
	}
	d = arena_must(&b->plan->arena, sizeof(*d));
	map_put(&b->c->domains, n.host, d);
	https = read_https(b, o, &force);
	if (!https || cert == NULL || bytes_trim(cert->value).n == 0) {
		if (https && pairs_get(&o->u.configmap.data, "enableHttps").n != 0) {
			note(b, build_warning, o, n.host_at, "certificate-unnamed",
				"a domain without cert is served over plain HTTP, whatever "
				"enableHttps says: name a TLS Secret in data.cert");
		}
		return;
	}
	d->force = force;
	n.secret = cert->value;
	n.at = cert->at;
	name_secret(b, &n);
}

static void add_domains(struct builder *b)
{
	size_t from;
	size_t n = snapshot_kind(b->snapshot, RESOURCE_CONFIGMAP, &from);

	for (size_t i = from; i < from + n; i++) {
		if (bytes_starts(b->snapshot->objects[i]->meta.name, BYTES(DOMAIN_PREFIX))) {
			add_domain(b, b->snapshot->objects[i]);
		}
	}
}

/* --- Ingresses ---------------------------------------------------------------------------------- */

static void add_tls(struct builder *b, const struct object *o, const struct ingress_tls *tls)
{
	struct naming n = {.by = o, .secret = tls->secret, .at = tls->at, .host_at = tls->at};

	if (bytes_trim(tls->secret).n == 0) {
		return; /* whatever covers the hosts will do */
	}
	if (tls->hosts.n == 0) {
		n.host = BYTES("*");
		name_secret(b, &n);
	}
	for (size_t i = 0; i < tls->hosts.n; i++) {
		n.host_at = tls->hosts.at[i];
		if (build_host(&b->plan->arena, tls->hosts.v[i], &n.host)) {
			name_secret(b, &n);
		} else {
			note(b, build_error, o, n.host_at, "bad-host",
				"the host " BYTES_FMT
				" is none that a request can have; it is left out",
				BYTES_ARG(tls->hosts.v[i]));
		}
	}
}

static void add_ingresses(struct builder *b)
{
	size_t from, n_tls = 0;
	size_t n = snapshot_kind(b->snapshot, RESOURCE_INGRESS, &from);
	struct object **sorted = must_alloc((n + 1) * sizeof(struct object *));

	for (size_t i = from; i < from + n; i++) {
		if (b->snapshot->objects[i]->u.ingress.n_tls != 0) {
			sorted[n_tls++] = b->snapshot->objects[i];
		}
	}
	qsort(sorted, n_tls, sizeof(struct object *), build_by_age);
	for (size_t i = 0; i < n_tls; i++) {
		const struct ingress *spec = &sorted[i]->u.ingress;

		for (size_t k = 0; k < spec->n_tls; k++) {
			add_tls(b, sorted[i], &spec->tls[k]);
		}
	}
	free(sorted);
}

/* --- names ---------------------------------------------------------------------------------------- */

static size_t next_dot(struct bytes name, size_t from)
{
	const char *dot = from < name.n ? memchr(name.p + from, '.', name.n - from) : NULL;

	return dot != NULL ? (size_t)(dot - name.p) : name.n;
}

/* What is named: the host itself, then "*." and ever shorter endings. */
static const struct held *find_named(const struct certificates *c, struct bytes name)
{
	const struct held *h = map_get(&c->by_host, name);

	for (size_t i = next_dot(name, 1); h == NULL && i < name.n; i = next_dot(name, i + 1)) {
		h = map_get(&c->by_host, bytes_of(name.p + i, name.n - i));
	}
	return h;
}

/* What covers it: "*." stands for one label. */
static const struct held *find_covering(const struct certificates *c, struct bytes name)
{
	const struct held *h = map_get(&c->by_name, name);
	size_t dot = next_dot(name, 1);

	return h != NULL || dot == name.n
		? h
		: map_get(&c->by_name, bytes_of(name.p + dot, name.n - dot));
}

static const struct held *find(const struct certificates *c, struct bytes name)
{
	const struct held *h = find_named(c, name);

	return h != NULL ? h : find_covering(c, name);
}

static void add_alias(struct certificates *c, const struct plan_alias *alias)
{
	const struct held *h = alias->name.n != 0 ? find(c, alias->of) : NULL;

	if (h != NULL && find(c, alias->name) == NULL) {
		map_put(&c->by_host, alias->name, (void *)(uintptr_t)h);
	}
}

void certificates_compile(struct plan *p, const struct snapshot *s, const struct hash_seed *seed)
{
	struct builder b = {.plan = p, .snapshot = s};

	b.c = arena_must(&p->arena, sizeof(*b.c));
	map_init(&b.c->by_host, seed);
	map_init(&b.c->by_name, seed);
	map_init(&b.c->domains, seed);
	map_init(&b.secrets, seed);
	add_secrets(&b);
	add_domains(&b);
	add_ingresses(&b);
	map_done(&b.secrets);
	add_alias(b.c, &p->alias);
	p->certificates = b.c;
}

void certificates_done(struct certificates *c)
{
	if (c == NULL) {
		return;
	}
	for (struct held *h = c->list; h != NULL; h = h->next) {
		certificate_unref(h->certificate);
	}
	map_done(&c->by_host);
	map_done(&c->by_name);
	map_done(&c->domains);
}

/* --- asking ------------------------------------------------------------------------------------- */

bool certificates_forces(const struct certificates *c, struct bytes host)
{
	const struct domain *d = map_get(&c->domains, host);

	return d != NULL && d->force;
}

const struct certificate *plan_certificate(const struct plan *p, struct bytes name)
{
	const struct certificates *c = p->certificates;
	const struct held *h = NULL;
	char lower[HOST_MAX];

	if (name.n != 0 && name.n <= HOST_MAX && name.p[0] != '.') {
		for (size_t i = 0; i < name.n; i++) {
			lower[i] = ascii_lower(name.p[i]);
		}
		name.p = lower;
		h = find(c, name);
	}
	h = h != NULL ? h : c->any;
	return h != NULL ? h->certificate : NULL;
}
