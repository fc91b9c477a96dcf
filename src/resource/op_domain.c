/*
 * Domains: ConfigMaps that say whether a host is served with HTTPS (higress-resources.md §3.1). Ingresses of
 * the domain follow: their tls part is a copy of it.
 */
#include <stdlib.h>

#include "resource/op_int.h"

#define PREFIX "domain-"
/* Kubernetes: the name part of a label has at most 63 characters. */
#define LABEL_NAME_MAX 63u
/* RFC 1035 §2.3.4; Kubernetes: names of objects. */
#define NAME_LONGEST 253u

static const struct op_shape_row rows[] = {
	{"name", OP_SHAPE_TEXT, NULL},
	{"version", OP_SHAPE_TEXT, NULL},
	{"enableHttps", OP_SHAPE_TEXT, NULL},
	{"certIdentifier", OP_SHAPE_TEXT, NULL},
};
static const struct op_shape shape = {rows, ARRAY_LEN(rows)};

static struct bytes record_name(struct op *o, struct bytes domain)
{
	struct bytes normal = op_normal_domain(o, domain);

	return op_textf(o, PREFIX BYTES_FMT, BYTES_ARG(normal));
}

static struct bytes text_of(struct op *o, const struct doc *m, const char *key)
{
	return doc_text(doc_get(o->arena, m, key), BYTES(""));
}

/* --- checks ------------------------------------------------------------------------------------- */

static bool is_host(struct bytes s, const char *more)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);

		if (!ascii_digit(c) && (c < 'a' || c > 'z') &&
			(c == '\0' || strchr(more, c) == NULL)) {
			return false;
		}
	}
	return s.n > 0;
}

/* A host name, "*." and one, or an address. */
static bool is_domain(struct bytes name)
{
	struct bytes rest = name, label;

	if (memchr(name.p, ':', name.n) != NULL) {
		bool brackets = name.p[0] == '[' && name.p[name.n - 1] == ']';

		return op_host_is_ipv6(brackets ? bytes_of(name.p + 1, name.n - 2) : name);
	}
	if (bytes_starts(rest, BYTES("*."))) {
		rest = bytes_of(rest.p + 2, rest.n - 2);
	}
	do {
		label = bytes_cut(&rest, '.');
		if (!is_host(label, "-_") || label.n > LABEL_NAME_MAX || label.p[0] == '-' ||
			label.p[label.n - 1] == '-') {
			return false;
		}
	} while (rest.p != NULL);
	return true;
}

static enum op_rc check_domain(struct op *o, struct bytes name, const struct doc *given)
{
	struct bytes https = text_of(o, given, "enableHttps"),
		     cert = text_of(o, given, "certIdentifier");

	if (name.n == 0 || name.n > NAME_LONGEST || !is_domain(name)) {
		return op_refuse(o, OP_INVALID,
			"the name of the domain must be a host name, \"*.\" and a host name, an "
			"address, or higress-default-domain");
	}
	if (https.n > 0 && !bytes_eq(https, BYTES("off")) && !bytes_eq(https, BYTES("on")) &&
		!bytes_eq(https, BYTES("force"))) {
		return op_refuse(o, OP_INVALID, "enableHttps must be off, on or force");
	}
	if (memchr(cert.p, '/', cert.n) != NULL || !op_is_word(cert) || cert.n > NAME_LONGEST) {
		return op_refuse(o, OP_INVALID, "certIdentifier must be the name of a certificate");
	}
	return op_check_file_name(o, "domain", record_name(o, name));
}

/* "*.a.com" and "wildcard.a.com" have one file. A record that says another name altogether is a person's. */
static bool is_record_of(struct op *o, const struct doc *root, struct bytes name)
{
	struct bytes said = text_of(o, doc_get(o->arena, root, "data"), "domain");
	bool star = name.n > 0 && name.p[0] == '*';

	return said.n == 0 || bytes_eq(said, name) || (said.p[0] == '*') == star ||
		!bytes_eq(op_normal_domain(o, said), op_normal_domain(o, name));
}

static enum op_rc check_place(
	struct op *o, enum op_mode mode, struct bytes name, const struct doc *body)
{
	struct bytes record = record_name(o, name);
	const struct doc *root = draft_look(&o->draft, RESOURCE_CONFIGMAP, record);
	bool there = root != NULL;

	if (!is_record_of(o, root, name)) {
		return op_refuse(o, OP_INVALID,
			"the domain " BYTES_FMT " would have the file of " BYTES_FMT,
			BYTES_ARG(name),
			BYTES_ARG(text_of(o, doc_get(o->arena, root, "data"), "domain")));
	}
	if (mode == OP_CREATE) {
		return there ? op_refuse(o, OP_EXISTS, "the domain " BYTES_FMT " exists already",
				       BYTES_ARG(name))
			     : OP_OK;
	}
	return there ? op_check_version(o, RESOURCE_CONFIGMAP, record, body)
		     : op_refuse(o, OP_MISSING, "there is no domain " BYTES_FMT, BYTES_ARG(name));
}

