#include "plan/cell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/world.h"

static const struct provider_types no_types = {NULL, 0};
static const struct hash_seed seed = {5, 6};

static struct plan *plan_of(const char *domain)
{
	char file[500];
	struct world w;
	struct plan *p;

	snprintf(file, sizeof(file),
		WORLD_REGISTRIES("  - {name: s, type: static, domain: '%s', port: 80}\n"), domain);
	world_init(&w);
	world_add(&w, "mcpbridges/default.yaml", file);
	p = world_plan(&w, &no_types);
	world_done(&w);
	return p;
}

static void cells_outlive_plans(void **state)
{
	struct cells *c = cells_new(&seed);
	struct plan *old = plan_of("1.1.1.1:80,1.1.1.1:81,[::1]:80");
	struct plan *new = plan_of("1.1.1.1:81,2.2.2.2:80");
	struct endpoint_cell *kept;

	(void)state;
	cells_bind(c, old);
	kept = old->endpoints[1]->cell;
	assert_string_equal(old->endpoints[2]->cell->host, "::1");
	assert_int_equal(kept->port, 81);
	assert_int_not_equal(kept->index, old->endpoints[0]->cell->index);
	cells_bind(c, new);
	assert_ptr_equal(new->endpoints[0]->cell, kept);
	cells_unbind(c, old, 1000);
	assert_null(old->endpoints[0]->cell);
	assert_int_equal(kept->refs, 1);
	cells_unbind(c, new, 2000);
	plan_free(old);
	plan_free(new);
	cells_free(c);
	cells_free(NULL);
}

static void grace_then_gone(void **state)
{
	struct cells *c = cells_new(&seed);
	struct plan *p = plan_of("1.1.1.1:80,2.2.2.2:80");
	struct endpoint_cell *e;
	uint32_t index;

	(void)state;
	cells_bind(c, p);
	assert_null(cells_expire(c, 1u << 30));
	cells_unbind(c, p, 1000);
	assert_null(cells_expire(c, 1000 + CELL_GRACE_MS - 1));
	assert_null(cells_expire(c, 0)); /* a clock that went back frees nothing */
	cells_bind(c, p);                /* back within the grace time: the same cells */
	assert_null(cells_expire(c, 1u << 30));
	cells_unbind(c, p, 1000);
	e = cells_expire(c, 1000 + CELL_GRACE_MS);
	assert_non_null(e);
	index = e->index;
	/* Until the cell is freed nobody gets its index, not even the same endpoint. */
	cells_bind(c, p);
	for (size_t i = 0; i < p->n_endpoints; i++) {
		assert_int_not_equal(p->endpoints[i]->cell->index, index);
	}
	cells_unbind(c, p, 2000);
	endpoint_cell_free(c, e);
	plan_free(p);
	p = plan_of("3.3.3.3:80");
	cells_bind(c, p);
	assert_int_equal(p->endpoints[0]->cell->index, index);
	cells_unbind(c, p, 3000);
	plan_free(p);
	cells_free(c);
}

static void one_endpoint_of_two_services_is_one_cell(void **state)
{
	struct cells *c = cells_new(&seed);
	struct plan *p = plan_of("1.1.1.1:80,1.1.1.1:80");

	(void)state;
	cells_bind(c, p);
	assert_int_equal(p->n_endpoints, 2);
	assert_ptr_equal(p->endpoints[0]->cell, p->endpoints[1]->cell);
	assert_int_equal(p->endpoints[0]->cell->refs, 2);
	cells_unbind(c, p, 1);
	assert_null(cells_expire(c, CELL_GRACE_MS));
	endpoint_cell_free(c, cells_expire(c, CELL_GRACE_MS + 1));
	assert_null(cells_expire(c, UINT64_MAX));
	plan_free(p);
	cells_free(c);
}

static struct plan *asking_plan(const char *more)
{
	char file[500];
	struct world w;
	struct plan *p;

	snprintf(file, sizeof(file),
		WORLD_REGISTRIES("  - {name: s, type: consul, domain: a.com, port: 8500%s}\n"),
		more);
	world_init(&w);
	world_add(&w, "mcpbridges/default.yaml", file);
	world_add_ingress(
		&w, &(struct world_ingress){.name = "r", .path = "/", .destination = "x.consul"});
	p = world_plan(&w, &no_types);
	world_done(&w);
	return p;
}

/* The cell of a service stays, and with it what it holds; only another question has its time at once. */
static void what_is_asked_may_change(void **state)
{
	struct cells *c = cells_new(&seed);
	struct plan *p[] = {asking_plan(""), asking_plan(""), asking_plan(", consulServiceTag: t")};
	struct endpoint_cell *e;

	(void)state;
	cells_bind(c, p[0]);
	e = p[0]->endpoints[0]->cell;
	assert_non_null(e->ask);
	assert_ptr_not_equal(e->ask, p[0]->endpoints[0]->ask);
	e->ask_at_ms = 5000;
	cells_bind(c, p[1]);
	assert_ptr_equal(p[1]->endpoints[0]->cell, e);
	assert_int_equal(e->ask_at_ms, 5000);
	cells_bind(c, p[2]);
	assert_ptr_equal(p[2]->endpoints[0]->cell, e);
	assert_int_equal(e->ask_at_ms, 0);
	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		cells_unbind(c, p[i], 1000);
		plan_free(p[i]);
	}
	assert_non_null(e->ask); /* a plan that is gone takes nothing along */
	cells_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_outlive_plans),
		cmocka_unit_test(grace_then_gone),
		cmocka_unit_test(what_is_asked_may_change),
		cmocka_unit_test(one_endpoint_of_two_services_is_one_cell),
	};

	return cmocka_run_group_tests_name("plan/cell", tests, NULL, NULL);
}
