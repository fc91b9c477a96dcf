#include "plan/failover.h"

#include "base/num.h"

const char *failure_class_name(enum failure_class c)
{
	static const char *const names[FAILURE_CLASSES] = {
		[FAILURE_NONE] = "none",
		[FAILURE_CLIENT] = "client",
		[FAILURE_CONTEXT] = "context_length",
		[FAILURE_FILTERED] = "filtered",
		[FAILURE_RATE] = "rate",
		[FAILURE_BILLING] = "billing",
		[FAILURE_CREDENTIAL] = "credential",
		[FAILURE_OVERLOAD] = "overload",
		[FAILURE_SERVER] = "server",
		[FAILURE_INVALID] = "invalid",
		[FAILURE_CONNECT] = "connect",
		[FAILURE_RESET] = "reset",
		[FAILURE_TIMEOUT] = "timeout",
		[FAILURE_FULL] = "full",
	};

	return names[c];
}

#define BITS 64u

void failure_set_add(struct failure_set *s, unsigned from, unsigned to)
{
	for (unsigned status = MAX(from, FAILURE_STATUS_MIN); status <= MIN(to, FAILURE_STATUS_MAX);
		status++) {
		unsigned bit = status - FAILURE_STATUS_MIN;

		s->statuses[bit / BITS] |= UINT64_C(1) << bit % BITS;
	}
}

bool failure_set_has_status(const struct failure_set *s, unsigned status)
{
	unsigned bit = status - FAILURE_STATUS_MIN;

	return status >= FAILURE_STATUS_MIN && status <= FAILURE_STATUS_MAX &&
		(s->statuses[bit / BITS] >> bit % BITS & 1) != 0;
}

bool failure_set_is_empty(const struct failure_set *s)
{
	uint64_t any = s->events;

	for (size_t i = 0; i < ARRAY_LEN(s->statuses); i++) {
		any |= s->statuses[i];
	}
	return any == 0;
}

static unsigned event_of(const struct failure *f)
{
	static const unsigned events[FAILURE_CLASSES] = {
		[FAILURE_CONTEXT] = FAILURE_ON_CONTEXT,
		[FAILURE_FILTERED] = FAILURE_ON_FILTERED,
		[FAILURE_INVALID] = FAILURE_ON_INVALID,
		[FAILURE_CONNECT] = FAILURE_ON_CONNECT,
		[FAILURE_RESET] = FAILURE_ON_RESET,
		[FAILURE_TIMEOUT] = FAILURE_ON_FIRST_BYTE,
	};

	if (f->class == FAILURE_TIMEOUT && f->connecting) {
		return FAILURE_ON_CONNECT_TIMEOUT;
	}
	return events[f->class] == 0 && f->status < 300 ? FAILURE_ON_INVALID : events[f->class];
}

bool failure_set_matches(const struct failure_set *s, const struct failure *f)
{
	if (f->class == FAILURE_NONE || f->class == FAILURE_FULL) {
		return false;
	}
	return (s->events & event_of(f)) != 0 || failure_set_has_status(s, f->status);
}

/* A set of "401", "403", "429", "5..", as the specification writes it. */
#define STATUS_BIT(n) (UINT64_C(1) << ((n)-FAILURE_STATUS_MIN) % BITS)

const struct failover_policy failover_default = {
	.failure_threshold = 3,
	.success_threshold = 1,
	.probe_every_ms = 5000,
	.probe_timeout_ms = 5000,
	.on = {.statuses = {[4] = STATUS_BIT(401) | STATUS_BIT(403),
		       [5] = STATUS_BIT(429),
		       [6] = UINT64_MAX << 16,
		       [7] = (UINT64_C(1) << 52) - 1},
		.events = FAILURE_ON_CONNECT | FAILURE_ON_RESET | FAILURE_ON_TIMEOUT},
};

const struct retry_policy retry_default = {
	.max = 1,
	.timeout_ms = 60000,
	.on = {.statuses = {[4] = STATUS_BIT(401) | STATUS_BIT(403),
		       [5] = STATUS_BIT(429),
		       [6] = UINT64_MAX << 16,
		       [7] = (UINT64_C(1) << 52) - 1},
		.events = FAILURE_ON_CONNECT | FAILURE_ON_RESET | FAILURE_ON_TIMEOUT |
			FAILURE_ON_INVALID},
};

const struct next_policy next_default = {
	.on = {.events = FAILURE_ON_CONTEXT},
};

const struct next_policy next_console = {
	.attempts = 3,
	.timeout_ms = 120000,
	.non_idempotent = true,
	.on = {.events = FAILURE_ON_CONNECT | FAILURE_ON_RESET | FAILURE_ON_TIMEOUT |
			FAILURE_ON_CONTEXT},
};
