/*
 * Puts the parts of the room together, and takes them apart at the end in the order in which they use one another.
 */
#include "hiclaw/hiclaw.h"

#include <stdlib.h>

#include "base/log.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/attachments.h"
#include "hiclaw/guest.h"
#include "hiclaw/mon_metrics.h"
#include "hiclaw/provider_tests.h"
#include "hiclaw/s3_credentials.h"
#include "hiclaw/workers.h"
#include "manage/upstream_allowed.h"
#include "wire/url.h"

/* Bodies of answers of the controller, the storage, a remote Console. */
#define FETCH_MEMORY ((size_t)32 << 20)
/* Secrets, each time that they are read. */
#define SECRETS_MAX ((size_t)64 << 20)

/* --- attachments ------------------------------------------------------------------------------------------------ */

static void attach_controller(struct hiclaw *h)
{
	struct fault f;

	h->controller = controller_new(
		h->fetcher, h->env->controller_url, h->env->secrets.controller_token, &f);
	if (h->controller == NULL) {
		log_warn("hiclaw", "HICLAW_CONTROLLER_URL: %s; Workers are managed without it",
			f.text);
	}
}

static bool has_keys(const struct env *e)
{
	return e->secrets.fs_access_key.n != 0 || e->secrets.minio_user.n != 0 ||
		e->secrets.mc_host.n != 0;
}

static struct s3_credentials *find_keys(struct hiclaw *h, bool short_lived)
{
	const struct env_secrets *s = &h->env->secrets;

	return s3_credentials_new(&(struct s3_credentials_opts){
		.loop = h->loop,
		.controller = h->controller,
		.short_lived = short_lived,
		.fs_access = s->fs_access_key,
		.fs_secret = s->fs_secret_key,
		.minio_user = s->minio_user,
		.minio_password = s->minio_password,
		.admin_user = h->env->admin_user,
		.admin_password = s->admin_password,
		.mc_host = s->mc_host,
	});
}

static void attach_storage(struct hiclaw *h)
{
	const struct env *e = h->env;
	bool short_lived = bytes_eq(e->runtime, BYTES("aliyun")) ||
		bytes_eq(e->storage_provider, BYTES("oss"));
	struct s3_opts o = {.fetcher = h->fetcher, .jobs = h->jobs};
	struct fault f;

	if (!short_lived && !has_keys(e)) {
		return;
	}
	if (s3_place_endpoint(&o.place, e->s3_endpoint, &f) != 0 ||
		s3_place_bucket(&o.place, e->bucket, &f) != 0) {
		log_warn("hiclaw", "the object storage is not used: %s", f.text);
		return;
	}
	if (e->key_prefix.n != 0) {
		memcpy(o.place.prefix, e->key_prefix.p, MIN(e->key_prefix.n, S3_KEY_MAX));
	}
	h->s3_credentials = find_keys(h, short_lived);
	o.credentials = h->s3_credentials;
	h->s3 = s3_new(&o);
}

/* --- life -------------------------------------------------------------------------------------------------------- */

static bool begin(struct manage_app *app, struct call *c)
{
	return monitor_begin(CONTAINER_OF(app, struct hiclaw, app), c);
}

/* The port of a URL, where it says none. */
static uint16_t port_of(const struct url *u)
{
	return u->port != 0 ? u->port : bytes_eq_nocase(u->scheme, BYTES("https")) ? 443 : 80;
}

/* "127.0.0.1:8001", as the URL has it. */
static struct bytes authority_of(struct bytes url, const struct url *u)
{
	const char *end = url.p + url.n;
	const char *slash = memchr(u->host.p, '/', (size_t)(end - u->host.p));

	return bytes_of(u->host.p, (size_t)((slash != NULL ? slash : end) - u->host.p));
}

static void attach_higress(struct hiclaw *h)
{
	struct bytes host;
	struct url u;
	struct fault f;
	int rc = url_parse(&u, h->opts.higress, &f);

	ASSERT(rc == 0);
	host = u.host;
	if (host.n > 1 && host.p[0] == '[') {
		host = bytes_of(host.p + 1, host.n - 2);
	}
	h->remote_host = bytes_dup(host);
	h->remote = (struct ops_remote){.loop = h->loop,
		.fetcher = h->fetcher,
		.tls = bytes_eq_nocase(u.scheme, BYTES("https")),
		.host = h->remote_host,
		.port = port_of(&u),
		.authority = authority_of(h->opts.higress, &u),
		.user = h->env->admin_user,
		.password = h->env->secrets.admin_password};
	ops_remote_init(&h->remote);
	h->opts.remote = &h->remote.ops;
	log_info("hiclaw", "providers and routes are those of the Console at " BYTES_FMT,
		BYTES_ARG(h->opts.higress));
}

