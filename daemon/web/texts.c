/* The sentences of the public pages. A new language is one more entry here. */
#include "texts.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const struct texts all[] = {
	{.language = "en",
		.ask = {"Unsubscribe?", "{address} will get no more mail from this list."},
		.button = "Unsubscribe",
		.done = {"You are unsubscribed",
			"{address} gets no more mail from this list. A message that has already left may still arrive."},
		.already = {"Already unsubscribed", "{address} gets no mail from this list."},
		.gone = {"Already unsubscribed", "Your address is not on this list any more."},
		.wrong_link = {"This link does not work",
			"It may be incomplete. Please open it from the mail again, or copy all of it into the address bar. If that does not help, answer the mail and ask to be taken off the list."},
		.nothing = {"Nothing here", "There is no page at this address."},
		.trouble = {"Not done yet",
			"This could not be saved just now. Please try again in a minute."}},
	{.language = "de",
		.ask = {"Abbestellen?",
			"{address} bekommt dann keine E-Mails mehr von dieser Liste."},
		.button = "Abbestellen",
		.done = {"Sie sind abgemeldet",
			"{address} bekommt keine E-Mails mehr von dieser Liste. Was schon unterwegs ist, kann noch ankommen."},
		.already = {"Schon abgemeldet",
			"{address} bekommt keine E-Mails von dieser Liste."},
		.gone = {"Schon abgemeldet", "Ihre Adresse steht nicht mehr auf dieser Liste."},
		.wrong_link = {"Dieser Link funktioniert nicht",
			"Er ist wohl unvollständig. Bitte öffnen Sie ihn noch einmal aus der E-Mail, oder kopieren Sie ihn ganz in die Adresszeile. Hilft das nicht, antworten Sie auf die E-Mail und bitten Sie darum, von der Liste genommen zu werden."},
		.nothing = {"Hier ist nichts", "Unter dieser Adresse gibt es keine Seite."},
		.trouble = {"Noch nicht erledigt",
			"Das ließ sich gerade nicht speichern. Bitte versuchen Sie es in einer Minute noch einmal."}},
	{.language = "fr",
		.ask = {"Se désabonner\u00A0?",
			"{address} ne recevra plus de messages de cette liste."},
		.button = "Se désabonner",
		.done = {"Désabonnement effectué",
			"{address} ne recevra plus de messages de cette liste. Un message déjà parti peut encore arriver."},
		.already = {"Désabonnement déjà effectué",
			"{address} ne reçoit pas de messages de cette liste."},
		.gone = {"Désabonnement déjà effectué",
			"Votre adresse ne figure plus sur cette liste."},
		.wrong_link = {"Ce lien ne fonctionne pas",
			"Il est peut-être incomplet. Ouvrez-le de nouveau depuis le message, ou copiez-le en entier dans la barre d’adresse. Si cela ne suffit pas, répondez au message en demandant à être retiré de la liste."},
		.nothing = {"Rien ici", "Il n’y a pas de page à cette adresse."},
		.trouble = {"Pas encore fait",
			"L’enregistrement n’a pas été possible pour le moment. Veuillez réessayer dans une minute."}},
	{.language = "es",
		.ask = {"¿Cancelar la suscripción?",
			"{address} no recibirá más mensajes de esta lista."},
		.button = "Cancelar la suscripción",
		.done = {"Suscripción cancelada",
			"{address} no recibirá más mensajes de esta lista. Un mensaje que ya salió todavía puede llegar."},
		.already = {"La suscripción ya estaba cancelada",
			"{address} no recibe mensajes de esta lista."},
		.gone = {"La suscripción ya estaba cancelada",
			"Su dirección ya no está en esta lista."},
		.wrong_link = {"Este enlace no funciona",
			"Puede que esté incompleto. Ábralo de nuevo desde el mensaje o cópielo entero en la barra de direcciones. Si no sirve, responda al mensaje y pida que retiren su dirección de la lista."},
		.nothing = {"Aquí no hay nada", "No hay ninguna página en esta dirección."},
		.trouble = {"Todavía no",
			"No se ha podido guardar en este momento. Vuelva a intentarlo dentro de un minuto."}},
	{.language = "zh",
		.ask = {"确定要退订吗？", "{address} 将不再收到此列表的邮件。"},
		.button = "退订",
		.done = {"已退订",
			"{address} 不会再收到此列表的邮件。已经发出的邮件可能仍会送达。"},
		.already = {"此前已退订", "{address} 不会收到此列表的邮件。"},
		.gone = {"此前已退订", "您的地址已不在此列表中。"},
		.wrong_link = {"此链接无效",
			"链接可能不完整。请重新从邮件中打开，或将整个链接复制到地址栏。如果仍然无效，请回复该邮件并要求退订。"},
		.nothing = {"这里没有内容", "此地址没有对应的页面。"},
		.trouble = {"尚未完成", "暂时无法保存，请一分钟后再试。"}},
};

const struct texts *texts_for(const char *language)
{
	const char *tag = language != NULL ? language : "";
	size_t len = strcspn(tag, "-_");

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strlen(all[i].language) == len && strncasecmp(all[i].language, tag, len) == 0)
			return &all[i];
	return &all[0];
}
