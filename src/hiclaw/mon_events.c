#include "base/num.h"
#include "hiclaw/endpoints.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/monitor_int.h"

/* All kinds but lines of the log, which have to be asked for: ?log=1, or ?kinds=worker,log. False: refused. */
static bool take_kinds(struct ask *k, unsigned *wanted)
{
	struct bytes rest = ask_query(k, "kinds");

	*wanted = ((1u << EVENT_KINDS) - 1) & ~(1u << EVENT_LOG);
	if (ask_query_flag(k, "log")) {
		*wanted |= 1u << EVENT_LOG;
	}
	if (rest.p == NULL) {
		return true;
	}
	*wanted = 0;
	while (rest.p != NULL) {
		struct bytes word = bytes_trim(bytes_cut(&rest, ','));
		unsigned i = 0;

		while (i < EVENT_KINDS && !bytes_eq(word, bytes_str(event_kind_text(i)))) {
			i++;
		}
		if (i == EVENT_KINDS) {
			ask_fail_field(k, "kinds",
				"kinds are metrics, worker, assignment, provider, route, backup and log");
			return false;
		}
		*wanted |= 1u << i;
	}
	return true;
}

void mon_events(struct ask *k)
{
	struct bytes given = k->last_event.p != NULL ? k->last_event : ask_query(k, "lastEventId");
	const struct header extra = {BYTES("X-Request-Id"), bytes_str(k->id)};
	uint64_t last = 0;
	unsigned wanted;
	struct call *c;

	if (!take_kinds(k, &wanted)) {
		return;
	}
	if ((wanted & 1u << EVENT_LOG) != 0 && k->who != MONITOR_ADMINISTRATOR) {
		ask_fail(k, HICLAW_FORBIDDEN, "Lines of the log are for the administrator");
		return;
	}
	if (given.n != 0 && !num_parse_u64(given, UINT64_MAX, &last)) {
		last = 0; /* another program's: it begins with what comes */
	}
	c = monitor_take_call(k);
	if (c != NULL && !events_stream(k->hiclaw->events, c, last, wanted, &extra, 1)) {
		k->call = c;
		c->work = &k->calls;
		ask_fail(k, HICLAW_RATE_LIMITED, "There are %u streams of events already",
			EVENTS_STREAMS_MAX);
		return;
	}
	monitor_free_ask(k);
}
