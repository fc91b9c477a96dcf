/* Whether an address is one at which this process listens: a provider there would be asked by itself without end. */
#ifndef HICLAW_OWN_LISTENER_H
#define HICLAW_OWN_LISTENER_H

#include "base/bytes.h"
#include "net/sys.h"

#define OWN_LISTENER_LISTS 3u

struct own_listener {
	/* Items of JSON lists: "\"127.0.0.1:8080\",\"[::]:8080\"". */
	struct bytes lists[OWN_LISTENER_LISTS];
	struct bytes domain; /* of the gateway, which leads here; empty: none */
	/* Whether an address is the machine's (sys_addr_is_here); NULL: only loopback is known to be. */
	bool (*is_here)(const struct sys_addr *addr);
};

/* host: a name or an address, without brackets. Of a listener on all addresses those of the machine, "localhost" and the
 * domain are ours. Other names are not resolved. */
bool own_listener_is(const struct own_listener *o, struct bytes host, unsigned port);

#endif
