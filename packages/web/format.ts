const yenFormat = new Intl.NumberFormat("ja-JP");
const dateFormat = new Intl.DateTimeFormat("ja-JP", {
  timeZone: "Asia/Tokyo",
  year: "numeric",
  month: "long",
  day: "numeric",
  weekday: "short",
});
const timeFormat = new Intl.DateTimeFormat("ja-JP", {
  timeZone: "Asia/Tokyo",
  hour: "2-digit",
  minute: "2-digit",
});

/** Integer yen as people read it: `¥1,234`; a minus goes before the sign. */
export function yen(amount: number): string {
  return `${amount < 0 ? "−" : ""}¥${yenFormat.format(Math.abs(amount))}`;
}

/** An instant (or a `YYYY-MM-DD` day) as `2026年11月24日(火)`, in Japan's time. */
export function dateJa(at: Date | string): string {
  const date = typeof at === "string" && at.length === 10 ? new Date(`${at}T00:00:00+09:00`) : new Date(at);
  const parts = new Map(dateFormat.formatToParts(date).map((part) => [part.type, part.value]));
  return `${parts.get("year")}年${parts.get("month")}月${parts.get("day")}日(${parts.get("weekday")})`;
}

/** An instant as `2026年11月24日(火) 18:05`, in Japan's time. */
export function dateTimeJa(at: Date | string): string {
  return `${dateJa(new Date(at))} ${timeFormat.format(new Date(at))}`;
}

/** What a scanner or an input method typed, as the catalogue stores codes: NFKC (全角 → 半角), no spaces around. */
export function normalizeCode(raw: string): string {
  return raw.normalize("NFKC").trim();
}
