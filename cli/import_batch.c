/* Storing the readers of a file. A file has them in any order, and an index takes them much faster
 * in its own: so many are collected and sorted by their address. How many go into a transaction is
 * a matter of time alone, so that the daemon never waits long; what was committed stays, whatever
 * breaks afterwards. */
#include "import_batch.h"

#include "hubmail/base_address.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include <stdlib.h>
#include <unistd.h>

#define READERS_MAX ((size_t)1 << 16)
#define BYTES_MAX ((size_t)8 << 20)
#define TRANSACTION_MS 50 /* with its commit */
#define WORK_MIN_MS 20    /* of it, however slow the disk is */
#define PAUSE_US 2000     /* after a commit: the daemon's writer gets its turn */

void import_batch_add(
	struct import_batch *b, struct import_row *row, struct import_list *list, size_t bytes)
{
	if (b->n == b->cap) {
		b->cap = b->cap > 0 ? 2 * b->cap : 256;
		b->readers = xreallocarray(b->readers, b->cap, sizeof(*b->readers));
	}
	b->readers[b->n] = (struct import_reader){.row = *row, .list = list, .place = b->n};
	b->n++;
	b->bytes += bytes;
	*row = (struct import_row){0};
}

bool import_batch_full(const struct import_batch *b)
{
	return b->n >= READERS_MAX || b->bytes >= BYTES_MAX;
}

double import_batch_part(const struct import_batch *b)
{
	return b->n > 0 ? (double)b->done / (double)b->n : 0;
}

/* ---- Transactions ---- */

static bool begin(struct import_batch *b, struct error *e)
{
	if (b->keep.dry_run || b->began_ms != 0)
		return true;
	if (!store_begin(b->keep.store, e))
		return false;
	/* From here on others wait for us; we may have waited for them just as long. */
	b->began_ms = clock_mono_ms();
	return true;
}

static bool commit(struct import_batch *b, struct error *e)
{
	int64_t began = clock_mono_ms();

	if (b->began_ms != 0 && !store_commit(b->keep.store, e))
		return false;
	int64_t took = clock_mono_ms() - began, expected = b->commit_ms * 3 / 4;
	b->commit_ms = took > expected ? took : expected;
	b->began_ms = 0;
	b->stored = b->keep.counts;
	return true;
}

/* True if there is just time for the commit. */
static bool time_is_up(const struct import_batch *b)
{
	int64_t work = TRANSACTION_MS - b->commit_ms;

	return b->began_ms != 0 &&
	       clock_mono_ms() - b->began_ms >= (work > WORK_MIN_MS ? work : WORK_MIN_MS);
}

static bool make_room_for_others(struct import_batch *b, struct error *e)
{
	if (!time_is_up(b))
		return true;
	if (!commit(b, e))
		return false;
	usleep(PAUSE_US);
	return true;
}

/* ---- The readers ---- */

static int by_address(const void *a, const void *b)
{
	const struct import_reader *x = a, *y = b;
	int order = address_compare(x->row.email, y->row.email);

	return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

static void empty(struct import_batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		import_row_free(&b->readers[i].row);
	b->n = b->bytes = b->done = 0;
}

static bool store_all(struct import_batch *b, struct error *e)
{
	size_t kept = 0;

	for (b->done = 0; b->done < b->n; b->done += kept) {
		if (!begin(b, e) ||
			!import_keep(&b->keep, b->readers + b->done, b->n - b->done, &kept, e) ||
			!make_room_for_others(b, e))
			return false;
		b->tick(b->tick_arg);
	}
	return commit(b, e);
}

bool import_batch_store(struct import_batch *b, struct error *e)
{
	if (b->n > 1)
		qsort(b->readers, b->n, sizeof(*b->readers), by_address);
	bool good = store_all(b, e);
	if (!good)
		store_rollback(b->keep.store);
	b->began_ms = 0;
	empty(b);
	return good;
}

void import_batch_free(struct import_batch *b)
{
	empty(b);
	free(b->readers);
}
