/* Two files under one lock, and the counters. Counting alone takes no lock, so that a bench
 * measures the sender. */
#include "ledger.h"

#include "hubmail/base_crypto.h"
#include "hubmail/base_mem.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

struct address {
	char *key;
	long tries, accepted;
	UT_hash_handle hh;
};

struct ledger {
	char *folder; /* NULL: nothing is kept */
	bool eml;
	int log, raw;
	pthread_mutex_t lock;      /* of the files and the addresses */
	int64_t offset, kept;      /* under lock */
	struct address *addresses; /* under lock */
	atomic_llong messages, bytes, sessions, first_ns, last_ns;
};

static int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int open_in(const char *folder, const char *name, struct error *e)
{
	char *path = xasprintf("%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0)
		error_set(e, ERROR_IO, "%s: %s", path, strerror(errno));
	free(path);
	return fd;
}

struct ledger *ledger_open(const char *folder, bool eml, struct error *e)
{
	struct ledger *l = xcalloc(1, sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	if (folder == NULL)
		return l;
	l->folder = xstrdup(folder);
	l->eml = eml;
	mkdir(folder, 0755);
	l->log = open_in(folder, "log.jsonl", e);
	l->raw = l->log >= 0 ? open_in(folder, "messages.raw", e) : -1;
	if (l->raw < 0)
		return NULL;
	l->offset = lseek(l->raw, 0, SEEK_END);
	return l;
}

/* A sink that cannot keep what it answers for is of no use to anybody. */
static void write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno != EINTR) {
			perror("hubmail-sink: cannot keep a message");
			abort();
		}
		p += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

/* Under lock. */
static void write_line(struct ledger *l, const json_t *event)
{
	char *line = json_dumps(event, JSON_COMPACT);
	size_t len = strlen(line);

	line[len] = '\n';
	write_all(l->log, line, len + 1);
	free(line);
}

void ledger_event(struct ledger *l, json_t *event)
{
	if (l->folder != NULL) {
		json_object_set_new(event, "mono_ns", json_integer(now_ns(CLOCK_MONOTONIC)));
		pthread_mutex_lock(&l->lock);
		write_line(l, event);
		pthread_mutex_unlock(&l->lock);
	}
	json_decref(event);
}

/* Under lock. */
static struct address *find_address(struct ledger *l, const char *key)
{
	struct address *a;

	HASH_FIND_STR(l->addresses, key, a);
	if (a == NULL) {
		a = xcalloc(1, sizeof(*a));
		a->key = xstrdup(key);
		HASH_ADD_KEYPTR(hh, l->addresses, a->key, strlen(a->key), a);
	}
	return a;
}

long ledger_tries(struct ledger *l, const char *key)
{
	pthread_mutex_lock(&l->lock);
	long n = find_address(l, key)->tries++;
	pthread_mutex_unlock(&l->lock);
	return n;
}

static void hex_of(const struct buf *text, char out[65])
{
	unsigned char digest[32];

	sha256(buf_str(text), text->len, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static json_t *message_event(const struct ledger_message *m)
{
	char hex[65];
	json_t *to = json_array();

	hex_of(m->text, hex);
	for (size_t i = 0; i < m->to->n; i++)
		json_array_append_new(to, json_string(m->to->items[i]));
	return json_pack("{s:s, s:I, s:I, s:I, s:s, s:o, s:I, s:s, s:i, s:b, s:b}", "event",
		"message", "session", (json_int_t)m->session, "mono_ns",
		(json_int_t)now_ns(CLOCK_MONOTONIC), "wall_ns", (json_int_t)now_ns(CLOCK_REALTIME),
		"mail", m->mail, "to", to, "size", (json_int_t)m->text->len, "sha256", hex, "code",
		m->code, "answered", m->answered, "tls", m->tls);
}

/* Under lock. */
static void write_eml(struct ledger *l, const struct buf *text)
{
	struct error e = {0};
	char name[32];

	snprintf(name, sizeof(name), "%06lld.eml", (long long)l->kept);
	int fd = open_in(l->folder, name, &e);
	if (fd < 0) {
		fprintf(stderr, "hubmail-sink: %s\n", e.text);
		return;
	}
	write_all(fd, buf_str(text), text->len);
	close(fd);
}

static void keep(struct ledger *l, const struct ledger_message *m)
{
	json_t *event = message_event(m);

	pthread_mutex_lock(&l->lock);
	l->kept++;
	json_object_set_new(event, "offset", json_integer(l->offset));
	write_all(l->raw, buf_str(m->text), m->text->len);
	l->offset += (int64_t)m->text->len;
	if (l->eml)
		write_eml(l, m->text);
	write_line(l, event);
	for (size_t i = 0; i < m->to->n && m->code / 100 == 2; i++)
		find_address(l, m->to->items[i])->accepted++;
	pthread_mutex_unlock(&l->lock);
	json_decref(event);
}

void ledger_message(struct ledger *l, const struct ledger_message *m)
{
	long long none = 0, now = now_ns(CLOCK_MONOTONIC);

	if (l->folder != NULL)
		keep(l, m);
	if (m->code / 100 != 2)
		return;
	atomic_compare_exchange_strong(&l->first_ns, &none, now);
	atomic_store(&l->last_ns, now);
	atomic_fetch_add(&l->messages, 1);
	atomic_fetch_add(&l->bytes, (long long)m->text->len);
}

void ledger_session(struct ledger *l)
{
	atomic_fetch_add(&l->sessions, 1);
}

json_t *ledger_totals(struct ledger *l)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "messages",
		(json_int_t)atomic_load(&l->messages), "bytes", (json_int_t)atomic_load(&l->bytes),
		"sessions", (json_int_t)atomic_load(&l->sessions), "first_ns",
		(json_int_t)atomic_load(&l->first_ns), "last_ns",
		(json_int_t)atomic_load(&l->last_ns));
}

void ledger_write_counts(struct ledger *l)
{
	char *path;
	FILE *file;

	if (l->folder == NULL)
		return;
	path = xasprintf("%s/counts.tsv", l->folder);
	file = fopen(path, "we");
	free(path);
	if (file == NULL)
		return;
	pthread_mutex_lock(&l->lock);
	for (const struct address *a = l->addresses; a != NULL; a = a->hh.next)
		fprintf(file, "%s\t%ld\n", a->key, a->accepted);
	pthread_mutex_unlock(&l->lock);
	fclose(file);
}
