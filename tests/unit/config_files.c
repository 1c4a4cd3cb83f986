/* The files: conf.d, what cannot be read, passwords and credentials. */
#include "config_helper.h"
#include "hubmail/base_file.h"
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

const char *__lsan_default_suppressions(void);

/* libconfig 1.5 does not free the text of a token that a syntax error leaves over. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

#define LOGIN RELAY " username = \"news\"; password_file = \"%s\";"
#define LIST_NAMED(name)                                                                           \
	"lists = ( { name = \"" name "\"; from = \"news@example.org\"; schedule = \"each\";\n"     \
	"sources = ( " SOURCE " ); } );\n"

/* A folder like /etc/hubmail, and one with credentials. */
struct fixture {
	char folder[64];
	char *file, *credentials;
	struct strlist errors;
};

static void put(const struct fixture *f, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", f->folder, name);
	struct error e = {0};

	if (!file_write(path, text, strlen(text), 0600, &e))
		fail_msg("%s", e.text);
	free(path);
}

static void put_parts(const struct fixture *f, struct parts p)
{
	char *text = write_parts(&p);

	put(f, "hubmail.conf", text);
	free(text);
}

static void put_login(const struct fixture *f, const char *password_file)
{
	char *relay = xasprintf(LOGIN, password_file);

	put_parts(f, (struct parts){.relay = relay});
	free(relay);
}

