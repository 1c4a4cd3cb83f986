/* E-mail addresses as hubmail takes them: the addr-spec of RFC 5322 (3.4.1) in dot-atom form with
 * the lengths of RFC 5321 (4.5.3.1). Anything that has passed address_normalise() is safe to print
 * in an SMTP command. Any thread. */
#ifndef HUBMAIL_BASE_ADDRESS_H
#define HUBMAIL_BASE_ADDRESS_H

#include "hubmail/base_error.h"
#include <stdbool.h>
#include <stddef.h>

#define ADDRESS_MAX 254 /* bytes, RFC 5321 4.5.3.1.3 less the angle brackets */

/* Checks `text` and writes its normal form to out: surrounding white space gone, the domain in
 * lower case and as punycode (libidn2, non-transitional), the local part as it was. Refused, with
 * the reason in *e (ERROR_DATA): an empty part, spaces, control characters, angle brackets, quoted
 * local parts, address literals, a non-ASCII local part (SMTPUTF8 is not supported), a domain
 * without a dot or with a bad label, more than 64 + 1 + 255 or 254 bytes in all. */
bool address_normalise(const char *text, char out[ADDRESS_MAX + 1], struct error *e);

/* True if `text` already is what address_normalise() would write. The check before a session takes
 * it. */
bool address_is_normal(const char *text);

/* The part after the '@' of a normal address; borrowed. */
const char *address_domain(const char *address);

/* As strcmp(3), but for the case of ASCII letters, whatever the locale: as the database tells
 * readers apart. */
int address_compare(const char *a, const char *b);

/* Takes `Name <user@host>`, `"Name, Jr." <user@host>` or a bare address apart. *name (the caller's;
 * NULL if there is none) is UTF-8 without control characters. address gets the normal form. */
bool address_parse_mailbox(
	const char *text, char **name, char address[ADDRESS_MAX + 1], struct error *e);

#endif
