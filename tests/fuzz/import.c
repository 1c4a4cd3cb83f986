/* `hubmailctl import` on any bytes: the records that a file falls into, its header, its lines.
 * Besides not crashing, every byte must belong to the records in order, and what passes for a
 * reader must have an address that may stand in an SMTP command. */
#include "csv_reader.h"
#include "hubmail/base_address.h"
#include "hubmail/base_text.h"
#include "import_row.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
	const uint8_t *data;
	size_t len, at, piece;
};

static ssize_t give(void *arg, void *out, size_t max)
{
	struct bytes *b = arg;
	size_t n = b->len - b->at < b->piece ? b->len - b->at : b->piece;

	n = n < max ? n : max;
	memcpy(out, b->data + b->at, n);
	b->at += n;
	return (ssize_t)n;
}

static void must(bool right)
{
	if (!right)
		abort();
}

static void read_line(struct import_columns *c, const struct csv_record *r)
{
	struct import_row row;
	struct error e = {0};

	if (import_row_read(c, r->fields, r->n, &row, &e)) {
		must(address_is_normal(row.email));
		must(row.name == NULL || utf8_valid(row.name, strlen(row.name)));
	} else {
		must(e.code == ERROR_DATA && e.text[0] != '\0');
	}
	import_row_free(&row);
}

static void check_record(struct csv_reader *c, struct csv_record *r, size_t *line, uint64_t *end)
{
	must(r->line >= *line && r->raw_len > 0 && r->lines > 0);
	must(csv_reader_offset(c) >= *end + r->raw_len);
	for (size_t i = 0; i < r->n; i++)
		must(utf8_valid(r->fields[i], strlen(r->fields[i])));
	if (r->problem == NULL && r->n % 7 == 3)
		csv_reader_split(c, r);
	*line = r->line + r->lines;
	*end = csv_reader_offset(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = {data, size, 0, size > 0 ? 1 + data[size - 1] : 1};
	struct csv_reader *c = csv_reader_new(give, &b);
	struct import_columns columns = {0};
	struct strlist maps = {0};
	struct csv_record r;
	size_t line = 1;
	uint64_t end = 0;
	bool known = false;

	for (size_t n = 0; csv_reader_next(c, &r) == CSV_NEXT_RECORD; n++) {
		struct error e = {0};
		if (n == 0 && r.problem == NULL)
			known = import_columns_find(r.fields, r.n, &maps, &columns, &e);
		else if (known && r.problem == NULL)
			read_line(&columns, &r);
		check_record(c, &r, &line, &end);
	}
	must(csv_reader_offset(c) == size);
	import_columns_free(&columns);
	csv_reader_free(c);
	return 0;
}
