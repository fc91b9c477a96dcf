/*
 * Intrusive doubly linked list with a head node. A node that is on no list points to itself, so
 * "is it pending?" is a question to the node.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/base.h"

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline bool list_linked(const struct list *node)
{
	return node->next != node && node->next != NULL;
}

/* Puts node behind `at` (at = head: becomes the first). */
static inline void list_insert(struct list *at, struct list *node)
{
	node->prev = at;
	node->next = at->next;
	at->next->prev = node;
	at->next = node;
}

static inline void list_append(struct list *head, struct list *node)
{
	list_insert(head->prev, node);
}

/* Safe on a node that is on no list (also on a zeroed one). */
static inline void list_remove(struct list *node)
{
	if (node->next != NULL) {
		node->next->prev = node->prev;
		node->prev->next = node->next;
	}
	list_init(node);
}

/* Moves all nodes of `from` behind `at`; `from` is empty afterwards. */
static inline void list_splice(struct list *at, struct list *from)
{
	if (!list_empty(from)) {
		from->prev->next = at->next;
		at->next->prev = from->prev;
		at->next = from->next;
		from->next->prev = at;
		list_init(from);
	}
}

#endif
