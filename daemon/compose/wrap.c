/* Breaking text into lines by what it looks like: Chinese and Japanese have no spaces and twice the
 * width. The ranges are those of Unicode 15 as far as they matter for reading mail. */
#include "wrap.h"
#include "hubmail/base_text.h"

#include <stdbool.h>
#include <string.h>

struct range {
	uint32_t first, last;
};

static const struct range zero_width[] = {
	{0x0300, 0x036F},
	{0x0483, 0x0489},
	{0x0591, 0x05BD},
	{0x05BF, 0x05BF},
	{0x05C1, 0x05C2},
	{0x05C4, 0x05C5},
	{0x0610, 0x061A},
	{0x064B, 0x065F},
	{0x0670, 0x0670},
	{0x06D6, 0x06DC},
	{0x06DF, 0x06E4},
	{0x0900, 0x0902},
	{0x093C, 0x093C},
	{0x0941, 0x0948},
	{0x094D, 0x094D},
	{0x0E31, 0x0E31},
	{0x0E34, 0x0E3A},
	{0x0E47, 0x0E4E},
	{0x1AB0, 0x1AFF},
	{0x1DC0, 0x1DFF},
	{0x200B, 0x200F},
	{0x202A, 0x202E},
	{0x2060, 0x206F},
	{0x20D0, 0x20FF},
	{0x302A, 0x302D},
	{0x3099, 0x309A},
	{0xFE00, 0xFE0F},
	{0xFE20, 0xFE2F},
	{0xFEFF, 0xFEFF},
	{0x1F3FB, 0x1F3FF},
	{0xE0000, 0xE01EF},
};

static const struct range wide[] = {
	{0x1100, 0x115F},
	{0x231A, 0x231B},
	{0x23E9, 0x23EC},
	{0x2E80, 0x303E},
	{0x3041, 0x4DBF},
	{0x4E00, 0xA4CF},
	{0xA960, 0xA97F},
	{0xAC00, 0xD7A3},
	{0xF900, 0xFAFF},
	{0xFE30, 0xFE6F},
	{0xFF00, 0xFF60},
	{0xFFE0, 0xFFE6},
	{0x1F300, 0x1F64F},
	{0x1F680, 0x1F6FF},
	{0x1F7E0, 0x1F7EB},
	{0x1F900, 0x1F9FF},
	{0x1FA70, 0x1FAFF},
	{0x20000, 0x3FFFD},
};

static bool in_ranges(uint32_t cp, const struct range *r, size_t n)
{
	for (size_t low = 0, high = n; low < high;) {
		size_t middle = (low + high) / 2;
		if (cp > r[middle].last)
			low = middle + 1;
		else if (cp < r[middle].first)
			high = middle;
		else
			return true;
	}
	return false;
}

static bool is_wide(uint32_t cp)
{
	return in_ranges(cp, wide, sizeof(wide) / sizeof(wide[0]));
}

unsigned char_width(uint32_t cp)
{
	if (cp < 0x300)
		return 1;
	if (in_ranges(cp, zero_width, sizeof(zero_width) / sizeof(zero_width[0])))
		return 0;
	return is_wide(cp) ? 2 : 1;
}

size_t text_width(const char *s, size_t len)
{
	size_t width = 0;
	for (size_t i = 0; i < len;) {
		uint32_t cp = 0;
		i += utf8_decode(s + i, len - i, &cp);
		width += char_width(cp);
	}
	return width;
}

static bool is_one_of(uint32_t cp, const char *set)
{
	char bytes[5] = {0};
	utf8_encode(cp, bytes);
	return strstr(set, bytes) != NULL;
}

static bool may_not_begin(uint32_t cp)
{
	return char_width(cp) == 0 ||
	       is_one_of(cp, "，。、；：？！）」』】》〉〕〗〙〛”’…—·ー々%％,.;:?!)]}");
}

static bool may_not_end(uint32_t cp)
{
	return is_one_of(cp, "（「『【《〈〔〖〘〚“‘([{");
}

/* True if a line may end between the two characters although there is no space. */
static bool may_break(uint32_t before, uint32_t after)
{
	return before != ' ' && after != ' ' && (is_wide(before) || is_wide(after)) &&
	       !may_not_end(before) && !may_not_begin(after);
}

/* The length of the next piece that must stay together, and its width. */
static size_t next_piece(const char *s, size_t len, size_t *width)
{
	uint32_t before = 0;
	size_t i = 0;
	*width = 0;
	while (i < len && s[i] != ' ') {
		uint32_t cp = 0;
		size_t n = utf8_decode(s + i, len - i, &cp);
		if (i > 0 && may_break(before, cp))
			break;
		*width += char_width(cp);
		before = cp;
		i += n;
	}
	return i;
}

static void new_line(struct buf *out, const char *s, size_t lead)
{
	buf_addc(out, '\n');
	for (size_t i = 0; i < lead; i++)
		buf_addc(out, s[i] == '-' ? ' ' : s[i]);
}

static size_t count_spaces(const char *s, size_t len)
{
	size_t n = 0;
	while (n < len && s[n] == ' ')
		n++;
	return n;
}

static void add_broken(struct buf *out, const char *s, size_t len, size_t columns, size_t lead)
{
	size_t column = lead;
	buf_add(out, s, lead);
	for (size_t i = lead; i < len;) {
		size_t width = 0;
		size_t gap = count_spaces(s + i, len - i);
		i += gap;
		size_t n = next_piece(s + i, len - i, &width);
		if (n == 0)
			break;
		gap = gap > 0 && column > lead ? 1 : 0;
		if (column > lead && column + gap + width > columns) {
			new_line(out, s, lead);
			column = lead;
			gap = 0;
		}
		if (gap > 0)
			buf_addc(out, ' ');
		buf_add(out, s + i, n);
		column += gap + width;
		i += n;
	}
}

void wrap_add(struct buf *out, const char *s, size_t len, size_t columns, size_t lead)
{
	if (text_width(s, len) <= columns)
		buf_add(out, s, len);
	else
		add_broken(out, s, len, columns, lead);
	buf_addc(out, '\n');
}
