/* The rules of faults.h: read, counted, and found in addresses. */
#include "faults.h"

#include "hubmail/base_buf.h"
#include "hubmail/base_file.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 64
#define FILE_MAX 65536

struct faults {
	pthread_mutex_t lock;
	struct fault rules[RULES_MAX];
	size_t n;
	long greylist;
};

static const char *const phase_names[N_PHASES] = {"greeting", "ehlo", "starttls", "tls", "auth",
	"mail", "rcpt", "data", "text", "dot", "kept", "answered", "quit"};
static const char *const action_names[] = {
	"none", "reply", "drop", "reset", "stall", "garbage", "long", "inject"};

const char *fault_phase_name(enum phase phase)
{
	return phase_names[phase];
}

const char *fault_action_name(enum action action)
{
	return action_names[action];
}

struct faults *faults_new(void)
{
	struct faults *f = xcalloc(1, sizeof(*f));

	pthread_mutex_init(&f->lock, NULL);
	return f;
}

static int find_name(const char *const *names, size_t n, const char *word, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(names[i]) == len && memcmp(names[i], word, len) == 0)
			return (int)i;
	return -1;
}

static int find_phase(const char *word, size_t len)
{
	return find_name(phase_names, N_PHASES, word, len);
}

static int find_action(const char *word, size_t len)
{
	return find_name(action_names, sizeof(action_names) / sizeof(action_names[0]), word, len);
}

/* The next word of *p; its length, 0 at the end. */
static size_t next_word(const char **p, const char **word)
{
	*p += strspn(*p, " \t\r");
	*word = *p;
	*p += strcspn(*p, " \t\r");
	return (size_t)(*p - *word);
}

/* "100+" and "2x" before the phase. */
static size_t read_counts(const char **p, const char **word, struct fault *fault)
{
	size_t len;

	while ((len = next_word(p, word)) > 1 && isdigit((unsigned char)**word)) {
		long n = strtol(*word, NULL, 10);
		if ((*word)[len - 1] == '+')
			fault->skip = n;
		else if ((*word)[len - 1] == 'x')
			fault->times = n;
		else
			break;
	}
	return len;
}

static bool read_argument(const char *rest, struct fault *fault, struct error *e)
{
	rest += strspn(rest, " \t");
	if (fault->action == ACT_STALL && (fault->seconds = strtod(rest, NULL)) <= 0)
		return error_set(e, ERROR_USAGE, "stall: a number of seconds is expected");
	if (fault->action == ACT_REPLY && !isdigit((unsigned char)*rest))
		return error_set(e, ERROR_USAGE, "reply: a code and a text are expected");
	snprintf(fault->reply, sizeof(fault->reply), "%s", rest);
	return true;
}

static bool read_rule(const char *rule, struct fault *fault, struct error *e)
{
	const char *p = rule, *word;
	size_t len;

	*fault = (struct fault){.times = -1};
	len = read_counts(&p, &word, fault);
	int phase = find_phase(word, len);
	if (phase < 0)
		return error_set(e, ERROR_USAGE, "\"%s\": no such phase", rule);
	len = next_word(&p, &word);
	int action = find_action(word, len);
	if (action <= 0)
		return error_set(e, ERROR_USAGE, "\"%s\": no such action", rule);
	fault->phase = (enum phase)phase;
	fault->action = (enum action)action;
	return read_argument(p, fault, e);
}

bool faults_add(struct faults *f, const char *rule, struct error *e)
{
	struct fault fault;
	long long n;

	if (text_starts(rule, "greylist ")) {
		if (!text_to_int(rule + strlen("greylist "), 0, 1000, &n))
			return error_set(e, ERROR_USAGE, "greylist: a number is expected");
		f->greylist = (long)n;
		return true;
	}
	if (f->n == RULES_MAX)
		return error_set(e, ERROR_USAGE, "more than %d rules", RULES_MAX);
	if (!read_rule(rule, &fault, e))
		return false;
	f->rules[f->n++] = fault;
	return true;
}

bool faults_load(struct faults *f, const char *path, bool replace, struct error *e)
{
	struct buf text = {0};
	char *rest = NULL;
	bool ok = file_read(path, FILE_MAX, &text, e);

	if (!ok)
		return false;
	pthread_mutex_lock(&f->lock);
	if (replace) {
		f->n = 0;
		f->greylist = 0;
	}
	for (char *line = strtok_r(text.data, "\n", &rest); ok && line != NULL;
		line = strtok_r(NULL, "\n", &rest)) {
		line = text_trim(line);
		if (*line != '\0' && *line != '#')
			ok = faults_add(f, line, e);
	}
	pthread_mutex_unlock(&f->lock);
	buf_free(&text);
	return ok;
}

static bool rule_fits(struct fault *rule, enum phase phase)
{
	if (rule->phase != phase || rule->times == 0)
		return false;
	if (rule->skip > 0) {
		rule->skip--;
		return false;
	}
	if (rule->times > 0)
		rule->times--;
	return true;
}

struct fault faults_at(struct faults *f, enum phase phase)
{
	struct fault found = {.phase = phase, .action = ACT_NONE};

	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < f->n && found.action == ACT_NONE; i++)
		if (rule_fits(&f->rules[i], phase))
			found = f->rules[i];
	pthread_mutex_unlock(&f->lock);
	return found;
}

long faults_greylist(struct faults *f)
{
	pthread_mutex_lock(&f->lock);
	long n = f->greylist;
	pthread_mutex_unlock(&f->lock);
	return n;
}

static bool take_code(const char *p, size_t len, struct fault *fault)
{
	if (len != 3 || (*p != '4' && *p != '5') || !isdigit((unsigned char)p[1]) ||
		!isdigit((unsigned char)p[2]))
		return false;
	fault->action = ACT_REPLY;
	snprintf(fault->reply, sizeof(fault->reply), "%.3s %c.1.%c as the address asked", p, *p,
		*p == '5' ? '1' : '7');
	return true;
}

struct fault fault_of_address(const char *address)
{
	struct fault fault = {.phase = AT_RCPT, .action = ACT_NONE, .times = -1};
	const char *plus = strchr(address, '+'), *at = strchr(address, '@');

	if (plus == NULL || at == NULL || plus > at)
		return fault;
	const char *dot = memchr(address, '.', (size_t)(plus - address));
	int phase = dot != NULL ? find_phase(address, (size_t)(dot - address)) : AT_RCPT;
	const char *what = dot != NULL ? dot + 1 : address;
	size_t len = strcspn(what, "-+");
	if (phase < AT_RCPT || (!take_code(what, len, &fault) && find_action(what, len) <= 0))
		return fault;
	if (fault.action == ACT_NONE)
		fault.action = (enum action)find_action(what, len);
	fault.phase = (enum phase)phase;
	fault.seconds = 1;
	if (what[len] == '-')
		fault.times = strtol(what + len + 1, NULL, 10);
	return fault;
}
