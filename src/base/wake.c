#define _GNU_SOURCE
#include "base/wake.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void wake_prepare(struct wake *w)
{
	atomic_store(&w->asleep, 1);
	atomic_thread_fence(memory_order_seq_cst); /* before the last look at what there is to do */
}

void wake_sleep(struct wake *w, unsigned ms)
{
	const struct timespec patience = {ms / 1000, (long)(ms % 1000) * 1000000L};

	/* Called, interrupted, or too long: all the same to who sleeps. */
	IGNORE(syscall(SYS_futex, &w->asleep, FUTEX_WAIT_PRIVATE, 1, &patience, NULL, 0));
	atomic_store_explicit(&w->asleep, 0, memory_order_relaxed);
}

void wake_now(struct wake *w)
{
	if (atomic_exchange(&w->asleep, 0) != 0) {
		IGNORE(syscall(SYS_futex, &w->asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	}
}
