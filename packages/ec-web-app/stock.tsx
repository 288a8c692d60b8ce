/** How many are left, in the three words that shoppers know. */
export function StockBadge({ available }: { available: number }) {
  if (available <= 0) return <span class="badge badge-none">在庫なし</span>;
  if (available <= 3) return <span class="badge badge-few">残りわずか</span>;
  return <span class="badge badge-ok">在庫あり</span>;
}
