/* Time zones from the system's zoneinfo files: the name checked, the file read with every length
 * checked, and the two questions that are asked of a zone. The environment's TZDIR is not looked
 * at: hubmaild and hubmailctl must see the same zones. */
#include "hubmail/base_zone.h"

#include "hubmail/base_buf.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_file.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "zone.h"
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ZONEINFO "/usr/share/zoneinfo"
#define NAME_MAX_BYTES 128
#define FILE_MAX_BYTES (1u << 20)
#define HEADER_BYTES 44
#define TYPE_BYTES 6
#define DAY INT64_C(86400)

struct zone {
	size_t n; /* transitions, ascending */
	int64_t *at;
	int32_t *offset; /* from at[i] on */
	int32_t before;  /* the offset before the first */
	bool has_rule;   /* for the time from the last on */
	struct zone_rule rule;
};

static bool check_name(const char *folder, const char *name, struct error *e);
static bool no_such_zone(const char *folder, const char *name, struct error *e);
static bool parse(struct zone *z, const unsigned char *data, size_t len, struct error *e);

struct zone *zone_load(const char *name, struct error *e)
{
	return zone_load_from(ZONEINFO, name, e);
}

struct zone *zone_load_from(const char *folder, const char *name, struct error *e)
{
	struct zone *z = NULL;
	struct buf data = {0};
	struct error failure = {0};

	if (!check_name(folder, name, e))
		return NULL;
	char *path = xasprintf("%s/%s", folder, name);
	if (!file_read(path, FILE_MAX_BYTES, &data, &failure)) {
		if (failure.code == ERROR_IO)
			error_set(e, ERROR_IO, "time zone %s: %s", name, failure.text);
		else
			no_such_zone(folder, name, e);
	} else {
		z = zone_read(buf_str(&data), data.len, e);
		if (z == NULL)
			error_prefix(e, "time zone %s: %s", name, path);
	}
	free(path);
	buf_free(&data);
	return z;
}

struct zone *zone_read(const void *data, size_t len, struct error *e)
{
	struct zone *z = xcalloc(1, sizeof(*z));

	if (parse(z, data, len, e))
		return z;
	zone_free(z);
	return NULL;
}

void zone_free(struct zone *z)
{
	if (z == NULL)
		return;
	free(z->at);
	free(z->offset);
	free(z);
}

