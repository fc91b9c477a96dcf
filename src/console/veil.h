/*
 * Secrets in answers, for who asks not to be told them (X-Sluice-Secrets: masked; console-api.md section 4.3, S2, S3). The
 * write path takes such masks for "unchanged", always (resource/op_mask.c).
 */
#ifndef CONSOLE_VEIL_H
#define CONSOLE_VEIL_H

#include "wire/doc.h"

/* Of providers, consumers and MCP servers, wherever they stand in d; d is changed. References to secrets and empty
 * texts stay. What is free text (plugins' configurations, resources as files) is not looked at. */
void veil_secrets(struct arena *a, struct doc *d);

#endif