static void warn_about(struct op *o, struct bytes name, const struct doc *given)
{
	struct bytes https = text_of(o, given, "enableHttps"),
		     cert = text_of(o, given, "certIdentifier");
	bool on = https.n > 0 && !bytes_eq(https, BYTES("off"));

	if (on && cert.n == 0) {
		op_warn(o,
			"the domain " BYTES_FMT " has no certificate: it is served without HTTPS",
			BYTES_ARG(name));
	}
	if (cert.n > 0 && draft_look(&o->draft, RESOURCE_SECRET, cert) == NULL) {
		op_warn(o, "the certificate " BYTES_FMT " does not exist", BYTES_ARG(cert));
	}
	if (op_normal_domain(o, name).n + sizeof("domain_") - 1 > LABEL_NAME_MAX) {
		op_warn(o,
			"the domain " BYTES_FMT
			" is too long for a label: a Kubernetes cluster refuses its routes",
			BYTES_ARG(name));
	}
}

/* --- Ingresses of a domain ---------------------------------------------------------------------- */

struct follower { /* an Ingress whose tls will be another */
	struct bytes name;
	struct doc *tls;
	bool redirect, guarded; /* guarded: key-auth has a rule of it */
};

struct followers {
	struct follower *v;
	size_t n;
};

static bool is_labelled(struct op *o, const struct doc *root, struct bytes domain)
{
	struct bytes normal = op_normal_domain(o, domain);

	return op_is_ours(o, root) &&
		doc_get_bytes(o->arena, doc_at(o->arena, root, "metadata.labels"),
			op_textf(o, LABEL_DOMAIN BYTES_FMT, BYTES_ARG(normal))) != NULL;
}

static bool follows(struct op *o, const struct doc *root, struct bytes domain)
{
	if (bytes_eq(domain, DEFAULT_DOMAIN)) {
		return op_is_ours(o, root) &&
			doc_first(o->arena, op_ingress_hosts(o, root)) == NULL;
	}
	return is_labelled(o, root, domain);
}

/* Those of the domain, with what their tls shall be. OP_INVALID: one would have domains that disagree. */
static enum op_rc find_followers(struct op *o, const struct op_https *as_if, struct followers *out)
{
	struct draft_walk w = {0};
	struct bytes name;
	const struct doc *root;
	enum op_rc rc;
	size_t n = 0;

	while (draft_next(&o->draft, &w, RESOURCE_INGRESS, &name, &root)) {
		n += follows(o, op_ingress_normal(o, root, name), as_if->domain);
	}
	*out = (struct followers){0};
	out->v = n > 0 ? arena_alloc(o->arena, n * sizeof(*out->v)) : NULL;
	w = (struct draft_walk){0};
	while (out->v != NULL && draft_next(&o->draft, &w, RESOURCE_INGRESS, &name, &root)) {
		struct follower f = {.name = name};

		root = op_ingress_normal(o, root, name);
		if (out->n == n || !follows(o, root, as_if->domain)) {
			continue;
		}
		rc = op_ingress_tls(o, op_ingress_hosts(o, root), as_if, &f.tls, &f.redirect);
		if (rc != OP_OK) {
			return rc;
		}
		out->v[out->n++] = f;
	}
	return OP_OK;
}

static int follower_order(const void *x, const void *y)
{
	return bytes_cmp(((const struct follower *)x)->name, ((const struct follower *)y)->name);
}

/* Ticks off the Ingresses that have a rule of authentication. One pass: both lists may be long. */
static void find_guarded(struct op *o, struct followers *all)
{
	const struct doc *r = doc_first(o->arena,
		doc_at(o->arena, op_plugin_look(o, &op_plugin_key_auth, true), "spec.matchRules"));

	for (; r != NULL; r = r->next) {
		const struct doc *i = doc_first(o->arena, doc_get(o->arena, r, "ingress"));

		for (; i != NULL; i = i->next) {
			struct follower key = {.name = i->text};
			struct follower *f =
				bsearch(&key, all->v, all->n, sizeof(*all->v), follower_order);

			if (f != NULL) {
				f->guarded = true;
			}
		}
	}
}

/* The Console rewrites each, and its rule of authentication with it: one that had none gets one. */
static void lead(struct op *o, struct followers *all)
{
	if (all->n == 0) {
		return;
	}
	qsort(all->v, all->n, sizeof(*all->v), follower_order);
	find_guarded(o, all);
	for (size_t i = 0; i < all->n; i++) {
		const struct follower *f = &all->v[i];
		struct doc *root = draft_open(&o->draft, RESOURCE_INGRESS, f->name);

		op_ingress_unfold(o, root, f->name);
		op_ingress_put_tls(o, root, f->tls, f->redirect);
		if (!f->guarded) {
			op_auth_write(o, f->name, NULL);
		}
	}
}

