/* Judging attempts. libesmtp's return code and error number say nothing certain (a dropped
 * connection counts as success), so only what was seen on the way is used: a message is accepted
 * when four witnesses agree, and everything else is told apart by how far it got. */
#include "outcome.h"

static bool is_2xx(int code)
{
	return code >= 200 && code <= 299;
}

static bool is_refusal(int code)
{
	return code >= 400 && code <= 599;
}

static enum attempt_class refused(int code)
{
	return code < 500 ? ATTEMPT_REJECTED_NOW : ATTEMPT_REJECTED_FOREVER;
}

enum attempt_step attempt_step(const struct attempt_facts *f)
{
	if (is_refusal(f->mail_code))
		return STEP_MAIL;
	/* A refused RCPT is followed by a 503 to DATA, which says nothing of its own. */
	return is_refusal(f->rcpt_code) ? STEP_RCPT : STEP_DATA;
}

int attempt_code(const struct attempt_facts *f)
{
	const int codes[] = {f->mail_code, f->rcpt_code, f->data_code};

	return codes[attempt_step(f)];
}

enum attempt_class attempt_classify(const struct attempt_facts *f)
{
	int code = attempt_code(f);

	if (f->sent_event && is_2xx(f->data_code) && f->complete && is_2xx(f->rcpt_code) &&
		f->at_end)
		return ATTEMPT_ACCEPTED;
	if (is_refusal(code) && attempt_step(f) == STEP_MAIL)
		return ATTEMPT_RELAY_FAULT;
	if (is_refusal(f->rcpt_code) || (f->sent_event && is_refusal(f->data_code)))
		return refused(code);
	if (f->unwanted || f->mail_code == 0)
		return ATTEMPT_NOT_TRIED;
	if (f->aborted || !f->entered || !f->at_end)
		return ATTEMPT_BROKEN;
	/* 250 whose text libesmtp could not parse: the relay has it. */
	return is_2xx(f->data_code) ? ATTEMPT_ACCEPTED : ATTEMPT_UNKNOWN;
}

int64_t retry_pause(int attempts, int first, int longest, uint32_t random)
{
	int64_t pause = first;

	for (int i = 1; i < attempts && pause < longest; i++)
		pause *= 2;
	if (pause > longest)
		pause = longest;
	return pause - pause / 5 + (int64_t)random % (2 * (pause / 5) + 1);
}
