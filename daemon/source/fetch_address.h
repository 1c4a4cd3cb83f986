/* How far an IP address reaches. Private to daemon/source. */
#ifndef HUBMAIL_SOURCE_FETCH_ADDRESS_H
#define HUBMAIL_SOURCE_FETCH_ADDRESS_H

#include <sys/socket.h>

enum address_reach {
	ADDRESS_PUBLIC,
	ADDRESS_PRIVATE, /* this machine or this site */
	ADDRESS_SPECIAL, /* link-local, multicast, broadcast: no web server that anybody means */
};

/* Addresses of other families than IPv4 and IPv6 are special. */
enum address_reach address_reach(const struct sockaddr *address);

/* The same for an address in text form; one that cannot be read is special. */
enum address_reach address_reach_text(const char *text);

#endif
