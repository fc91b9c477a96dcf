/*
 * Which certificate a host is served with: domain ConfigMaps (data.domain, enableHttps, cert), spec.tls
 * of Ingresses and TLS Secrets, put together (higress-resources.md §2.3, §2.5, §2.10).
 */
#ifndef PLAN_CERTIFICATES_H
#define PLAN_CERTIFICATES_H

#include "plan/plan.h"

/* Reads what the snapshot says about TLS; what is wrong with it is left out and said in p->findings.
 * The certificates are referred to until certificates_done. Never NULL. */
struct certificates *certificates_compile(struct plan *p, const struct snapshot *s);
void certificates_done(struct certificates *c);
/* Whether the domain of that host (as routes spell it, "*" for none) forces HTTPS. */
bool certificates_forces(const struct certificates *c, struct bytes host);

#endif