static void make_ops(struct hiclaw *h)
{
	if (h->opts.higress.n != 0) {
		attach_higress(h);
	}
	h->local = (struct ops_local){.loop = h->loop,
		.jobs = h->jobs,
		.writer = h->opts.writer,
		.address_allowed = upstream_allowed};
	ops_local_init(&h->local);
	h->ops = h->opts.remote != NULL ? h->opts.remote : &h->local.ops;
	h->guests = h->opts.remote != NULL ? guests_new(&h->opts.writer, h->loop) : NULL;
}

struct hiclaw *hiclaw_new(const struct hiclaw_opts *o)
{
	struct hiclaw *h = must_alloc(sizeof(*h));

	h->opts = *o;
	h->own = *o->env;
	h->env = &h->own;
	h->loop = manage_loop(o->manage);
	h->jobs = o->jobs;
	h->gateway = o->gateway;
	list_init(&h->monitor.asks);
	arena_init(&h->secrets, SECRETS_MAX);
	h->fetcher = fetcher_new(h->loop, FETCH_MEMORY, true, h->jobs);
	make_ops(h);
	if (o->attached) {
		attach_controller(h);
		attach_storage(h);
	}
	h->agents = agents_open(o->state_dir, h->jobs, h->loop);
	h->events = events_new(h->loop);
	events_follow(h->events, o->log);
	h->tests = provider_tests_new();
	h->usage = usage_new(h->gateway, h->opts.load, h->opts.process, mon_metrics_say, h);
	h->workers = workers_new(h);
	h->attachments = attachments_new(h);
	h->app.begin = begin;
	manage_add(o->manage, &h->app);
	h->switches = switches_new(h);
	switches_bridge(h->switches); /* what the end of the process before has left */
	for (size_t i = 0; i < h->env->n_warnings; i++) {
		log_warn("hiclaw", BYTES_FMT, BYTES_ARG(h->env->warnings[i]));
	}
	return h;
}

void hiclaw_free(struct hiclaw *h)
{
	if (h == NULL) {
		return;
	}
	switches_stop(h->switches);
	guests_stop(h->guests);
	monitor_free(h);
	attachments_free(h->attachments);
	workers_free(h->workers);
	s3_free(h->s3);
	s3_credentials_free(h->s3_credentials);
	controller_free(h->controller);
	fetcher_free(h->fetcher);
	switches_free(h->switches);
	guests_free(h->guests);
	usage_free(h->usage);
	provider_tests_free(h->tests);
	events_free(h->events);
	agents_close(h->agents);
	arena_done(&h->secrets);
	free(h->remote_host);
	free(h);
}

/* --- secrets ----------------------------------------------------------------------------------------------------- */

struct reread {
	struct job job;
	struct hiclaw *hiclaw;
	const struct env_source *from;
	struct arena arena; /* of env */
	struct env env;
};

static void read_again(struct job *j)
{
	struct reread *r = CONTAINER_OF(j, struct reread, job);

	env_read_secrets(&r->arena, r->from, &r->env);
}

static struct bytes keep(struct hiclaw *h, struct bytes b)
{
	struct bytes copy = arena_copy(&h->secrets, b);

	return copy.p != NULL ? copy : BYTES("");
}

static void on_read(struct job *j)
{
	struct reread *r = CONTAINER_OF(j, struct reread, job);
	struct hiclaw *h = r->hiclaw;
	const struct env_secrets *s = &r->env.secrets;

	h->own.secrets = (struct env_secrets){.admin_password = keep(h, s->admin_password),
		.manager_key = keep(h, s->manager_key),
		.llm_key = keep(h, s->llm_key),
		.fs_access_key = keep(h, s->fs_access_key),
		.fs_secret_key = keep(h, s->fs_secret_key),
		.minio_user = keep(h, s->minio_user),
		.minio_password = keep(h, s->minio_password),
		.mc_host = keep(h, s->mc_host),
		.controller_token = keep(h, s->controller_token)};
	if (h->controller != NULL) {
		controller_set_token(h->controller, h->own.secrets.controller_token);
	}
	h->remote.password = h->own.secrets.admin_password; /* of no use without a Console */
	for (size_t i = 0; i < r->env.n_warnings; i++) {
		log_warn("hiclaw", BYTES_FMT, BYTES_ARG(r->env.warnings[i]));
	}
	log_info("hiclaw", "secrets and the controller's token are read again");
	arena_done(&r->arena);
	free(r);
}

void hiclaw_reread(struct hiclaw *h)
{
	struct reread *r = must_alloc(sizeof(*r));

	r->hiclaw = h;
	r->from = h->opts.env_source != NULL ? h->opts.env_source : &env_of_process;
	r->env = h->own;
	arena_init(&r->arena, (size_t)1 << 20);
	r->job = (struct job){.home = h->loop, .work = read_again, .on_done = on_read};
	jobs_submit(h->jobs, &r->job);
}
