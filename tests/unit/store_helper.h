/* A database in a folder of its own, for the tests of the store and of what stands on it. */
#ifndef TESTS_UNIT_STORE_HELPER_H
#define TESTS_UNIT_STORE_HELPER_H

#include "hubmail/base_mem.h"
#include "hubmail/store.h"
#include "hubmail/store_delivery.h"
#include "hubmail/store_digest.h"
#include "hubmail/store_post.h"
#include "hubmail/store_subscriber.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW 1790000000

static const struct secret unit_secret = {{1, 2, 3}};

struct fixture {
	char folder[64];
	char path[96];
	struct store *store;
	struct error e;
	int64_t list;
};

#define assert_ok(f, call)                                                                         \
	do {                                                                                       \
		if (!(call))                                                                       \
			fail_msg("%s: %s", #call, (f)->e.text);                                    \
	} while (0)

static inline int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	snprintf(f->folder, sizeof(f->folder), "/tmp/hubmail-unit-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/hubmail.db", f->folder);
	f->store = store_open(f->path, STORE_WRITE, &f->e);
	if (f->store == NULL)
		fail_msg("%s", f->e.text);
	store_set_secret(f->store, &unit_secret);
	f->list = store_list_ensure(f->store, "news", &f->e);
	assert_int_not_equal(f->list, 0);
	*state = f;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	store_close(f->store);
	snprintf(command, sizeof(command), "rm -rf %s", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static inline enum store_add_result add_reader(struct fixture *f, const char *email)
{
	enum store_add_result result;
	struct store_subscriber_new n = {.email = email,
		.list_id = f->list,
		.state = SUBSCRIPTION_CONFIRMED,
		.edition = -1,
		.origin = "test"};

	assert_ok(f, store_subscriber_add(f->store, &n, NOW, &result, &f->e));
	return result;
}

static inline int64_t reader_id(struct fixture *f, const char *email)
{
	struct store_subscriber sub;

	assert_ok(f, store_subscriber_get(f->store, email, &sub, &f->e));
	int64_t id = sub.id;
	store_subscriber_free(&sub);
	return id;
}

/* A turn of the session in that place. */
static inline enum store_go turn(struct fixture *f, int place, const struct store_result *result,
	const struct delivery_key *next)
{
	struct store_turn t = {.session = place, .result = result, .next = next, .at = NOW};
	enum store_go go;

	assert_ok(f, store_delivery_turn(f->store, &t, &go, &f->e));
	return go;
}

/* n readers r1@example.org … and a digest whose deliveries are queued. */
static inline int64_t queued_digest(struct fixture *f, int n)
{
	struct store_digest_new d = {.list_id = f->list,
		.edition = EDITION_EACH,
		.is_default = true,
		.subject = "Subject",
		.message = "message",
		.message_len = 7};
	int64_t id;
	bool more = true;

	for (int i = 1; i <= n; i++) {
		char email[64];
		snprintf(email, sizeof(email), "r%d@example.org", i);
		add_reader(f, email);
	}
	assert_ok(f, store_digest_create(f->store, &d, NOW, &id, &f->e));
	while (more)
		assert_ok(f, store_digest_enqueue(f->store, id, 100, NOW, &more, &f->e));
	return id;
}

static inline struct store_digest get_digest(struct fixture *f, int64_t id)
{
	struct store_digest d;

	assert_ok(f, store_digest_get(f->store, id, &d, &f->e));
	free(d.list);
	free(d.subject);
	free(d.reason);
	d.list = d.subject = d.reason = NULL;
	return d;
}

#endif