/* How many transitions are at or before a moment. */
static size_t transitions_until(const struct zone *z, int64_t at)
{
	size_t low = 0, high = z->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (z->at[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The offset at a moment and when the next change follows (INT64_MAX: never). */
static int offset_and_next(const struct zone *z, int64_t at, int64_t *next)
{
	size_t i = transitions_until(z, at);

	if (i == z->n && z->has_rule)
		return zone_rule_offset(&z->rule, at, next);
	*next = i < z->n ? z->at[i] : INT64_MAX;
	return i > 0 ? z->offset[i - 1] : z->before;
}

int zone_offset(const struct zone *z, int64_t at)
{
	int64_t next;

	return offset_and_next(z, at, &next);
}

/* The first moment at which the clocks show that time or have passed it: found by walking the
 * stretches between two changes, from one that is too early in any zone. */
int64_t zone_to_utc(const struct zone *z, int year, int month, int day, int minute_of_day)
{
	int64_t shown = clock_days(year, month, day) * DAY + (int64_t)minute_of_day * 60;
	int64_t from = shown - ZONE_OFFSET_MAX - 1;

	for (;;) {
		int64_t next;
		int64_t at = shown - offset_and_next(z, from, &next);
		if (at < from)
			at = from; /* the change of clocks went past it */
		if (at < next)
			return at;
		from = next;
	}
}

/* ---- Names ---- */

static bool is_name(const char *name)
{
	size_t len =
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/");

	/* No dot is among them, and so neither is "..". */
	return len > 0 && len <= NAME_MAX_BYTES && name[len] == '\0' && name[0] != '/' &&
	       name[len - 1] != '/' && strstr(name, "//") == NULL;
}

static bool check_name(const char *folder, const char *name, struct error *e)
{
	return is_name(name) || no_such_zone(folder, name, e);
}

/* Every zone there is, for the suggestion. posix/ and right/ hold the same ones once more. */
static void list_names(const char *folder, struct strlist *out)
{
	char *roots[] = {xstrdup(folder), NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	size_t skip = strlen(folder) + 1;

	for (FTSENT *f; walk != NULL && (f = fts_read(walk)) != NULL;) {
		if (f->fts_info == FTS_D && f->fts_level == 1 &&
			(strcmp(f->fts_name, "posix") == 0 || strcmp(f->fts_name, "right") == 0))
			fts_set(walk, f, FTS_SKIP);
		if ((f->fts_info == FTS_F || f->fts_info == FTS_SL) && f->fts_level > 0 &&
			is_name(f->fts_path + skip))
			strlist_add(out, f->fts_path + skip);
	}
	if (walk != NULL)
		fts_close(walk);
	free(roots[0]);
}

/* "asia/shanghai" and "Shanghai" mean Asia/Shanghai, however far away they are in letters. */
static const char *close_name(const char *name, const struct strlist *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcasecmp(all->items[i], name) == 0)
			return all->items[i];
	for (size_t i = 0; i < all->n; i++) {
		const char *slash = strrchr(all->items[i], '/');
		if (slash != NULL && strcasecmp(slash + 1, name) == 0)
			return all->items[i];
	}
	return text_suggest(name, (const char *const *)all->items, all->n);
}

static bool no_such_zone(const char *folder, const char *name, struct error *e)
{
	struct strlist all = {0};
	const char *close = NULL;

	if (strlen(name) <= NAME_MAX_BYTES) {
		list_names(folder, &all);
		close = close_name(name, &all);
	}
	if (close != NULL)
		error_set(e, ERROR_CONFIG, "there is no time zone \"%s\": did you mean \"%s\"?",
			name, close);
	else
		error_set(e, ERROR_CONFIG,
			"there is no time zone \"%.*s\": a name like \"Europe/Berlin\" is expected",
			NAME_MAX_BYTES, name);
	strlist_free(&all);
	return false;
}

/* ---- TZif (RFC 8536, 3) ---- */

struct block {
	uint32_t is_ut, is_std, leaps, times, types, chars;
	int time_bytes; /* 4 in the first block, 8 in the second */
	const unsigned char *data;
	uint64_t len;
};

static uint32_t get32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t get_time(const unsigned char *p, int bytes)
{
	if (bytes == 4)
		return (int32_t)get32(p);
	return (int64_t)((uint64_t)get32(p) << 32 | get32(p + 4));
}

static bool damaged(struct error *e, const char *what)
{
	return error_set(e, ERROR_IO, "the file is damaged (%s): reinstall tzdata", what);
}

/* The counts are 32 bits wide, so the sum of their products cannot overflow 64. */
static bool read_header(struct block *b, const unsigned char *data, size_t len, int time_bytes)
{
	if (len < HEADER_BYTES || memcmp(data, "TZif", 4) != 0)
		return false;
	b->is_ut = get32(data + 20);
	b->is_std = get32(data + 24);
	b->leaps = get32(data + 28);
	b->times = get32(data + 32);
	b->types = get32(data + 36);
	b->chars = get32(data + 40);
	b->time_bytes = time_bytes;
	b->data = data + HEADER_BYTES;
	b->len = (uint64_t)b->times * (uint64_t)(time_bytes + 1) + (uint64_t)b->types * TYPE_BYTES +
		 b->chars + (uint64_t)b->leaps * (uint64_t)(time_bytes + 4) + b->is_std + b->is_ut;
	return b->len <= len - HEADER_BYTES;
}

static bool read_offset(const struct block *b, uint32_t type, int32_t *out)
{
	const unsigned char *types = b->data + (size_t)b->times * (size_t)(b->time_bytes + 1);

	if (type >= b->types)
		return false;
	*out = (int32_t)get32(types + (size_t)type * TYPE_BYTES);
	return *out >= -ZONE_OFFSET_MAX && *out <= ZONE_OFFSET_MAX;
}

static bool read_transitions(struct zone *z, const struct block *b, struct error *e)
{
	const unsigned char *types = b->data + (size_t)b->times * (size_t)b->time_bytes;

	if (b->leaps > 0)
		return error_set(e, ERROR_CONFIG,
			"this zone counts leap seconds: take the one without \"right/\"");
	if (!read_offset(b, 0, &z->before))
		return damaged(e, "no local time in it");
	z->n = b->times;
	z->at = xcalloc(z->n, sizeof(*z->at));
	z->offset = xcalloc(z->n, sizeof(*z->offset));
	for (size_t i = 0; i < z->n; i++) {
		z->at[i] = get_time(b->data + i * (size_t)b->time_bytes, b->time_bytes);
		if (i > 0 && z->at[i] <= z->at[i - 1])
			return damaged(e, "its times are not in order");
		if (!read_offset(b, types[i], &z->offset[i]))
			return damaged(e, "a wrong local time");
	}
	return true;
}

/* Between two newlines; nothing there: after the last transition nothing is known to change. */
static bool read_footer(struct zone *z, const unsigned char *data, size_t len, struct error *e)
{
	const unsigned char *end = len > 0 ? memchr(data + 1, '\n', len - 1) : NULL;

	if (end == NULL || data[0] != '\n')
		return damaged(e, "its footer is missing");
	size_t rule_len = (size_t)(end - data) - 1;
	z->has_rule = rule_len > 0;
	return rule_len == 0 || zone_rule_parse((const char *)data + 1, rule_len, &z->rule) ||
	       damaged(e, "a wrong rule in its footer");
}

static bool parse(struct zone *z, const unsigned char *data, size_t len, struct error *e)
{
	struct block first, second;

	if (!read_header(&first, data, len, 4))
		return damaged(e, "no zone file, or cut short");
	if (data[4] < '2')
		return read_transitions(z, &first, e);
	data += HEADER_BYTES + first.len;
	len -= HEADER_BYTES + (size_t)first.len;
	if (!read_header(&second, data, len, 8))
		return damaged(e, "cut short");
	return read_transitions(z, &second, e) &&
	       read_footer(z, data + HEADER_BYTES + second.len,
		       len - HEADER_BYTES - (size_t)second.len, e);
}
