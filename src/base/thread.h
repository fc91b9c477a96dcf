/*
 * How the kernel schedules the calling thread.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <stdint.h>

/*
 * How long it wishes to run without a break: who asks for less is let in sooner when it wakes up on a core where
 * another thread computes, at the same share of the core. Heeded by Linux 6.12 and later, ignored before; a wish
 * that the kernel refuses changes nothing. 100 us is the least that is heeded.
 */
void thread_wish_slice(uint64_t ns);

#endif
