#include "proxy/contexts.h"

#include "plan/conversation.h"
#include "plan/plan.h"
#include "proxy/exchange.h"
#include "proxy/worker.h"

static int make_message(struct bytes file, struct text *out, struct fault *why)
{
	if (file.n == 0) {
		return fault_set(why, ERR_SYNTAX, 0, 0, "it is empty");
	}
	text_add_str(out, ",{\"role\":\"system\",\"content\":\"");
	text_add_json(out, file);
	text_add_str(out, "\"},");
	return 0;
}

const struct fetched_form context_form = {
	.what = "context file",
	.without = "chats go on without it",
	.advice = "check fileUrl and the service",
	.accept = "*/*",
	.ahead = true,
	.retry_ms = CONTEXT_RETRY_MS,
	.answer_max = CONTEXT_FILE_MAX,
	.text_max = CONTEXT_FILE_MAX * 6 +
		64, /* the longest a byte can become, U+0000, and what stands around */
	.make = make_message,
};

static struct fetched_cell *cell_of(const struct exchange *x, bool *wants)
{
	const struct request *rq = x->rq;
	const struct provider *p = rq->at.to->provider;

	*wants = p != NULL && p->conversation.context != NULL && rq->gathers &&
		provider_edits_chats(p, rq->api);
	return *wants ? p->conversation.context->source.cell : NULL;
}

/* True when there is nothing to wait for any more. */
static bool look(struct exchange *x, struct fetched_cell *c)
{
	struct attempt *at = &x->rq->at;
	struct fetched_text *m;

	if (at->waits_for_context && x->timed_out) {
		fetched_give_up(c);
	}
	if (!fetched_get(x->w, c, &m)) {
		if (!at->waits_for_context) {
			at->waits_for_context = true;
			list_append(&x->w->waiting, &x->rq->wait_link);
			exchange_deadline(x, CONTEXT_WAIT_MS);
		}
		return false;
	}
	if (m != NULL) {
		atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
		x->rq->context = m;
	}
	return true;
}

enum verdict step_context(struct exchange *x)
{
	bool wants;
	struct fetched_cell *c = cell_of(x, &wants);

	fetched_text_unref(x->rq->context); /* of another attempt */
	x->rq->context = NULL;
	if (!wants) {
		return VERDICT_NEXT;
	}
	if (c != NULL && !look(x, c)) {
		return VERDICT_WAIT;
	}
	list_remove(&x->rq->wait_link);
	timer_clear(x->w->loop, &x->timer);
	x->timed_out = false;
	x->rec.no_context = x->rq->context == NULL;
	x->w->counts.contexts_missing += x->rec.no_context;
	return VERDICT_NEXT;
}
