/*
 * The edits of CoPaw's configuration that switch an agent to a model (hiclaw-integration.md 6.4), as pure
 * functions of its texts. CoPaw reads them when it starts: whoever writes one tells that a restart is
 * required.
 *
 * Both: the arena (CONFIG_ARENA_MAX) gets everything, the text must outlive *out, which is untouched unless
 * the answer is CONFIG_OK.
 */
#ifndef HICLAW_COPAW_H
#define HICLAW_COPAW_H

#include "hiclaw/config_edit.h"

/* .copaw.secret/providers.json, of which .copaw/providers.json is a copy: the gateway's block lists the
 * model, and the model is the active one. Other models of the block stay. A block that is not there is not
 * made: CONFIG_INCOMPLETE. model: the bare id, or with "hiclaw-gateway/". */
MUST_CHECK enum config_code copaw_switch_providers(struct arena *a, struct bytes text,
	struct bytes model, struct config_text *out, struct fault *fault);
/* .copaw/config.json: how many tokens a conversation may have. */
MUST_CHECK enum config_code copaw_switch_config(struct arena *a, struct bytes text,
	uint64_t context_window, struct config_text *out, struct fault *fault);

#endif
