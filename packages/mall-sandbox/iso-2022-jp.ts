/** Where each character of JIS X 0208 is, asked of the decoder that Node has: there is no encoder for this charset. */
const table = readTable();

function readTable(): Map<string, [number, number]> {
  const decoder = new TextDecoder("iso-2022-jp");
  const found = new Map<string, [number, number]>();
  for (let row = 0x21; row <= 0x7e; row++) {
    for (let cell = 0x21; cell <= 0x7e; cell++) {
      const character = decoder.decode(Uint8Array.of(0x1b, 0x24, 0x42, row, cell));
      if (character !== "\uFFFD" && !found.has(character)) found.set(character, [row, cell]);
    }
  }
  return found;
}

const toKanji = [0x1b, 0x24, 0x42];
const toAscii = [0x1b, 0x28, 0x42];

/** Text as ISO-2022-JP, the charset of Japanese mail for thirty years; what it cannot write becomes 〓, as in those days. */
export function encodeIso2022Jp(text: string): Buffer {
  const bytes: number[] = [];
  let kanji = false;
  for (const character of text) {
    const ascii = character.charCodeAt(0) < 0x80;
    if (ascii === kanji) bytes.push(...(ascii ? toAscii : toKanji));
    kanji = !ascii;
    if (ascii) bytes.push(character.charCodeAt(0));
    else bytes.push(...(table.get(character) ?? table.get("〓")!));
  }
  if (kanji) bytes.push(...toAscii);
  return Buffer.from(bytes);
}

/** A header value as RFC 2047 encoded words, none longer than 75 characters, folded. */
export function encodeHeader(text: string): string {
  const words: string[] = [];
  let rest = Array.from(text);
  while (rest.length > 0) {
    let take = Math.min(rest.length, 20);
    while (word(rest.slice(0, take)).length > 75) take--;
    words.push(word(rest.slice(0, take)));
    rest = rest.slice(take);
  }
  return words.join("\r\n ");
}

function word(characters: string[]): string {
  return `=?ISO-2022-JP?B?${encodeIso2022Jp(characters.join("")).toString("base64")}?=`;
}
