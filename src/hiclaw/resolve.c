/*
 * The explanation names every route of the host; what is wanted here is one line of it, so its memory ends
 * before the answer is given.
 */
#include "hiclaw/resolve.h"

/* "ai-route-x.internal" is the Console's "x"; other Ingresses keep their names. */
static struct bytes console_name(struct bytes ingress)
{
	static const char prefix[] = "ai-route-", suffix[] = ".internal";
	size_t cut = sizeof(prefix) - 1 + sizeof(suffix) - 1;

	if (ingress.n <= cut || !bytes_starts(ingress, BYTES("ai-route-")) ||
		!bytes_ends(ingress, BYTES(".internal"))) {
		return ingress;
	}
	return bytes_of(ingress.p + sizeof(prefix) - 1, ingress.n - cut);
}

static bool is_used(const struct explain_destination *d)
{
	return d->to->weight != 0 && d->status == 0 && d->to->provider != NULL;
}

static const struct explain_destination *heaviest(const struct explain *e)
{
	const struct explain_destination *best = NULL;

	for (size_t i = 0; i < e->n_destinations; i++) {
		const struct explain_destination *d = &e->destinations[i];

		if (is_used(d) && (best == NULL || d->to->weight > best->to->weight)) {
			best = d;
		}
	}
	return best;
}

static bool is_among(const struct explain *e, struct bytes provider)
{
	for (size_t i = 0; i < e->n_destinations; i++) {
		if (is_used(&e->destinations[i]) &&
			(provider.n == 0 ||
				bytes_eq(e->destinations[i].to->provider->id, provider))) {
			return true;
		}
	}
	return false;
}

static struct bytes say(const struct explain *e, const struct resolve_request *rq,
	const struct resolve_answer *r, struct arena *a)
{
	struct text t;
	struct bytes out;

	text_init(&t, EXPLAIN_LINE_MAX);
	if (!r->allowed) {
		text_add_bytes(&t, e->text);
	} else if (r->provider.n == 0) {
		text_addf(&t, "the route " BYTES_FMT " has no provider", BYTES_ARG(r->route));
	} else {
		text_addf(&t, "the route " BYTES_FMT " sends it to " BYTES_FMT, BYTES_ARG(r->route),
			BYTES_ARG(r->provider));
		if (!r->reached) {
			text_addf(&t, ", not to " BYTES_FMT, BYTES_ARG(rq->provider));
		}
	}
	out = arena_copy(a, text_bytes(&t));
	text_done(&t);
	return out;
}

static int answer(const struct explain *e, const struct resolve_request *rq, struct arena *a,
	struct resolve_answer *out)
{
	const struct explain_destination *to = e->status == 0 ? heaviest(e) : NULL;
	struct resolve_answer r = {.allowed = e->status == 0, .status = e->status};

	r.route = arena_copy(a, e->route != NULL ? console_name(e->route->name) : BYTES(""));
	r.provider = arena_copy(a, to != NULL ? to->to->provider->id : BYTES(""));
	r.model = arena_copy(a, to != NULL ? to->model : BYTES(""));
	r.reached = to != NULL && is_among(e, rq->provider);
	r.reason = arena_copy(a, bytes_str(e->reason));
	r.text = say(e, rq, &r, a);
	if (arena_full(a)) {
		return ERR_LIMIT;
	}
	*out = r;
	return 0;
}

int resolve_model(const struct plan *p, const struct resolve_request *rq, struct arena *a,
	struct resolve_answer *out)
{
	const struct explain_field host = {BYTES("Host"), rq->host, FIELD_HOST, false};
	struct explain_request asked = {.method = BYTES("POST"),
		.authority = rq->host,
		.fields = &host,
		.n_fields = 1,
		.has_body = true,
		.model = rq->model,
		.key = rq->key,
		.consumer = rq->consumer};
	struct arena room;
	struct explain e;
	uint16_t port;
	int rc;

	if (url_parse_target(&asked.url, rq->path, NULL) != 0 ||
		url_parse_authority(rq->host, &asked.url.host, &port) != 0) {
		return ERR_SYNTAX;
	}
	arena_init(&room, SIZE_MAX);
	explain_request(p, &asked, &room, &e);
	rc = answer(&e, rq, a, out);
	arena_done(&room);
	return rc;
}
