/** One spelling for everything that a person would call the same word: NFKC, lower case, katakana for hiragana. */
export function normalise(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/[ぁ-ゖ]/g, (kana) => String.fromCodePoint((kana.codePointAt(0) as number) + 0x60))
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** What `items.search_text` holds; a query is matched against it in the same spelling. */
export function searchText(item: {
  code: string;
  name: string;
  kana?: string | null;
  maker?: string | null;
}): string {
  return normalise([item.name, item.kana, item.maker, item.code].filter(Boolean).join(" "));
}
