/* What the public pages say, in the languages that lists are written in. */
#ifndef HUBMAIL_WEB_TEXTS_H
#define HUBMAIL_WEB_TEXTS_H

/* {address} stands for the reader's address, partly hidden. */
struct message {
	const char *title, *text;
};

struct texts {
	const char *language; /* BCP 47 */
	struct message ask, done, already, gone, wrong_link, nothing, trouble;
	const char *button;
};

/* The texts for a language tag ("de", "zh-Hans-CN"), by its first part; English for all that is not
 * known. NULL is fine. */
const struct texts *texts_for(const char *language);

#endif
