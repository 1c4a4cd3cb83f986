#include "hubmail/base_zone.h"

#include "../../daemon/base/zone.h"
#include "hubmail/base_file.h"
#include "hubmail/base_mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "oracle.h"

#define ZONEINFO "/usr/share/zoneinfo"

static struct zone *load(const char *name)
{
	struct error e = {0};
	struct zone *z = zone_load(name, &e);

	if (z == NULL)
		fail_msg("%s", e.text);
	return z;
}

/* ---- Compared with another reader of the same files ---- */

struct current {
	char name[128];
	struct zone *zone;
};

static struct zone *zone_of(struct current *c, const char *name)
{
	if (c->zone == NULL || strcmp(c->name, name) != 0) {
		zone_free(c->zone);
		c->zone = load(name);
		snprintf(c->name, sizeof(c->name), "%s", name);
	}
	return c->zone;
}

/* "o ZONE MOMENT OFFSET" or "u ZONE YEAR MONTH DAY MINUTE MOMENT". */
static void check_case(struct current *c, const struct oracle *o)
{
	bool is_offset = strcmp(o->words[0], "o") == 0;
	const struct zone *z = zone_of(c, o->words[1]);
	long long got = is_offset
				? zone_offset(z, oracle_number(o, 2))
				: zone_to_utc(z, (int)oracle_number(o, 2), (int)oracle_number(o, 3),
					  (int)oracle_number(o, 4), (int)oracle_number(o, 5));

	if (got != oracle_number(o, is_offset ? 3 : 6))
		fail_msg("%lld instead of %s", got, o->line);
}

static void test_every_zone_agrees_with_pythons_zoneinfo(void **state)
{
	struct current c = {0};
	struct oracle o;

	(void)state;
	oracle_ask(&o, "zone/oracle.py");
	while (oracle_next(&o))
		check_case(&c, &o);
	assert_true(o.n_lines > 10000);
	zone_free(c.zone);
}

/* ---- Facts that no new edition of the zone files changes ---- */

static void test_a_summer_time_that_ended_long_ago_is_known(void **state)
{
	struct zone *z = load("Europe/Berlin");

	(void)state;
	assert_int_equal(zone_offset(z, 1000000000), 7200);  /* 2001-09-09 */
	assert_int_equal(zone_offset(z, 1007000000), 3600);  /* 2001-11-29 */
	assert_int_equal(zone_offset(z, -5000000000), 3208); /* local mean time */
	zone_free(z);
}

static void test_a_skipped_time_is_the_first_moment_after_the_gap(void **state)
{
	struct zone *z = load("Europe/Berlin");

	(void)state;
	/* 2019-03-31: 02:00 became 03:00 at 01:00 UTC. */
	assert_int_equal(zone_to_utc(z, 2019, 3, 31, 119), 1553993940);
	assert_int_equal(zone_to_utc(z, 2019, 3, 31, 120), 1553994000);
	assert_int_equal(zone_to_utc(z, 2019, 3, 31, 150), 1553994000);
	assert_int_equal(zone_to_utc(z, 2019, 3, 31, 180), 1553994000);
	assert_int_equal(zone_to_utc(z, 2019, 3, 31, 181), 1553994060);
	zone_free(z);
}

static void test_a_time_that_comes_twice_is_the_first(void **state)
{
	struct zone *z = load("Europe/Berlin");

	(void)state;
	/* 2019-10-27: 03:00 became 02:00 at 01:00 UTC. */
	assert_int_equal(zone_to_utc(z, 2019, 10, 27, 150), 1572136200);
	assert_int_equal(zone_to_utc(z, 2019, 10, 27, 180), 1572141600);
	zone_free(z);
}

static void test_a_day_that_never_was_is_the_first_moment_after_it(void **state)
{
	struct zone *z = load("Pacific/Apia");

	(void)state;
	/* Samoa went from 29 to 31 December 2011 at 10:00 UTC. */
	assert_int_equal(zone_to_utc(z, 2011, 12, 30, 480), 1325239200);
	assert_int_equal(zone_to_utc(z, 2011, 12, 31, 0), 1325239200);
	zone_free(z);
}

static void test_a_day_past_the_months_end_is_in_the_next_month(void **state)
{
	struct zone *z = load("UTC");

	(void)state;
	assert_int_equal(zone_to_utc(z, 2023, 2, 29, 0), zone_to_utc(z, 2023, 3, 1, 0));
	assert_int_equal(zone_to_utc(z, 1970, 1, 1, 1), 60);
	zone_free(z);
}

static void test_the_far_future_and_past_have_an_offset(void **state)
{
	struct zone *z = load("Europe/Berlin");

	(void)state;
	assert_int_equal(zone_offset(z, INT64_MIN), 3208);
	int far = zone_offset(z, INT64_MAX);
	assert_true(far == 3600 || far == 7200);
	zone_free(z);
}

