/* The schedule grammar: "each", "manual", "daily HH:MM", "weekly DAY HH:MM", "monthly D HH:MM".
 * Every refusal shows the text and how it should have been written. */
#include "hubmail/base_text.h"
#include "hubmail/config.h"
#include "value.h"

#include <string.h>
#include <strings.h>

#define WORDS_MAX 3
#define WORD_LEN 15

struct words {
	char text[WORDS_MAX][WORD_LEN + 1];
	size_t n; /* WORDS_MAX + 1: there are more, or one is too long */
};

static const struct form {
	const char *name;
	enum edition edition;
	size_t words;
	const char *example;
} forms[] = {
	{"each", EDITION_EACH, 1, "each"},
	{"daily", EDITION_DAILY, 2, "daily 08:00"},
	{"weekly", EDITION_WEEKLY, 3, "weekly mon 08:00"},
	{"monthly", EDITION_MONTHLY, 3, "monthly 1 08:00"},
	{"manual", EDITION_MANUAL, 1, "manual"},
};
#define N_FORMS (sizeof(forms) / sizeof(forms[0]))

static const char *const days[] = {
	"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};

static struct words split(const char *text)
{
	struct words w = {.n = 0};

	for (text += strspn(text, " \t"); *text != '\0'; text += strspn(text, " \t")) {
		size_t len = strcspn(text, " \t");
		if (w.n == WORDS_MAX || len > WORD_LEN) {
			w.n = WORDS_MAX + 1;
			return w;
		}
		memcpy(w.text[w.n], text, len);
		w.text[w.n++][len] = '\0';
		text += len;
	}
	return w;
}

static const struct form *find_form(const char *text, const struct words *w, struct error *e)
{
	const char *names[N_FORMS];

	for (size_t i = 0; i < N_FORMS; i++) {
		if (w->n > 0 && strcasecmp(w->text[0], forms[i].name) == 0)
			return &forms[i];
		names[i] = forms[i].name;
	}
	const char *meant = w->n > 0 ? text_suggest(w->text[0], names, N_FORMS) : NULL;
	if (meant != NULL)
		value_refuse(e, text, "is no schedule: did you mean \"%s\"?", meant);
	else
		value_refuse(e, text,
			"is no schedule: write \"each\", \"daily HH:MM\", \"weekly DAY HH:MM\", "
			"\"monthly D HH:MM\" or \"manual\"");
	return NULL;
}

/* "mon" or "monday", in any case. */
static bool parse_day(const char *word, int *weekday)
{
	for (int i = 0; i < 7; i++) {
		bool short_form = strlen(word) == 3 && strncasecmp(word, days[i], 3) == 0;
		if (short_form || strcasecmp(word, days[i]) == 0) {
			*weekday = i;
			return true;
		}
	}
	return false;
}

/* "08:00" or "8:00" */
static bool parse_time(const char *word, int *at)
{
	const char *digits = "0123456789";
	size_t n = strspn(word, digits);

	if (n < 1 || n > 2 || word[n] != ':' || strspn(word + n + 1, digits) != 2 ||
		word[n + 3] != '\0')
		return false;
	int hour = n == 2 ? (word[0] - '0') * 10 + (word[1] - '0') : word[0] - '0';
	int minute = (word[n + 1] - '0') * 10 + (word[n + 2] - '0');
	*at = hour * 60 + minute;
	return hour < 24 && minute < 60;
}

static bool parse_words(const char *text, const struct words *w, const struct form *form,
	struct config_schedule *out, struct error *e)
{
	long long monthday = 0;

	if (w->n != form->words)
		return value_refuse(e, text, "has too %s words: write it like \"%s\"",
			w->n < form->words ? "few" : "many", form->example);
	if (form->edition == EDITION_WEEKLY && !parse_day(w->text[1], &out->weekday))
		return value_refuse(
			e, text, "has no day \"%s\" (mon tue wed thu fri sat sun)", w->text[1]);
	if (form->edition == EDITION_MONTHLY) {
		if (!text_to_int(w->text[1], 1, 31, &monthday))
			return value_refuse(e, text, "has no day \"%s\" (1 to 31)", w->text[1]);
		out->monthday = (int)monthday;
	}
	const char *time = w->text[form->words - 1];
	if (form->words > 1 && !parse_time(time, &out->at))
		return value_refuse(e, text, "has no time \"%s\" (00:00 to 23:59)", time);
	return true;
}

bool config_parse_schedule(const char *text, struct config_schedule *out, struct error *e)
{
	struct words w = split(text);
	const struct form *form = find_form(text, &w, e);

	*out = (struct config_schedule){.monthday = 1};
	if (form == NULL || !parse_words(text, &w, form, out, e))
		return false;
	out->edition = form->edition;
	return true;
}
