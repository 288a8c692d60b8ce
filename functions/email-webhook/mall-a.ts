/** What a mall's mail says: which order it is about. The order itself is fetched from the mall, never read from the mail. */
export type MallMail = { kind: "order" | "cancel" | "question"; mallOrderNo: string };

/** The one address that mall A writes from. */
export const sender = "order@mall-a.example";

const kinds = [
  { kind: "order", subject: /^【モールA】ご注文がありました\(注文番号: ?(MA-[0-9A-Z-]{1,40})\)$/ },
  { kind: "cancel", subject: /^【モールA】ご注文がキャンセルされました\(注文番号: ?(MA-[0-9A-Z-]{1,40})\)$/ },
  { kind: "question", subject: /^【モールA】お問い合わせがありました\(注文番号: ?(MA-[0-9A-Z-]{1,40})\)$/ },
] as const;

/** Reads mall A's subject, or null when it is some other mail of theirs (news, invoices). Full-width and narrow forms are the same. */
export function read(subject: string): MallMail | null {
  const plain = subject.normalize("NFKC").trim();
  for (const { kind, subject } of kinds) {
    const mallOrderNo = subject.exec(plain)?.[1];
    if (mallOrderNo) return { kind, mallOrderNo };
  }
  return null;
}
