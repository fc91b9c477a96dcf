/*
 * What a service manager is told. RELOADING is answered by READY when what was read is live: it may ask
 * for several loads and gets one answer to all of them.
 */
#include "serve_int.h"

#include "base/clock.h"

static void on_watchdog(struct timer *t)
{
	struct serve *s = CONTAINER_OF(t, struct serve, watchdog_timer);

	notify_send(&s->notify, "WATCHDOG=1");
	timer_set(gateway_control(s->gateway), t, s->watchdog_ms, on_watchdog);
}

void serve_notify_start(struct serve *s)
{
	notify_init(&s->notify);
	if (notify_is_heard(&s->notify)) {
		/* Twice as often as asked for: one may be late. */
		s->watchdog_ms = notify_watchdog_us() / 2 / 1000;
	}
}

void serve_notify_ready(struct serve *s)
{
	const struct plan *p = gateway_plan(s->gateway);

	s->reloading = false;
	notify_send(&s->notify, "READY=1\nSTATUS=%zu routes, %zu providers, %zu consumers on %s",
		p->n_routes, p->n_providers, p->n_consumers, s->first_address);
	if (s->watchdog_ms != 0 && !timer_is_set(&s->watchdog_timer)) {
		on_watchdog(&s->watchdog_timer);
	}
}

void serve_notify_reloading(struct serve *s)
{
	s->reloading = true;
	notify_send(&s->notify,
		"RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=reading the resources again",
		(unsigned long long)(clock_mono_ns() / 1000));
}

void serve_notify_stopping(struct serve *s)
{
	notify_send(&s->notify, "STOPPING=1\nSTATUS=finishing what runs");
}
