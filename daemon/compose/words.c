/* The fixed words by language, and what else depends on the language: how a date is written, which
 * way the text runs. A new language is one more entry in the table. */
#include "words.h"
#include "hubmail/base_clock.h"

#include <string.h>
#include <strings.h>

static const struct words table[] = {
	{"en", "Read more", "You get this e-mail because you subscribed to %.", "Unsubscribe",
		"(+1 more)", "(+% more)", "D M Y",
		{"January", "February", "March", "April", "May", "June", "July", "August",
			"September", "October", "November", "December"},
		": "},
	{"de", "Weiterlesen", "Sie erhalten diese E-Mail, weil Sie % abonniert haben.",
		"Abbestellen", "(+1 weiterer)", "(+% weitere)", "D. M Y",
		{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
			"Oktober", "November", "Dezember"},
		": "},
	{"fr", "Lire la suite", "Vous recevez cet e-mail car vous êtes abonné à %.",
		"Se désabonner", "(+1 autre)", "(+% autres)", "D M Y",
		{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août",
			"septembre", "octobre", "novembre", "décembre"},
		"\u00A0: "},
	{"es", "Leer más", "Recibe este correo porque se suscribió a %.", "Darse de baja",
		"(+1 más)", "(+% más)", "D de M de Y",
		{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto",
			"septiembre", "octubre", "noviembre", "diciembre"},
		": "},
	{"it", "Continua a leggere", "Ricevi questa e-mail perché ti sei iscritto a %.",
		"Annulla l’iscrizione", "(+1 altro)", "(+% altri)", "D M Y",
		{"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto",
			"settembre", "ottobre", "novembre", "dicembre"},
		": "},
	{"pt", "Ler mais", "Você recebe este e-mail porque se inscreveu em %.",
		"Cancelar a inscrição", "(+1)", "(+%)", "D de M de Y",
		{"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto",
			"setembro", "outubro", "novembro", "dezembro"},
		": "},
	{"nl", "Lees verder", "U ontvangt deze e-mail omdat u bent geabonneerd op %.", "Afmelden",
		"(+1 ander)", "(+% andere)", "D M Y",
		{"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus",
			"september", "oktober", "november", "december"},
		": "},
	{"zh", "阅读全文", "您收到这封邮件，是因为您订阅了《%》。", "退订", "（另有 1 篇）",
		"（另有 % 篇）", "Y年N月D日", {0}, "： "},
	{"zh-Hant", "閱讀全文", "您收到這封郵件，是因為您訂閱了《%》。", "取消訂閱",
		"（另有 1 篇）", "（另有 % 篇）", "Y年N月D日", {0}, "： "},
	{"ja", "続きを読む", "このメールは「%」を購読されている方にお送りしています。",
		"購読を解除", "（ほか1件）", "（ほか%件）", "Y年N月D日", {0}, "： "},
	{"ar", "اقرأ المزيد", "تصلك هذه الرسالة لأنك مشترك في %.", "إلغاء الاشتراك", "(+1)", "(+%)",
		"D M Y",
		{"يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر",
			"أكتوبر", "نوفمبر", "ديسمبر"},
		": "},
};

/* True if the tag is `prefix` or begins with it and a '-'. */
static bool tag_is(const char *tag, const char *prefix)
{
	size_t len = strlen(prefix);
	return strncasecmp(tag, prefix, len) == 0 && (tag[len] == '\0' || tag[len] == '-');
}

static bool tag_is_any(const char *tag, const char *const *prefixes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (tag_is(tag, prefixes[i]))
			return true;
	}
	return false;
}

#define TAG_IS_ANY(tag, list) tag_is_any((tag), (list), sizeof(list) / sizeof((list)[0]))

const struct words *words_for(const char *language)
{
	static const char *const hant[] = {"zh-Hant", "zh-TW", "zh-HK", "zh-MO"};
	const char *tag = language != NULL ? language : "en";
	if (TAG_IS_ANY(tag, hant))
		tag = "zh-Hant";
	const struct words *found = &table[0];
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (tag_is(tag, table[i].language))
			found = &table[i];
	}
	return found;
}

void words_fill(struct buf *out, const char *pattern, const char *value)
{
	const char *place = strchr(pattern, '%');
	if (place == NULL) {
		buf_adds(out, pattern);
		return;
	}
	buf_add(out, pattern, (size_t)(place - pattern));
	buf_adds(out, value);
	buf_adds(out, place + 1);
}

void words_date(struct buf *out, const struct words *w, int64_t at)
{
	int year = 0;
	int month = 0;
	int day = 0;
	clock_civil(at, &year, &month, &day, NULL, NULL, NULL, NULL);
	for (const char *p = w->date; *p != '\0'; p++) {
		if (*p == 'D')
			buf_addf(out, "%d", day);
		else if (*p == 'M')
			buf_adds(out, w->months[month - 1]);
		else if (*p == 'N')
			buf_addf(out, "%d", month);
		else if (*p == 'Y')
			buf_addf(out, "%d", year);
		else
			buf_addc(out, *p);
	}
}

bool language_is_rtl(const char *language)
{
	static const char *const rtl[] = {"ar", "he", "iw", "fa", "ur", "ps", "sd", "ug", "yi",
		"dv", "ckb", "arc", "syr", "nqo", "az-Arab", "ku-Arab", "pa-Arab"};
	return language != NULL && TAG_IS_ANY(language, rtl);
}

bool language_is_dense(const char *language)
{
	static const char *const dense[] = {"zh", "ja", "yue"};
	return language != NULL && TAG_IS_ANY(language, dense);
}
