#include "base/clock.h"
#include "hiclaw/ops.h"
#include "manage/op_status.h"

#define WHY_MAX 4096u

static const struct op_noun *const nouns[OPS_NOUNS] = {
	[OPS_PROVIDER] = &op_provider,
	[OPS_SOURCE] = &op_source,
	[OPS_AI_ROUTE] = &op_ai_route,
	[OPS_ROUTE] = &op_route,
	[OPS_CONSUMER] = &op_consumer,
	[OPS_DOMAIN] = &op_domain,
	[OPS_CERTIFICATE] = &op_certificate,
	[OPS_SETTINGS] = &op_settings,
	[OPS_MCP_SERVER] = &op_mcp_server,
	[OPS_PLUGIN] = &op_wasm_plugin,
	[OPS_INSTANCE] = &op_instance,
};

static struct ops_local *local_of(const struct ops_call *c)
{
	return CONTAINER_OF(c->ops, struct ops_local, ops);
}

static void refuse(struct ops_call *c, unsigned status, struct bytes why)
{
	c->status = status;
	text_init(&c->why, WHY_MAX);
	text_add_bytes(&c->why, why);
}

void ops_call_done(struct ops_call *c)
{
	text_done(&c->why);
}

/* --- reading ------------------------------------------------------------------------------------ */

struct doc *ops_list(struct op *op, enum ops_noun of)
{
	const struct op_noun *noun = nouns[of];
	struct strings names = noun->list(op);
	struct doc *list = doc_list(op->arena);

	for (size_t i = 0; i < names.n; i++) {
		struct doc *d = noun->read(op, names.v[i]);

		if (d != NULL) { /* one that cannot be read must not hide the others */
			doc_append(op->arena, list, d);
		}
	}
	return list;
}

static bool lacks_list(const struct ops_call *c)
{
	for (unsigned i = 0; i < OPS_NOUNS; i++) {
		if ((c->wanted & 1u << i) != 0 && c->lists[i] == NULL) {
			return true;
		}
	}
	return false;
}

/* A jobs thread. */
static void run_read(struct job *j)
{
	struct ops_call *c = CONTAINER_OF(j, struct ops_call, job);
	struct op op;

	op_init(&op, c->snapshot, c->arena);
	for (unsigned i = 0; i < OPS_NOUNS; i++) {
		if ((c->wanted & 1u << i) != 0) {
			/* The snapshot goes before who asked has looked. */
			c->lists[i] = doc_detached(c->arena, ops_list(&op, (enum ops_noun)i));
		}
	}
	op_done(&op);
	if (arena_full(c->arena) || lacks_list(c)) {
		refuse(c, 500, BYTES("there are too many objects to look at"));
	}
}

static void on_read(struct job *j)
{
	struct ops_call *c = CONTAINER_OF(j, struct ops_call, job);

	snapshot_unref(c->snapshot);
	c->snapshot = NULL;
	c->on_done(c);
}

static void read_all(struct manage_ops *o, struct ops_call *c)
{
	struct ops_local *l = CONTAINER_OF(o, struct ops_local, ops);

	c->ops = o;
	c->snapshot = l->writer.snapshot(l->writer.arg);
	c->job = (struct job){.home = l->loop, .work = run_read, .on_done = on_read};
	jobs_submit(l->jobs, &c->job);
}

/* --- changing ----------------------------------------------------------------------------------- */

static enum op_rc make(struct op *op, const struct ops_item *item)
{
	const struct op_noun *noun = nouns[item->noun];
	bool there;

	if (item->verb == OPS_REMOVE) {
		return noun->remove(op, item->name);
	}
	there = noun->read(op, item->name) != NULL;
	if (there && item->verb == OPS_CREATE) {
		return op_refuse(op, OP_EXISTS, "%s '" BYTES_FMT "' already exists", noun->noun,
			BYTES_ARG(item->name));
	}
	return noun->save(
		op, there ? OP_UPDATE : OP_CREATE, item->name, doc_copy(op->arena, item->body));
}

/* May be called again on another draft. */
static enum op_rc operate(void *arg, struct op *op)
{
	const struct ops_call *c = arg;
	const struct ops_local *l = local_of(c);
	enum op_rc rc = OP_OK;

	op->address_allowed = l->address_allowed;
	for (size_t i = 0; i < c->n_items && rc == OP_OK; i++) {
		rc = make(op, &c->items[i]);
	}
	return rc;
}

static unsigned status_of(const struct commit *m)
{
	switch (m->rc) {
	case COMMIT_DONE:
	case COMMIT_NOTHING:
		return 0;
	case COMMIT_REFUSED:
		return op_status(m->op_rc);
	case COMMIT_PLAN:
		return 400;
	case COMMIT_BUSY:
		return 503;
	case COMMIT_IO:
		break;
	}
	return 500;
}

/* A jobs thread. */
static void run_change(struct write *w, struct commit *m)
{
	struct ops_call *c = CONTAINER_OF(w, struct ops_call, write);
	unsigned status;

	m->who = (struct commit_who){c->actor, c->peer, c->what};
	m->now_s = (int64_t)(clock_wall_ms() / 1000);
	m->operate = operate;
	m->arg = c;
	commit_run(m);
	memcpy(c->backup, m->backup_id, sizeof(c->backup));
	status = status_of(m);
	if (status != 0) {
		refuse(c, status, text_bytes(&m->why));
	}
}

static void on_changed(struct write *w)
{
	struct ops_call *c = CONTAINER_OF(w, struct ops_call, write);

	c->on_done(c);
}

static void on_refused(struct job *j)
{
	struct ops_call *c = CONTAINER_OF(j, struct ops_call, job);

	c->on_done(c);
}

static void no_work(struct job *j)
{
	(void)j;
}

static void change(struct manage_ops *o, struct ops_call *c)
{
	struct ops_local *l = CONTAINER_OF(o, struct ops_local, ops);

	c->ops = o;
	c->write = (struct write){.work = run_change, .on_done = on_changed};
	if (!l->writer.submit(l->writer.arg, &c->write)) {
		refuse(c, 503, BYTES("too many changes wait for their turn; try again"));
		c->job = (struct job){.home = l->loop, .work = no_work, .on_done = on_refused};
		jobs_submit(l->jobs, &c->job);
	}
}

void ops_local_init(struct ops_local *o)
{
	o->ops = (struct manage_ops){.read = read_all, .change = change};
}
