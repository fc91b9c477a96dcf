/*
 * Which certificate a host is served with: domain ConfigMaps (data.domain, enableHttps, cert), spec.tls
 * of Ingresses and TLS Secrets, put together (higress-resources.md §2.3, §2.5, §2.10).
 *
 * Where several of them name one for the same host, a domain comes before an Ingress, and the older
 * Ingress before the younger. Of TLS Secrets that nobody names and that cover the same name, the one
 * that is valid for longest counts.
 */
#ifndef PLAN_CERTIFICATES_H
#define PLAN_CERTIFICATES_H

#include "plan/plan.h"

/* Reads what the snapshot says about TLS; what is wrong with it is left out and said in p->findings.
 * Sets p->certificates and p->n_certificates. The certificates are referred to until
 * certificates_done. */
void certificates_compile(struct plan *p, const struct snapshot *s, const struct hash_seed *seed);
void certificates_done(struct certificates *c);
/* Whether the domain of that host (as routes spell it, "*" for none) forces HTTPS. */
bool certificates_forces(const struct certificates *c, struct bytes host);

#endif
