#include "compose_helper.h"

static struct compose_plan *a_plan(void)
{
	struct compose_options o = an_english_list();
	struct post posts[] = {an_english_post(), a_chinese_post()};
	return compose(&o, posts, 2);
}

static void test_a_plan_comes_back_from_its_bytes(void **state)
{
	(void)state;
	struct compose_reader r = a_reader();
	struct compose_plan *p = a_plan();
	struct buf bytes = {0}, one = {0}, two = {0};
	struct error e = {0};
	compose_plan_encode(p, &bytes);
	struct compose_plan *q = compose_plan_decode(bytes.data, bytes.len, &e);
	if (q == NULL)
		fail_msg("%s", e.text);
	compose_render_flat(p, &r, &one);
	compose_render_flat(q, &r, &two);
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.data, two.data, one.len);
	assert_string_equal(compose_plan_subject(p), compose_plan_subject(q));
	buf_free(&bytes);
	buf_free(&one);
	buf_free(&two);
	compose_plan_free(p);
	compose_plan_free(q);
}

static void test_the_pieces_are_the_message_and_point_into_the_plan(void **state)
{
	(void)state;
	struct compose_reader r = a_reader();
	struct compose_plan *p = a_plan();
	struct compose_message m = {0}, other = {0};
	struct buf flat = {0}, joined = {0};
	compose_render(p, &r, &m);
	compose_render(p, &r, &other);
	compose_render_flat(p, &r, &flat);
	size_t shared = 0;
	for (size_t i = 0; i < m.n_pieces; i++) {
		buf_add(&joined, m.pieces[i].iov_base, m.pieces[i].iov_len);
		assert_true(m.pieces[i].iov_len > 0);
		if (m.pieces[i].iov_base == other.pieces[i].iov_base)
			shared += m.pieces[i].iov_len;
	}
	assert_int_equal(joined.len, m.size);
	assert_string_equal(joined.data, flat.data);
	assert_true(m.size - shared < 300);
	buf_free(&flat);
	buf_free(&joined);
	compose_message_free(&m);
	compose_message_free(&other);
	compose_plan_free(p);
}

static void test_rendering_again_allocates_nothing(void **state)
{
	(void)state;
	struct compose_reader r = a_reader();
	struct compose_plan *p = a_plan();
	struct compose_message m = {0};
	compose_render(p, &r, &m);
	struct iovec *pieces = m.pieces;
	char *own = m.own.data;
	for (int i = 0; i < 100; i++) {
		r.name = i % 2 ? NULL : "Ann";
		compose_render(p, &r, &m);
		assert_ptr_equal(m.pieces, pieces);
		assert_ptr_equal(m.own.data, own);
	}
	compose_message_free(&m);
	compose_plan_free(p);
}

static void test_bytes_that_were_cut_are_refused(void **state)
{
	(void)state;
	struct compose_plan *p = a_plan();
	struct buf bytes = {0};
	compose_plan_encode(p, &bytes);
	for (size_t len = 0; len < bytes.len; len += len < 200 ? 1 : 997) {
		struct error e = {0};
		char *copy =
			xmemdup(bytes.data, len + (len == 0)); /* so that reading past it is seen */
		assert_null(compose_plan_decode(copy, len, &e));
		assert_int_equal(e.code, ERROR_DATA);
		free(copy);
	}
	buf_free(&bytes);
	compose_plan_free(p);
}

/* What can be decoded can be rendered, whatever was changed. */
static void test_a_changed_byte_is_refused_or_harmless(void **state)
{
	(void)state;
	struct compose_reader r = a_reader();
	struct compose_plan *p = a_plan();
	struct buf bytes = {0};
	size_t refused = 0;
	compose_plan_encode(p, &bytes);
	for (size_t i = 0; i < 400; i++) {
		char was = bytes.data[i];
		bytes.data[i] = (char)(was ^ 0x81);
		struct compose_plan *q = compose_plan_decode(bytes.data, bytes.len, NULL);
		refused += q == NULL;
		if (q != NULL)
			free(compose_render_part(q, &r, true));
		compose_plan_free(q);
		bytes.data[i] = was;
	}
	assert_true(refused > 200);
	buf_free(&bytes);
	compose_plan_free(p);
}

static void test_a_newer_format_is_named(void **state)
{
	(void)state;
	struct compose_plan *p = a_plan();
	struct buf bytes = {0};
	struct error e = {0};
	compose_plan_encode(p, &bytes);
	bytes.data[4] = 9;
	assert_null(compose_plan_decode(bytes.data, bytes.len, &e));
	assert_contains(e.text, "format 9");
	buf_free(&bytes);
	compose_plan_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_plan_comes_back_from_its_bytes),
		cmocka_unit_test(test_the_pieces_are_the_message_and_point_into_the_plan),
		cmocka_unit_test(test_rendering_again_allocates_nothing),
		cmocka_unit_test(test_bytes_that_were_cut_are_refused),
		cmocka_unit_test(test_a_changed_byte_is_refused_or_harmless),
		cmocka_unit_test(test_a_newer_format_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