/* ---- Names ---- */

static void expect_no_zone(const char *name, const char *part_of_the_text)
{
	struct error e = {0};

	assert_null(zone_load(name, &e));
	assert_int_equal(e.code, ERROR_CONFIG);
	if (strstr(e.text, part_of_the_text) == NULL)
		fail_msg("\"%s\" has no \"%s\"", e.text, part_of_the_text);
}

static void test_a_name_never_leads_out_of_the_folder(void **state)
{
	static const char *const names[] = {"", "/", "/etc/localtime", "../zoneinfo/UTC", "..",
		"Europe/../UTC", "Europe//Berlin", "Europe/", ".", "./UTC", "UTC\n",
		"zone1970.tab"};
	char longer[300];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		expect_no_zone(names[i], "there is no time zone");
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	expect_no_zone(longer, "there is no time zone");
	expect_no_zone("Europe", "there is no time zone");
}

static void test_a_close_name_is_suggested(void **state)
{
	(void)state;
	expect_no_zone("Europe/Berlim", "did you mean \"Europe/Berlin\"?");
	expect_no_zone("asia/shanghai", "did you mean \"Asia/Shanghai\"?");
	expect_no_zone("shanghai", "did you mean \"Asia/Shanghai\"?");
}

/* ---- Damaged files ---- */

struct folder {
	char path[64];
	char *file;
};

