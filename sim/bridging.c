#include "sim/bridging.h"

#include "proxy/bridges.h"
#include "sim/given.h"

bool bridging_set(struct player *p, struct bytes rest)
{
	struct bridge b;

	if (!play_start(p)) {
		return false;
	}
	if (p->ops->gateway == NULL) {
		return play_fail(p, "this subject has no bridges");
	}
	b.consumer = script_word(&rest);
	b.from = script_word(&rest);
	b.to = script_word(&rest);
	bridges_set(p->ops->gateway(p->subject), &b, b.to.n != 0);
	return true;
}

bool bridging_expect(struct player *p, struct bytes rest)
{
	struct bytes consumer = script_word(&rest);
	bool ended = bridges_ended(p->ops->gateway(p->subject), consumer);

	return ended == bytes_eq(rest, BYTES("has ended")) ||
		play_fail(p, ended ? "it has ended" : "it has not ended");
}
