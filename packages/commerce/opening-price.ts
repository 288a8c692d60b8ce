/** What a piece is first offered for, in percent of its list price. A person may price it otherwise afterwards. */
const PERCENT: Record<string, number> = { new: 100, S: 80, A: 70, B: 50, C: 30 };
const OTHERWISE = 50;

/** The opening price in whole tens of yen, rounded down; a new piece keeps its list price to the yen. */
export function openingPrice(listPriceYen: number, condition: string): number {
  const percent = PERCENT[condition] ?? OTHERWISE;
  if (percent === 100) return listPriceYen;
  return Math.floor((listPriceYen * percent) / 1000) * 10;
}
