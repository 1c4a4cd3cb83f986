/* Which addresses are the Internet's and which are ours, after the registries of RFC 6890. A
 * redirect from a stranger must not make the daemon read what only this machine or this site can
 * reach. IPv6 addresses that carry an IPv4 one reach as far as that does. */
#include "fetch_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct block4 {
	uint32_t net;
	int bits;
	enum address_reach reach;
};

static const struct block4 blocks4[] = {
	{0xa9fe0000, 16, ADDRESS_SPECIAL}, /* 169.254/16: link-local, cloud metadata */
	{0xe0000000, 4, ADDRESS_SPECIAL},  /* 224/4: multicast */
	{0xffffffff, 32, ADDRESS_SPECIAL}, /* broadcast */
	{0x00000000, 8, ADDRESS_PRIVATE},  /* 0/8: this host */
	{0x0a000000, 8, ADDRESS_PRIVATE},  /* 10/8 */
	{0x64400000, 10, ADDRESS_PRIVATE}, /* 100.64/10: carrier-grade NAT */
	{0x7f000000, 8, ADDRESS_PRIVATE},  /* 127/8: loopback */
	{0xac100000, 12, ADDRESS_PRIVATE}, /* 172.16/12 */
	{0xc0000000, 24, ADDRESS_PRIVATE}, /* 192.0.0/24: protocol assignments */
	{0xc0000200, 24, ADDRESS_PRIVATE}, /* 192.0.2/24: documentation */
	{0xc0a80000, 16, ADDRESS_PRIVATE}, /* 192.168/16 */
	{0xc6120000, 15, ADDRESS_PRIVATE}, /* 198.18/15: benchmarks */
	{0xc6336400, 24, ADDRESS_PRIVATE}, /* 198.51.100/24: documentation */
	{0xcb007100, 24, ADDRESS_PRIVATE}, /* 203.0.113/24: documentation */
	{0xf0000000, 4, ADDRESS_PRIVATE},  /* 240/4: reserved */
};

struct block6 {
	unsigned char net[16];
	int bits;
	enum address_reach reach;
	int inner; /* where the IPv4 address inside stands, that decides instead; 0: there is none
		    */
};

/* The first that fits decides; what fits none is not global unicast (2000::/3) and private. */
static const struct block6 blocks6[] = {
	{{[10] = 0xff, [11] = 0xff}, 96, ADDRESS_PRIVATE, 12}, /* ::ffff:0:0/96 */
	{{[15] = 1}, 128, ADDRESS_PRIVATE, 0},                 /* ::1 */
	{{0}, 96, ADDRESS_PRIVATE, 12},                        /* ::/96 */
	{{0x00, 0x64, 0xff, 0x9b}, 96, ADDRESS_PRIVATE, 12},   /* 64:ff9b::/96: NAT64 */
	{{0x20, 0x02}, 16, ADDRESS_PRIVATE, 2},                /* 2002::/16: 6to4 */
	{{0x20, 0x01, 0x00}, 23, ADDRESS_PRIVATE, 0},          /* 2001::/23: Teredo etc. */
	{{0x20, 0x01, 0x0d, 0xb8}, 32, ADDRESS_PRIVATE, 0},    /* documentation */
	{{0x3f, 0xff}, 20, ADDRESS_PRIVATE, 0},                /* documentation */
	{{0xfe, 0x80}, 10, ADDRESS_SPECIAL, 0},                /* fe80::/10: link-local */
	{{0xff}, 8, ADDRESS_SPECIAL, 0},                       /* ff00::/8: multicast */
	{{0x20}, 3, ADDRESS_PUBLIC, 0},                        /* 2000::/3 */
};

static enum address_reach reach4(uint32_t address)
{
	for (size_t i = 0; i < sizeof(blocks4) / sizeof(blocks4[0]); i++)
		if ((address ^ blocks4[i].net) >> (32 - blocks4[i].bits) == 0)
			return blocks4[i].reach;
	return ADDRESS_PUBLIC;
}

static uint32_t read4(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static bool same_bits(const unsigned char *a, const unsigned char *b, int bits)
{
	size_t whole = (size_t)bits / 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return bits % 8 == 0 || (a[whole] ^ b[whole]) >> (8 - bits % 8) == 0;
}

static enum address_reach reach6(const unsigned char *address)
{
	for (size_t i = 0; i < sizeof(blocks6) / sizeof(blocks6[0]); i++) {
		const struct block6 *b = &blocks6[i];

		if (same_bits(address, b->net, b->bits))
			return b->inner != 0 ? reach4(read4(address + b->inner)) : b->reach;
	}
	return ADDRESS_PRIVATE;
}

enum address_reach address_reach(const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	switch (address->sa_family) {
	case AF_INET:
		memcpy(&v4, address, sizeof(v4));
		return reach4(ntohl(v4.sin_addr.s_addr));
	case AF_INET6:
		memcpy(&v6, address, sizeof(v6));
		return reach6(v6.sin6_addr.s6_addr);
	default:
		return ADDRESS_SPECIAL;
	}
}

enum address_reach address_reach_text(const char *text)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (text == NULL)
		return ADDRESS_SPECIAL;
	if (inet_pton(AF_INET, text, &v4) == 1)
		return reach4(ntohl(v4.s_addr));
	if (inet_pton(AF_INET6, text, &v6) == 1)
		return reach6(v6.s6_addr);
	return ADDRESS_SPECIAL;
}
