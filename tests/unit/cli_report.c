/* What the commands print, in the three styles. */
#include "hubmail/base_mem.h"
#include "report.h"
#include <jansson.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct printed {
	char *out, *err;
	size_t out_len, err_len;
	FILE *to_out, *to_err;
	struct report *report;
};

static const struct column columns[] = {
	{"email", "EMAIL", 0},
	{"n", "N", COLUMN_RIGHT},
	{"at", "AT", 0},
	{"secret", "SECRET", COLUMN_DETAIL},
};
static const struct table table = {TABLE_COLUMNS(columns), .empty = "nobody"};
static const struct table named = {.key = "readers", .title = "Readers", TABLE_COLUMNS(columns)};

static void start(struct printed *p, enum report_style style, bool quiet)
{
	*p = (struct printed){0};
	p->to_out = open_memstream(&p->out, &p->out_len);
	p->to_err = open_memstream(&p->err, &p->err_len);
	p->report = report_new(p->to_out, p->to_err, style, quiet);
}

static void finish(struct printed *p)
{
	struct error e = {0};

	assert_true(report_end(p->report, &e));
	fflush(p->to_err);
}

static void done(struct printed *p)
{
	report_free(p->report);
	fclose(p->to_out);
	fclose(p->to_err);
	free(p->out);
	free(p->err);
}

static void two_rows(struct printed *p, const struct table *t)
{
	report_table(p->report, t);
	REPORT_ROW(p->report, cell_text("ann@example.org"), cell_number(1), cell_time(0),
		cell_text("x"));
	REPORT_ROW(p->report, cell_text("bob@example.org"), cell_number(20), cell_time(1790000000),
		cell_none());
}

static void test_a_pipe_gets_tabs_without_a_header_and_times_in_utc(void **state)
{
	struct printed p;

	(void)state;
	start(&p, REPORT_PIPE, false);
	two_rows(&p, &table);
	finish(&p);
	assert_string_equal(p.out, "ann@example.org\t1\t\tx\n"
				   "bob@example.org\t20\t2026-09-21T14:13:20Z\t\n");
	done(&p);
}

static void test_no_value_can_end_a_cell_or_a_line_of_a_pipe(void **state)
{
	struct printed p;

	(void)state;
	start(&p, REPORT_PIPE, false);
	report_table(p.report, &table);
	REPORT_ROW(p.report, cell_text("a\tb\nc\\d\x1b[0m"), cell_none(), cell_none(), cell_none());
	finish(&p);
	assert_string_equal(p.out, "a\\tb\\nc\\\\d\\x1b[0m\t\t\t\n");
	done(&p);
}

static void test_json_of_a_table_is_an_array_of_objects(void **state)
{
	struct printed p;

	(void)state;
	start(&p, REPORT_JSON, false);
	two_rows(&p, &table);
	finish(&p);
	json_t *all = json_loads(p.out, 0, NULL);
	assert_int_equal(json_array_size(all), 2);
	const json_t *bob = json_array_get(all, 1);
	assert_int_equal(json_integer_value(json_object_get(bob, "n")), 20);
	assert_string_equal(json_string_value(json_object_get(bob, "at")), "2026-09-21T14:13:20Z");
	assert_true(json_is_null(json_object_get(bob, "secret")));
	json_decref(all);
	done(&p);
}

static void test_json_of_an_empty_table_is_an_empty_array(void **state)
{
	struct printed p;

	(void)state;
	start(&p, REPORT_JSON, false);
	report_table(p.report, &table);
	finish(&p);
	assert_string_equal(p.out, "[]\n");
	done(&p);
}

static void test_malformed_text_does_not_break_json(void **state)
{
	struct printed p;

	(void)state;
	start(&p, REPORT_JSON, false);
	report_table(p.report, &table);
	REPORT_ROW(p.report, cell_text("a\xff\x01"), cell_none(), cell_none(), cell_none());
	finish(&p);
	json_t *all = json_loads(p.out, 0, NULL);
	assert_int_equal(json_array_size(all), 1);
	json_decref(all);
	done(&p);
}

static void test_a_page_has_fields_and_named_tables(void **state)
{
	struct printed p;

	(void)state;
	start(&p, REPORT_JSON, false);
	report_field(p.report, "running", "Daemon", cell_bool(true));
	two_rows(&p, &named);
	finish(&p);
	json_t *page = json_loads(p.out, 0, NULL);
	assert_true(json_is_true(json_object_get(page, "running")));
	assert_int_equal(json_array_size(json_object_get(page, "readers")), 2);
	json_decref(page);
	done(&p);

	start(&p, REPORT_PIPE, false);
	report_field(p.report, "running", "Daemon", cell_bool(true));
	two_rows(&p, &named);
	finish(&p);
	assert_string_equal(p.out, "running\tyes\nreaders\tann@example.org\t1\t\tx\n"
				   "readers\tbob@example.org\t20\t2026-09-21T14:13:20Z\t\n");
	done(&p);
}