static int make_folder(void **state)
{
	struct folder *f = xcalloc(1, sizeof(*f));

	snprintf(f->path, sizeof(f->path), "/tmp/hubmail-unit-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->file = xasprintf("%s/Zone", f->path);
	*state = f;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *f = *state;

	unlink(f->file);
	assert_int_equal(rmdir(f->path), 0);
	free(f->file);
	free(f);
	return 0;
}

static struct zone *load_bytes(struct folder *f, const void *data, size_t len, struct error *e)
{
	FILE *out = fopen(f->file, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(data, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
	*e = (struct error){0};
	return zone_load_from(f->path, "Zone", e);
}

static void read_system_zone(const char *name, struct buf *out)
{
	char path[128];
	struct error e = {0};

	snprintf(path, sizeof(path), ZONEINFO "/%s", name);
	if (!file_read(path, 1 << 20, out, &e))
		fail_msg("%s", e.text);
}

static void test_a_file_cut_short_anywhere_is_an_error(void **state)
{
	struct folder *f = *state;
	struct buf whole = {0};
	struct error e;

	read_system_zone("Europe/Berlin", &whole);
	for (size_t len = 0; len < whole.len; len++) {
		assert_null(load_bytes(f, whole.data, len, &e));
		assert_int_equal(e.code, ERROR_IO);
	}
	struct zone *z = load_bytes(f, whole.data, whole.len, &e);
	assert_non_null(z);
	zone_free(z);
	buf_free(&whole);
}

/* Whatever the counts say, the reader stays within the file (the sanitizer watches). */
static void test_wild_counts_are_an_error(void **state)
{
	struct folder *f = *state;
	struct buf whole = {0};
	struct error e;

	read_system_zone("Europe/Berlin", &whole);
	for (size_t at = 20; at < 44; at += 4) {
		static const unsigned char wild[][4] = {{0xFF, 0xFF, 0xFF, 0xFF},
			{0x7F, 0xFF, 0xFF, 0xFF}, {0, 0, 0xFF, 0xFF}, {0x80, 0, 0, 0}};
		for (size_t i = 0; i < 4; i++) {
			char *copy = xmemdup(whole.data, whole.len);
			memcpy(copy + at, wild[i], 4);
			assert_null(load_bytes(f, copy, whole.len, &e));
			assert_int_equal(e.code, ERROR_IO);
			free(copy);
		}
	}
	buf_free(&whole);
}

/* Any single byte may be wrong: the file is refused, or read as something else, and both questions
 * end. */
static void test_a_flipped_byte_does_no_harm(void **state)
{
	struct folder *f = *state;
	struct buf whole = {0};
	struct error e;

	read_system_zone("Africa/Casablanca", &whole);
	for (size_t i = 0; i < whole.len; i++) {
		whole.data[i] = (char)(whole.data[i] ^ (i % 2 == 0 ? 0x80 : 0x3F));
		struct zone *z = load_bytes(f, whole.data, whole.len, &e);
		if (z != NULL) {
			assert_in_range(zone_offset(z, 1800000000) + ZONE_OFFSET_MAX, 0,
				2 * ZONE_OFFSET_MAX);
			int64_t at = zone_to_utc(z, 2027, 3, 1, 0);
			assert_in_range(
				at, 1803859200 - ZONE_OFFSET_MAX, 1803859200 + 2 * ZONE_OFFSET_MAX);
		}
		zone_free(z);
		whole.data[i] = (char)(whole.data[i] ^ (i % 2 == 0 ? 0x80 : 0x3F));
	}
	buf_free(&whole);
}

/* A file of the first version (RFC 8536, 3.1): one transition in 32 bits, no footer. */
static void test_a_file_of_version_1_is_read(void **state)
{
	static const unsigned char file[] = {'T', 'Z', 'i', 'f', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 8,
		/* at 1000 the second type begins */ 0, 0, 3, 0xE8, 1,
		/* +0:00:00 */ 0, 0, 0, 0, 0, 0,
		/* -1:00:00 */ 0xFF, 0xFF, 0xF1, 0xF0, 0, 4, 'A', 'A', 'A', 0, 'B', 'B', 'B', 0};
	struct folder *f = *state;
	struct error e;
	struct zone *z = load_bytes(f, file, sizeof(file), &e);

	assert_non_null(z);
	assert_int_equal(zone_offset(z, 999), 0);
	assert_int_equal(zone_offset(z, 1000), -3600);
	zone_free(z);
	assert_null(load_bytes(f, file, sizeof(file) - 1, &e));
}

static void test_a_zone_with_leap_seconds_is_refused(void **state)
{
	struct folder *f = *state;
	struct buf whole = {0};
	struct error e;

	if (access(ZONEINFO "/right/Europe/Berlin", R_OK) != 0)
		skip();
	read_system_zone("right/Europe/Berlin", &whole);
	assert_null(load_bytes(f, whole.data, whole.len, &e));
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_non_null(strstr(e.text, "leap seconds"));
	buf_free(&whole);
}

/* ---- The rule in the footer ---- */

static bool is_rule(const char *text)
{
	struct zone_rule r;
	char *exact = xmemdup(text, strlen(text)); /* without a NUL, so that reading on shows */
	bool ok = zone_rule_parse(exact, strlen(text), &r);

	free(exact);
	return ok;
}

static void test_rules_are_read_to_their_end_or_refused(void **state)
{
	static const char *const good[] = {"UTC0", "<+0330>-3:30", "CET-1CEST,M3.5.0,M10.5.0/3",
		"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "IST-1GMT0,M10.5.0,M3.5.0/1",
		"EST5EDT,0/0,J365/25", "XXX-24:59:59"};
	static const char *const bad[] = {"", "U", "UT0", "UTC", "UTC25", "UTC0:60", "<>0", "<+03",
		"CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,M10.5.0/168",
		"CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0",
		"CET-1CEST,J0,J365", "CET-1CEST,0,366", "CET-1CEST,M3.5.0,M10.5.0x", "UTC0 ",
		"UTC99999999999"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!is_rule(good[i]))
			fail_msg("%s is refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (is_rule(bad[i]))
			fail_msg("%s is taken", bad[i]);
}

static void test_summer_all_year_is_summer_at_new_year_too(void **state)
{
	static const char text[] = "EST5EDT,0/0,J365/25";
	struct zone_rule r;

	(void)state;
	assert_true(zone_rule_parse(text, sizeof(text) - 1, &r));
	for (int64_t at = 1577836800 - 86400; at < 1577836800 + 86400; at += 1800)
		assert_int_equal(zone_rule_offset(&r, at, NULL), -4 * 3600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_zone_agrees_with_pythons_zoneinfo),
		cmocka_unit_test(test_a_summer_time_that_ended_long_ago_is_known),
		cmocka_unit_test(test_a_skipped_time_is_the_first_moment_after_the_gap),
		cmocka_unit_test(test_a_time_that_comes_twice_is_the_first),
		cmocka_unit_test(test_a_day_that_never_was_is_the_first_moment_after_it),
		cmocka_unit_test(test_a_day_past_the_months_end_is_in_the_next_month),
		cmocka_unit_test(test_the_far_future_and_past_have_an_offset),
		cmocka_unit_test(test_a_name_never_leads_out_of_the_folder),
		cmocka_unit_test(test_a_close_name_is_suggested),
		cmocka_unit_test_setup_teardown(
			test_a_file_cut_short_anywhere_is_an_error, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			test_wild_counts_are_an_error, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			test_a_flipped_byte_does_no_harm, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			test_a_file_of_version_1_is_read, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			test_a_zone_with_leap_seconds_is_refused, make_folder, remove_folder),
		cmocka_unit_test(test_rules_are_read_to_their_end_or_refused),
		cmocka_unit_test(test_summer_all_year_is_summer_at_new_year_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
