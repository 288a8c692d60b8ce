const day = {
  year: "numeric",
  month: "long",
  day: "numeric",
  weekday: "short",
  timeZone: "Asia/Tokyo",
} as const;
const dateTime = new Intl.DateTimeFormat("ja-JP", { ...day, hour: "2-digit", minute: "2-digit" });

/** A way of paying as a receipt calls it. */
export const methods: Record<string, string> = { cash: "現金", card: "カード", qr: "QRコード決済" };

/** `¥1,234` */
export const yen = (amount: number): string => `¥${amount.toLocaleString("ja-JP")}`;

/** `2026年11月24日(火) 23:59`, as it is in Japan. */
export const moment = (at: Date): string => dateTime.format(at);