/* --- operations --------------------------------------------------------------------------------- */

static void put_or_drop(struct op *o, struct doc *m, const char *key, struct bytes v)
{
	if (v.n > 0) {
		doc_set(o->arena, m, key, doc_string(o->arena, v));
	} else {
		doc_drop(o->arena, m, key);
	}
}

static void fill_data(struct op *o, struct doc *data, struct bytes name, const struct doc *given)
{
	doc_set(o->arena, data, "domain", doc_string(o->arena, name));
	put_or_drop(o, data, "enableHttps", text_of(o, given, "enableHttps"));
	put_or_drop(o, data, "cert", text_of(o, given, "certIdentifier"));
}

static enum op_rc save(struct op *o, enum op_mode mode, struct bytes name, struct doc *body)
{
	struct bytes record = record_name(o, name);
	struct op_https as_if = {.domain = name};
	struct doc *given, *data = doc_map(o->arena), *root;
	struct followers all;
	enum op_rc rc = op_shape_take(o, &shape, body, &given);

	rc = rc != OP_OK ? rc : check_domain(o, name, given);
	rc = rc != OP_OK ? rc : check_place(o, mode, name, body);
	if (rc != OP_OK) {
		return rc;
	}
	fill_data(o, data, name, given);
	as_if.data = data;
	rc = find_followers(o, &as_if, &all);
	if (rc != OP_OK) {
		return rc;
	}
	warn_about(o, name, given);
	root = draft_need(&o->draft, RESOURCE_CONFIGMAP, record);
	op_mark(o, root, record);
	doc_set(o->arena, op_labels(o, root), LABEL_CONFIGMAP_TYPE, doc_str(o->arena, "domain"));
	fill_data(o, doc_need_map(o->arena, root, "data"), name, given);
	lead(o, &all);
	return OP_OK;
}

static enum op_rc remove_domain(struct op *o, struct bytes name)
{
	struct bytes record = record_name(o, name), ingress;
	struct draft_walk w = {0};
	const struct doc *root;

	root = draft_look(&o->draft, RESOURCE_CONFIGMAP, record);
	if (root == NULL || !is_record_of(o, root, name)) {
		return OP_OK;
	}
	while (draft_next(&o->draft, &w, RESOURCE_INGRESS, &ingress, &root)) {
		if (is_labelled(o, op_ingress_normal(o, root, ingress), name)) {
			return op_refuse(o, OP_IN_USE,
				"the domain " BYTES_FMT " is still in use: the route " BYTES_FMT
				" is bound to it",
				BYTES_ARG(name), BYTES_ARG(ingress));
		}
	}
	draft_remove(&o->draft, RESOURCE_CONFIGMAP, record);
	op_rules_forget(o, "domain", name);
	return OP_OK;
}

static struct doc *read_domain(struct op *o, struct bytes name)
{
	struct arena *a = o->arena;
	const struct doc *root = draft_look(&o->draft, RESOURCE_CONFIGMAP, record_name(o, name));
	const struct doc *data = doc_get(a, root, "data");
	struct bytes https = op_scalar(doc_get(a, data, "enableHttps"));
	struct bytes cert = op_scalar(doc_get(a, data, "cert"));
	struct doc *out = doc_map(a);

	if (!doc_given(data) || !is_record_of(o, root, name)) {
		return NULL;
	}
	doc_set(a, out, "name", doc_string(a, doc_text(doc_get(a, data, "domain"), name)));
	doc_set(a, out, "version", op_version(o, root));
	doc_set(a, out, "enableHttps", https.n > 0 ? doc_string(a, https) : doc_null(a));
	doc_set(a, out, "certIdentifier", cert.n > 0 ? doc_string(a, cert) : doc_null(a));
	return out;
}

static struct strings list(struct op *o)
{
	struct strings all = op_list_prefixed(o, RESOURCE_CONFIGMAP, BYTES(PREFIX));
	size_t n = 0;

	for (size_t i = 0; i < all.n; i++) {
		const struct doc *data = doc_get(o->arena,
			draft_look(&o->draft, RESOURCE_CONFIGMAP,
				op_textf(o, PREFIX BYTES_FMT, BYTES_ARG(all.v[i]))),
			"data");

		if (doc_given(data)) {
			all.v[n++] = doc_text(doc_get(o->arena, data, "domain"), all.v[i]);
		}
	}
	all.n = n;
	op_sort_names(&all);
	return all;
}

const struct op_noun op_domain = {"domain", save, remove_domain, read_domain, list};
