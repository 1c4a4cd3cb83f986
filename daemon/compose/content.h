/* The posts as both parts of a message show them: cleaned, cut and dated once, so that html.c and
 * text.c only lay out. */
#ifndef COMPOSE_CONTENT_H
#define COMPOSE_CONTENT_H

#include "hubmail/compose.h"
#include "words.h"

struct item {
	char *title;   /* never empty */
	char *author;  /* "" if not known */
	char *date;    /* "" if not known */
	char *url;     /* or NULL */
	char *image;   /* or NULL; not one that stands in `full` as well */
	char *excerpt; /* plain text; "" if there is none */
	char *full;    /* sanitised HTML, or NULL: the excerpt is shown */
};

struct content {
	const struct words *words;
	char *language; /* a tag that is safe in a header and in an attribute */
	char *list_title;
	char *sender;      /* the name in From */
	char *address;     /* of the sender */
	char *date;        /* of the digest */
	char *unsubscribe; /* the link as far as the token */
	char *why;         /* the sentence in the footer */
	char *subject;
	char *preview; /* what mail programs show beside the subject */
	struct item *items;
	size_t n;
};

struct content *content_new(const struct compose_options *o, const struct post *posts, size_t n);
void content_free(struct content *c);

#define DRAFT_SLOTS_MAX 4

/* One part, as text with '\n', and where in it the reader's token belongs. */
struct draft {
	struct buf text;
	size_t slots[DRAFT_SLOTS_MAX];
	size_t n_slots;
};

void draft_token(struct draft *d);
void html_write(const struct content *c, struct draft *d);
void text_write(const struct content *c, struct draft *d);

/* Appends the HTML with inline styles on the elements that mail programs would show badly. */
void html_add_styled(struct buf *out, const char *html);

#endif
