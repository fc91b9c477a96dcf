/*
 * What a service manager is told. RELOADING is answered by READY when what was read is live: it may ask
 * for several loads and gets one answer to all of them. A sign of life is sent when every worker has
 * answered a post since the last one: a loop that stands still is what a watchdog is for.
 */
#include "serve_int.h"

#include "base/clock.h"
#include "base/log.h"

/* --- signs of life ------------------------------------------------------------------------------ */

static void on_pulse_back(struct post *p)
{
	CONTAINER_OF(p, struct serve_pulse, post)->out = false;
}

/* On the worker. */
static void on_pulse(struct post *p)
{
	struct serve_pulse *pulse = CONTAINER_OF(p, struct serve_pulse, post);

	loop_post(gateway_control(pulse->serve->gateway), p, on_pulse_back);
}

static void send_pulses(struct serve *s)
{
	for (unsigned i = 0; i < s->opts.n_workers; i++) {
		struct serve_pulse *pulse = &s->pulses[i];

		pulse->serve = s;
		pulse->worker = i;
		pulse->out = true;
		loop_post(gateway_loop(s->gateway, i), &pulse->post, on_pulse);
	}
}

/* The one that stands still; NULL: all have answered. */
static const struct serve_pulse *missing_pulse(const struct serve *s)
{
	for (unsigned i = 0; i < s->opts.n_workers; i++) {
		if (s->pulses[i].out) {
			return &s->pulses[i];
		}
	}
	return NULL;
}

/* Control lives, or this would not run; the workers have had half of the time to answer. */
static void on_watchdog(struct timer *t)
{
	struct serve *s = CONTAINER_OF(t, struct serve, watchdog_timer);
	const struct serve_pulse *missing = missing_pulse(s);

	if (missing == NULL) {
		notify_send(&s->notify, "WATCHDOG=1");
		send_pulses(s);
	} else if (!s->stuck) {
		log_error("serve",
			"worker %u has stood still for %llu ms; the service manager gets no sign of "
			"life until it goes on",
			missing->worker, (unsigned long long)s->watchdog_ms);
	}
	s->stuck = missing != NULL;
	timer_set(gateway_control(s->gateway), t, s->watchdog_ms, on_watchdog);
}

/* --- states ------------------------------------------------------------------------------------- */

void serve_notify_start(struct serve *s)
{
	notify_init(&s->notify);
	if (notify_is_heard(&s->notify)) {
		/* Twice as often as asked for: a worker may be late once. */
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
