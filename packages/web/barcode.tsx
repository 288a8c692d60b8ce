/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */

/** Bar and gap widths of the 106 symbols of Code 128, as in ISO/IEC 15417; the last one is the stop. */
const symbols = (
  "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 " +
  "123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 " +
  "232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 " +
  "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 " +
  "111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 " +
  "111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 " +
  "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
).split(" ");
const startB = 104;
const stop = 106;

/** The symbol values of `text` in Code 128 set B, check symbol included. Throws on what set B cannot write. */
export function code128(text: string): number[] {
  const values = Array.from(text, (character) => {
    const value = character.charCodeAt(0) - 32;
    if (value < 0 || value > 94) throw new Error(`"${character}" cannot be written in Code 128 B.`);
    return value;
  });
  const sum = values.reduce((total, value, index) => total + value * (index + 1), startB);
  return [startB, ...values, sum % 103, stop];
}

/** `text` as a Code 128 barcode: what the receipt's number looks like to a scanner. */
export function barcode(text: string) {
  let x = 10;
  const bars: string[] = [];
  for (const symbol of code128(text)) {
    Array.from(symbols[symbol]!).forEach((width, index) => {
      if (index % 2 === 0) bars.push(`M${x} 0h${width}v40h-${width}z`);
      x += Number(width);
    });
  }
  return (
    <svg
      class="barcode"
      viewBox={`0 0 ${x + 10} 40`}
      role="img"
      aria-label={`バーコード ${text}`}
      preserveAspectRatio="none"
    >
      <path d={bars.join("")} fill="#000" />
    </svg>
  );
}
