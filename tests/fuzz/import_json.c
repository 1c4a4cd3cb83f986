/* `hubmailctl import` on any bytes that are meant as JSON. Besides not crashing, whatever the first
 * reading took must be given by the second to its end, each record with its own text, as UTF-8, and
 * a line can be kept with the reason why it is bad. */
#include "import_json.h"
#include "hubmail/base_text.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool right)
{
	if (!right)
		abort();
}

static void check_record(const struct csv_record *r, size_t *line, size_t n)
{
	must(r->line >= *line && r->lines == 1);
	must((r->problem != NULL) == (r->n == 0));
	must(r->n == 0 || r->n == n);
	for (size_t i = 0; i < r->n; i++)
		must(utf8_valid(r->fields[i], strlen(r->fields[i])));
	*line = r->line;
}

static void check_reject(const struct csv_record *r)
{
	char *kept = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&kept, &len);

	must(out != NULL);
	import_json_reject(out, r, "a reason");
	fclose(out);
	must(import_json_is_meant(kept, len));
	free(kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = {0};
	struct error e = {0};
	struct csv_record r;
	size_t line = 1, names = 0;

	buf_add(&text, data, size);
	if (!import_json_is_meant(buf_str(&text), text.len)) {
		buf_free(&text);
		return 0;
	}
	struct import_json *j = import_json_new(&text, &e);
	must((j == NULL) == (e.code == ERROR_DATA));
	for (size_t n = 0; j != NULL && import_json_next(j, &r) == CSV_NEXT_RECORD; n++) {
		names = n == 0 ? r.n : names;
		check_record(&r, &line, names);
		if (n > 0)
			check_reject(&r);
	}
	must(j == NULL || import_json_part(j) == 1.0);
	import_json_free(j);
	return 0;
}
