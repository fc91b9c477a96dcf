/* What is to be done about what differs from the assignment (hiclaw-integration.md 10.2, 10.3): pure. */
#include "hiclaw/switch_int.h"

#define HOUR_MS 3600000u

static struct drift_verdict again(const char *why, const char *writer)
{
	return (struct drift_verdict){DRIFT_REAPPLY, true, why, writer, BYTES("")};
}

/* With both variables set the controller begins with the one, the Manager's start sets the other. */
static bool is_default(const struct drift_facts *f, struct bytes model)
{
	return bytes_eq(model, f->default_model) ||
		(f->boot_model.n != 0 && bytes_eq(model, f->boot_model));
}

static bool is_one_of_old(const struct drift_facts *f, struct bytes model)
{
	return is_default(f, model) || (f->former.n != 0 && bytes_eq(model, f->former));
}

/* Another model than the one that was assigned. */
static struct drift_verdict judge_model(const struct drift_facts *f)
{
	bool of_cr = f->cr_known && bytes_eq(f->configured, f->cr_model);

	if (f->configured.n == 0) {
		return again("MODEL_RESET", "who wrote the configuration anew, without a model");
	}
	if (is_default(f, f->configured)) {
		return again("MODEL_RESET", "the Manager's start, which sets HICLAW_DEFAULT_MODEL");
	}
	if (is_one_of_old(f, f->configured)) {
		return again("MODEL_RESET",
			of_cr ? "the controller, from the model it knew before"
			      : "a copy from storage of what was there before");
	}
	if (of_cr && f->serves) {
		return (struct drift_verdict){
			DRIFT_ADOPT, false, "ADOPTED", "the controller", f->configured};
	}
	if (of_cr && bytes_eq(f->cr_model, f->cr_before)) {
		return again("MODEL_RESET", "the controller, from the model it knew before");
	}
	return (struct drift_verdict){
		DRIFT_LEAVE, false, "CHANGED_ELSEWHERE", "another tool or a person", BYTES("")};
}

/* The controller alone has another one. */
static struct drift_verdict judge_cr(const struct drift_facts *f)
{
	if (!is_one_of_old(f, f->cr_model) && f->serves) {
		return (struct drift_verdict){
			DRIFT_ADOPT, false, "ADOPTED", "the controller", f->cr_model};
	}
	return again("MODEL_RESET", "who changed the controller's resource");
}

struct drift_verdict drift_judge(const struct drift_facts *f)
{
	const struct drift_verdict quiet = {DRIFT_QUIET, false, "INTERRUPTED", NULL, BYTES("")};

	/* What a storage that was down still has is not anybody's change. */
	if (f->applying || (f->unsynced && bytes_eq(f->configured, f->former))) {
		return quiet;
	}
	if (f->has_config && !bytes_eq(f->configured, f->asked)) {
		return judge_model(f);
	}
	if (f->cr_known && !f->pending && bytes_eq(f->cr_before, f->asked) &&
		!bytes_eq(f->cr_model, f->asked)) {
		return judge_cr(f);
	}
	if (f->config_changes) {
		return f->has_config
			? again("PARAMS_RESET", "the controller, which knows no limits of models")
			: again("MODEL_RESET", "the start of the agent's runtime");
	}
	if (f->routes_change) {
		return again("ROUTES_RESET", "the start of the gateway's setup");
	}
	if (f->pending || f->unsynced || f->records_change) {
		return quiet;
	}
	return (struct drift_verdict){0};
}

bool drift_is_contested(const uint64_t times[5], uint64_t now_ms, size_t *slot)
{
	size_t oldest = 0;

	for (size_t i = 1; i < 5; i++) {
		oldest = times[i] < times[oldest] ? i : oldest;
	}
	*slot = oldest;
	return times[oldest] != 0 && times[oldest] + HOUR_MS > now_ms;
}