static void test_a_terminal_gets_a_header_and_no_details(void **state)
{
	struct printed p;

	(void)state;
	start(&p, REPORT_TERMINAL, false);
	two_rows(&p, &table);
	finish(&p);
	assert_non_null(strstr(p.out, "EMAIL"));
	assert_non_null(strstr(p.out, "bob@example.org"));
	assert_null(strstr(p.out, "SECRET"));
	done(&p);
}

static void test_control_characters_never_reach_a_terminal(void **state)
{
	struct printed p;
	struct error e = {0};

	(void)state;
	start(&p, REPORT_TERMINAL, false);
	report_field(p.report, "x", "Field", cell_text("\x1b]0;evil\x07"));
	report_table(p.report, &table);
	REPORT_ROW(p.report, cell_text("\x1b[2J\xc2\x9b\r"), cell_none(), cell_none(), cell_none());
	report_say(p.report, "said %s", "\x1b[2J");
	report_note(p.report, "noted %s", "\x1b[2J");
	error_set(&e, ERROR_REFUSED, "failed %s", "\x1b[2J");
	report_failure(p.report, &e);
	finish(&p);
	for (const char *c = p.out; *c != '\0'; c++)
		assert_false(((unsigned char)*c < 0x20 && *c != '\n') || *c == 0x7f);
	assert_null(strstr(p.out, "\xc2\x9b"));
	assert_null(strchr(p.err, '\x1b'));
	done(&p);
}

static void test_an_empty_table_says_so_on_a_terminal(void **state)
{
	struct printed p;

	(void)state;
	start(&p, REPORT_TERMINAL, false);
	report_table(p.report, &table);
	finish(&p);
	assert_string_equal(p.out, "nobody\n");
	done(&p);
}

static void test_quiet_leaves_sentences_out_but_not_failures(void **state)
{
	struct printed p;
	struct error e = {0};

	(void)state;
	start(&p, REPORT_TERMINAL, true);
	report_say(p.report, "said");
	report_note(p.report, "noted");
	error_set(&e, ERROR_DATA, "failed");
	report_failure(p.report, &e);
	error_set(&e, ERROR_REFUSED, "failed too");
	report_failure(p.report, &e);
	finish(&p);
	assert_int_equal(p.out_len, 0);
	assert_string_equal(p.err, "hubmailctl: failed\nhubmailctl: failed too\n");
	assert_int_equal(report_exit_code(p.report), ERROR_DATA);
	done(&p);
}

static void test_an_output_that_takes_nothing_is_an_error(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	struct error e = {0};

	(void)state;
	assert_non_null(full);
	struct report *r = report_new(full, stderr, REPORT_PIPE, false);
	report_table(r, &table);
	REPORT_ROW(r, cell_text("x"), cell_none(), cell_none(), cell_none());
	assert_false(report_end(r, &e));
	assert_int_equal(e.code, ERROR_IO);
	assert_true(e.text[0] != '\0');
	report_free(r);
	fclose(full);
}

static void test_counts_are_readable(void **state)
{
	static const struct {
		int64_t n;
		const char *text;
	} all[] = {{0, "0"}, {999, "999"}, {1000, "1 000"}, {1234567, "1 234 567"},
		{-1234, "-1 234"}, {-123, "-123"}};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct buf b = {0};
		text_count(&b, all[i].n);
		assert_string_equal(buf_str(&b), all[i].text);
		buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_pipe_gets_tabs_without_a_header_and_times_in_utc),
		cmocka_unit_test(test_no_value_can_end_a_cell_or_a_line_of_a_pipe),
		cmocka_unit_test(test_json_of_a_table_is_an_array_of_objects),
		cmocka_unit_test(test_json_of_an_empty_table_is_an_empty_array),
		cmocka_unit_test(test_malformed_text_does_not_break_json),
		cmocka_unit_test(test_a_page_has_fields_and_named_tables),
		cmocka_unit_test(test_a_terminal_gets_a_header_and_no_details),
		cmocka_unit_test(test_control_characters_never_reach_a_terminal),
		cmocka_unit_test(test_an_empty_table_says_so_on_a_terminal),
		cmocka_unit_test(test_quiet_leaves_sentences_out_but_not_failures),
		cmocka_unit_test(test_an_output_that_takes_nothing_is_an_error),
		cmocka_unit_test(test_counts_are_readable),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
