export type Scan =
  | { code: string }
  | { member: string }
  | { receipt: string }
  /** The second row of a book's label (price and genre): nothing to sell. */
  | { ignored: "second-row" };

/**
 * What a scanner or a keyboard sent. Full-width digits and outer spaces are the same code; `M` + digits is a member's
 * card, `R-` + text a receipt's barcode, 192… the second row of a book.
 */
export function parseScan(raw: string): Scan {
  const text = raw.normalize("NFKC").trim();
  const member = /^M(\d{6,16})$/i.exec(text)?.[1];
  if (member) return { member };
  const receipt = /^R-([0-9a-z-]+)$/i.exec(text)?.[1];
  if (receipt) return { receipt: receipt.toLowerCase() };
  if (/^192\d{10}$/.test(text)) return { ignored: "second-row" };
  return { code: text };
}

/** The check digit of a JAN (EAN-13) code's first twelve digits. */
export function checkDigit(twelve: string): string {
  const sum = twelve
    .split("")
    .reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3), 0);
  return String((10 - (sum % 10)) % 10);
}

/** Whether a text is a whole JAN code. */
export function isJan(code: string): boolean {
  return /^\d{13}$/.test(code) && checkDigit(code.slice(0, 12)) === code[12];
}