static void make_folder(const struct fixture *f, const char *name)
{
	char *path = xasprintf("%s/%s", f->folder, name);

	assert_int_equal(mkdir(path, 0700), 0);
	free(path);
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	snprintf(f->folder, sizeof(f->folder), "/tmp/hubmail-unit-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->file = xasprintf("%s/hubmail.conf", f->folder);
	f->credentials = xasprintf("%s/credentials", f->folder);
	make_folder(f, "conf.d");
	make_folder(f, "credentials");
	unsetenv("CREDENTIALS_DIRECTORY");
	*state = f;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(nftw(f->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	strlist_free(&f->errors);
	free(f->credentials);
	free(f->file);
	free(f);
	return 0;
}

static struct config *load(struct fixture *f)
{
	struct config *c = config_load(f->file, &f->errors);

	for (size_t i = 0; i < f->errors.n; i++)
		print_error("%s\n", f->errors.items[i]);
	assert_non_null(c);
	return c;
}

/* The one error of a configuration, where "%" stands for the folder. */
static void expect_error(struct fixture *f, const char *expected)
{
	struct buf b = {0};

	for (const char *s = expected; *s != '\0'; s++) {
		if (*s == '%')
			buf_adds(&b, f->folder);
		else
			buf_addc(&b, *s);
	}
	assert_null(config_load(f->file, &f->errors));
	assert_int_equal(f->errors.n, 1);
	assert_string_equal(f->errors.items[0], b.data);
	buf_free(&b);
	strlist_free(&f->errors);
}

/* ---- Files ---- */

static void test_lists_and_relays_of_conf_d_are_added_in_the_order_of_the_names(void **state)
{
	struct fixture *f = *state;

	put_parts(f, (struct parts){0});
	put(f, "conf.d/20-b.conf", LIST_NAMED("b"));
	put(f, "conf.d/10-a.conf",
		LIST_NAMED("a") "relays = ( { host = \"second.example.org\"; } );");
	put(f, "conf.d/30-c.conf.bak", "nonsense");
	put(f, "conf.d/.hidden.conf", "nonsense");
	struct config *c = load(f);
	assert_int_equal(c->n_lists, 3);
	assert_string_equal(c->lists[0].name, "news");
	assert_string_equal(c->lists[1].name, "a");
	assert_string_equal(c->lists[2].name, "b");
	assert_int_equal(c->n_relays, 2);
	assert_string_equal(c->relays[1].host, "second.example.org");
	config_free(c);
}

static void test_conf_d_need_not_exist(void **state)
{
	struct fixture *f = *state;
	char *folder = xasprintf("%s/conf.d", f->folder);

	assert_int_equal(rmdir(folder), 0);
	put_parts(f, (struct parts){0});
	config_free(load(f));
	free(folder);
}

static void test_settings_of_one_group_may_come_from_several_files(void **state)
{
	struct fixture *f = *state;

	put_parts(f, (struct parts){0});
	put(f, "conf.d/web.conf",
		"web = { listen = \"127.0.0.1:9000\"; };\non_unknown = \"hold\";");
	struct config *c = load(f);
	assert_int_equal(c->web_listen_port, 9000);
	assert_string_equal(c->web_url, "https://news.example.org");
	assert_int_equal(c->on_unknown, UNKNOWN_HOLD);
	config_free(c);
}

static void test_a_setting_that_stands_in_two_files_is_an_error(void **state)
{
	struct fixture *f = *state;

	put_parts(f, (struct parts){0});
	put(f, "conf.d/web.conf", "\nweb = { url = \"https://other.example.org\"; };");
	expect_error(f, "%/conf.d/web.conf:2: web.url: stands in another file, too, in line 1 of "
			"%/hubmail.conf");
}

static void test_an_error_names_the_file_it_is_in(void **state)
{
	struct fixture *f = *state;

	put_parts(f, (struct parts){0});
	put(f, "conf.d/a.conf",
		"\nlists = ( { name = \"a\"; from = \"a@example.org\";\n"
		"schedule = \"ech\"; sources = ( " SOURCE " ); } );\n");
	expect_error(f, "%/conf.d/a.conf:3: lists[0].schedule: \"ech\" is no schedule: did you "
			"mean \"each\"?");
	put(f, "conf.d/a.conf", "a = 1\nb c\n");
	expect_error(f,
		"%/conf.d/a.conf:2: syntax error here or in the line before (a \";\", a \",\" "
		"between items or a bracket that is missing?)");
	put(f, "conf.d/a.conf", LIST_NAMED("news"));
	expect_error(f, "%/conf.d/a.conf:1: lists[0].name: there is a list \"news\" already: give "
			"each a name of its own");
}

static void test_a_file_that_is_not_there_says_what_to_do(void **state)
{
	struct fixture *f = *state;

	expect_error(f, "%/hubmail.conf: there is no such file: write it (hubmail.conf(5) has an "
			"example) or name another one with -c");
}

static void test_a_folder_in_place_of_the_file_is_refused(void **state)
{
	struct fixture *f = *state;

	make_folder(f, "hubmail.conf");
	expect_error(f, "%/hubmail.conf: it cannot be read: it is no regular file, or larger than "
			"4194304 bytes");
}

static void test_a_file_without_permission_says_so(void **state)
{
	struct fixture *f = *state;

	put_parts(f, (struct parts){0});
	assert_int_equal(chmod(f->file, 0), 0);
	bool root = geteuid() == 0; /* who reads everything */
	if (root)
		assert_int_equal(seteuid(65534), 0);
	expect_error(f, "%/hubmail.conf: it cannot be read (Permission denied): run this as a user "
			"who may");
	if (root)
		assert_int_equal(seteuid(0), 0);
}

static void test_a_time_zone_must_exist(void **state)
{
	struct fixture *f = *state;

	put_parts(f, (struct parts){.list = LIST " timezone = \"Europe/Zurich\";"});
	config_free(load(f));
	put_parts(f, (struct parts){.list = LIST " timezone = \"Europe/Atlantis\";"});
	assert_null(config_load(f->file, &f->errors));
	assert_int_equal(f->errors.n, 1);
	assert_non_null(strstr(f->errors.items[0], "hubmail.conf:3: lists[0].timezone: "));
	assert_non_null(strstr(f->errors.items[0], "Europe/Atlantis"));
}

static void test_a_file_of_certificates_must_be_readable(void **state)
{
	struct fixture *f = *state;

	put_parts(f, (struct parts){.relay = RELAY " tls_ca_file = \"/nowhere/ca.pem\";"});
	expect_error(f, "%/hubmail.conf:2: relays[0].tls_ca_file: \"/nowhere/ca.pem\" cannot be "
			"read: No such file or directory");
}

/* ---- Passwords ---- */

static void expect_password(struct fixture *f, const char *expected)
{
	struct config *c = load(f);

	assert_string_equal(c->relays[0].password, expected);
	assert_string_equal(c->relays[0].username, "news");
	config_free(c);
}

static void test_a_password_is_the_first_line_of_its_file(void **state)
{
	struct fixture *f = *state;
	char *path = xasprintf("%s/pass", f->folder);

	put_login(f, path);
	put(f, "pass", "s3cret with spaces \nsecond line\n");
	expect_password(f, "s3cret with spaces ");
	put(f, "pass", "s3cret");
	expect_password(f, "s3cret");
	put(f, "pass", "s3cret\r\n");
	expect_password(f, "s3cret");
	free(path);
}

static void test_a_name_is_first_a_credential_and_then_a_file_beside_the_configuration(void **state)
{
	struct fixture *f = *state;

	put_login(f, "smtp-password");
	put(f, "smtp-password", "of the file\n");
	expect_password(f, "of the file");
	setenv("CREDENTIALS_DIRECTORY", f->credentials, 1);
	expect_password(f, "of the file");
	put(f, "credentials/smtp-password", "");
	expect_password(f, "of the file");
	put(f, "credentials/smtp-password", "of the credential\n");
	expect_password(f, "of the credential");
}

static void test_a_relay_of_conf_d_has_its_password_beside_the_main_file(void **state)
{
	struct fixture *f = *state;

	put_parts(f, (struct parts){.relay = RELAY " priority = 99;"});
	put(f, "conf.d/relay.conf",
		"relays = ( { host = \"b\"; username = \"news\"; "
		"password_file = \"smtp-password\"; } );");
	put(f, "smtp-password", "beside\n");
	expect_password(f, "beside");
}

static void test_a_path_that_cannot_be_read_is_looked_for_among_the_credentials(void **state)
{
	struct fixture *f = *state;

	put_login(f, "/nowhere/smtp-password");
	setenv("CREDENTIALS_DIRECTORY", f->credentials, 1);
	put(f, "credentials/smtp-password", "of the credential\n");
	expect_password(f, "of the credential");
}

static void test_a_password_that_is_not_there_says_where_to_write_it(void **state)
{
	struct fixture *f = *state;

	put_login(f, "/nowhere/smtp-password");
	expect_error(f, "%/hubmail.conf:2: relays[0].password_file: there is no file "
			"/nowhere/smtp-password: write the password into it, readable only for "
			"root (mode 0600)");
	put_login(f, "smtp-password");
	expect_error(f, "%/hubmail.conf:2: relays[0].password_file: there is no systemd credential "
			"\"smtp-password\" and no file %/smtp-password: write the password into "
			"that file, readable only for root (mode 0600)");
}

static void test_a_password_that_cannot_be_one_is_refused_and_not_shown(void **state)
{
	struct fixture *f = *state;
	char *longer = xasprintf("%0256d\n", 7);

	put_login(f, "p");
	put(f, "p", "\nsecond line\n");
	expect_error(f, "%/hubmail.conf:2: relays[0].password_file: %/p is empty: its first line "
			"should be the password");
	put(f, "p", "s3cret\tx\n");
	expect_error(f, "%/hubmail.conf:2: relays[0].password_file: the first line of %/p has a "
			"control character, which no password may have");
	put(f, "p", longer);
	expect_error(f, "%/hubmail.conf:2: relays[0].password_file: the first line of %/p has more "
			"than 255 bytes, too many for a password");
	free(longer);
}

static void test_a_tool_does_not_look_at_passwords(void **state)
{
	struct fixture *f = *state;

	put_login(f, "/nowhere/smtp-password");
	struct config *c = config_load_without_passwords(f->file, &f->errors);
	assert_non_null(c);
	assert_string_equal(c->relays[0].username, "news");
	assert_null(c->relays[0].password);
	config_free(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* ---- The running daemon's socket, though there are errors ---- */

#define CONTROL "control = { socket = \"/run/x.sock\"; };\n"

static void expect_socket(struct fixture *f, const char *text, const char *expected)
{
	put(f, "hubmail.conf", text);
	struct config *c = config_load_control(f->file);

	if (expected == NULL) {
		assert_null(c);
		return;
	}
	assert_non_null(c);
	assert_string_equal(c->control_socket, expected);
	assert_string_equal(c->file, f->file);
	config_free(c);
}

static void test_the_daemons_socket_is_found_though_there_are_errors(void **state)
{
	struct fixture *f = *state;

	expect_socket(f, CONTROL "relays = 7;", "/run/x.sock");
	expect_socket(f, "relays = 7;", "/run/hubmail/control.sock");
	expect_socket(f, CONTROL "lists = (\n", "/run/x.sock");
}

/* Another daemon's socket would be worse than none. */
static void test_a_socket_that_cannot_be_read_is_not_guessed(void **state)
{
	struct fixture *f = *state;

	expect_socket(f, "lists = (\n" CONTROL, NULL);
	expect_socket(f, "control = { socket = 7; };", NULL);
	assert_int_equal(unlink(f->file), 0);
	assert_null(config_load_control(f->file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lists_and_relays_of_conf_d_are_added_in_the_order_of_the_names),
		TEST(test_conf_d_need_not_exist),
		TEST(test_settings_of_one_group_may_come_from_several_files),
		TEST(test_a_setting_that_stands_in_two_files_is_an_error),
		TEST(test_an_error_names_the_file_it_is_in),
		TEST(test_a_file_that_is_not_there_says_what_to_do),
		TEST(test_a_folder_in_place_of_the_file_is_refused),
		TEST(test_a_file_without_permission_says_so),
		TEST(test_a_time_zone_must_exist),
		TEST(test_a_file_of_certificates_must_be_readable),
		TEST(test_a_password_is_the_first_line_of_its_file),
		TEST(test_a_name_is_first_a_credential_and_then_a_file_beside_the_configuration),
		TEST(test_a_relay_of_conf_d_has_its_password_beside_the_main_file),
		TEST(test_a_path_that_cannot_be_read_is_looked_for_among_the_credentials),
		TEST(test_a_password_that_is_not_there_says_where_to_write_it),
		TEST(test_a_password_that_cannot_be_one_is_refused_and_not_shown),
		TEST(test_a_tool_does_not_look_at_passwords),
		TEST(test_the_daemons_socket_is_found_though_there_are_errors),
		TEST(test_a_socket_that_cannot_be_read_is_not_guessed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
