/**
 * The texts, as data: one for each kind and language, with `{names}` for what differs. A language that lacks a text is
 * told in English; a fact that is missing leaves its place empty, and a text is never longer than an SMS chain carries.
 */
import { type MarketClock, offsetMinutes } from "../../lib/wall-time.js";
import type { NoticeKind, NotificationLocale } from "../../protocol/mod.js";

interface Text {
  readonly title: string;
  readonly text: string;
}

type Texts = Readonly<Record<NoticeKind, Text>>;

const MOST_CHARACTERS = 480;

const en: Texts = {
  order_confirmed: { title: "Order confirmed", text: "{restaurant} has your order. Expected at {arrives}." },
  eta_changed: { title: "New arrival time", text: "Your order from {restaurant} is now expected at {arrives}." },
  driver_near: { title: "Almost there", text: "Your order from {restaurant} is around the corner." },
  order_delivered: { title: "Delivered", text: "Your order from {restaurant} was delivered. Enjoy your meal!" },
  order_cancelled: {
    title: "Order cancelled",
    text: "Your order from {restaurant} was cancelled. What was held on your card is released.",
  },
  trip_message: { title: "A message for you", text: "Somebody wrote to you about the order from {restaurant}." },
  support_message: { title: "Support has answered", text: "Support has written to you. Open the app to read it." },
  order_waiting: {
    title: "An order is waiting",
    text: "{restaurant}: a new order waits for an answer. Please look at the tablet.",
  },
  restaurant_paused: {
    title: "Orders are paused",
    text: "{restaurant} takes no new orders: {reason}. Resume on the tablet.",
  },
  restaurant_offline: {
    title: "No tablet is connected",
    text: "{restaurant} takes no new orders until a tablet is connected again.",
  },
};

const de: Texts = {
  order_confirmed: {
    title: "Bestellung bestätigt",
    text: "{restaurant} hat deine Bestellung. Ankunft gegen {arrives}.",
  },
  eta_changed: { title: "Neue Ankunftszeit", text: "Deine Bestellung von {restaurant} kommt gegen {arrives}." },
  driver_near: { title: "Gleich da", text: "Deine Bestellung von {restaurant} ist gleich um die Ecke." },
  order_delivered: { title: "Zugestellt", text: "Deine Bestellung von {restaurant} ist da. Guten Appetit!" },
  order_cancelled: {
    title: "Bestellung storniert",
    text: "Deine Bestellung von {restaurant} wurde storniert. Der reservierte Betrag wird freigegeben.",
  },
  trip_message: {
    title: "Eine Nachricht für dich",
    text: "Zur Bestellung von {restaurant} hat dir jemand geschrieben.",
  },
  support_message: {
    title: "Der Support hat geantwortet",
    text: "Der Support hat dir geschrieben. Lies es in der App.",
  },
  order_waiting: {
    title: "Eine Bestellung wartet",
    text: "{restaurant}: Eine neue Bestellung wartet auf Antwort. Bitte auf das Tablet sehen.",
  },
  restaurant_paused: {
    title: "Bestellungen pausiert",
    text: "{restaurant} bekommt keine neuen Bestellungen. Bitte am Tablet fortsetzen.",
  },
  restaurant_offline: {
    title: "Kein Tablet verbunden",
    text: "{restaurant} bekommt keine Bestellungen, bis wieder ein Tablet verbunden ist.",
  },
};

const es: Texts = {
  order_confirmed: { title: "Pedido confirmado", text: "{restaurant} tiene tu pedido. Llega hacia las {arrives}." },
  eta_changed: { title: "Nueva hora de llegada", text: "Tu pedido de {restaurant} llega ahora hacia las {arrives}." },
  driver_near: { title: "Ya casi está", text: "Tu pedido de {restaurant} está a la vuelta de la esquina." },
  order_delivered: { title: "Entregado", text: "Tu pedido de {restaurant} fue entregado. ¡Buen provecho!" },
  order_cancelled: {
    title: "Pedido cancelado",
    text: "Tu pedido de {restaurant} fue cancelado. Se libera lo retenido en tu tarjeta.",
  },
  trip_message: { title: "Un mensaje para ti", text: "Te han escrito sobre el pedido de {restaurant}." },
  support_message: { title: "Soporte ha respondido", text: "Soporte te ha escrito. Ábrelo en la aplicación." },
  order_waiting: {
    title: "Un pedido espera",
    text: "{restaurant}: un pedido nuevo espera respuesta. Mira la tableta, por favor.",
  },
  restaurant_paused: {
    title: "Pedidos en pausa",
    text: "{restaurant} no recibe pedidos nuevos. Reanuda en la tableta.",
  },
  restaurant_offline: {
    title: "Ninguna tableta conectada",
    text: "{restaurant} no recibe pedidos hasta que se conecte una tableta.",
  },
};

const tr: Texts = {
  order_confirmed: { title: "Sipariş onaylandı", text: "{restaurant} siparişini aldı. Tahmini varış {arrives}." },
  eta_changed: { title: "Yeni varış saati", text: "{restaurant} siparişinin yeni tahmini varışı {arrives}." },
  driver_near: { title: "Neredeyse geldi", text: "{restaurant} siparişin hemen köşede." },
  order_delivered: { title: "Teslim edildi", text: "{restaurant} siparişin teslim edildi. Afiyet olsun!" },
  order_cancelled: {
    title: "Sipariş iptal edildi",
    text: "{restaurant} siparişin iptal edildi. Kartındaki provizyon kaldırılıyor.",
  },
  trip_message: { title: "Bir mesajın var", text: "{restaurant} siparişi hakkında sana yazıldı." },
  support_message: { title: "Destek yanıtladı", text: "Destek sana yazdı. Uygulamada okuyabilirsin." },
  order_waiting: {
    title: "Bir sipariş bekliyor",
    text: "{restaurant}: yeni bir sipariş yanıt bekliyor. Lütfen tablete bakın.",
  },
  restaurant_paused: {
    title: "Siparişler duraklatıldı",
    text: "{restaurant} yeni sipariş almıyor. Tabletten devam ettirin.",
  },
  restaurant_offline: {
    title: "Bağlı tablet yok",
    text: "{restaurant}, bir tablet bağlanana kadar sipariş almıyor.",
  },
};

const TEXTS: Readonly<Record<NotificationLocale, Texts>> = { en, de, es, tr };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** What comes within these hours comes tonight, also when it is past midnight. */
const SOON_MS = 6 * HOUR_MS;

/** When something arrives by the market's clock, as told at `now`: with its day, where a time alone could be today's. */
export function arrivalText(at: number, now: number, market: MarketClock, locale: NotificationLocale): string {
  const wall = (instant: number): number => instant + offsetMinutes(market, instant) * MINUTE_MS;
  const time = new Date(wall(at)).toISOString().slice(11, 16);
  const date = (instant: number): number => Math.floor(wall(instant) / (24 * HOUR_MS));
  if (at - now < SOON_MS || date(at) === date(now)) return time;
  const day = new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
  return `${day.format(wall(at))}, ${time}`;
}

export function textOf(
  kind: NoticeKind,
  locale: NotificationLocale,
  facts: Readonly<Record<string, string | number>>,
): Text {
  const { title, text } = TEXTS[locale][kind];
  const filled = text.replace(/\{(\w+)\}/g, (_, name: string) => String(Object.hasOwn(facts, name) ? facts[name] : ""));
  return { title, text: filled.length <= MOST_CHARACTERS ? filled : `${filled.slice(0, MOST_CHARACTERS - 1)}…` };
}
