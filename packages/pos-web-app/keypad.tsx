/** A keypad for touch. Its buttons type into the last field that had the focus; the keyboard works all the same. */
export function Keypad({ zeros = false }: { zeros?: boolean }) {
  const keys = ["7", "8", "9", "4", "5", "6", "1", "2", "3", zeros ? "00" : "消", "0", "⌫"];
  const names: Record<string, string> = { "⌫": "1文字消す", 消: "すべて消す" };
  return (
    <div class="keypad" role="group" aria-label="数字キー">
      {keys.map((key) => (
        <button class="key" type="button" data-key={key} aria-label={names[key]}>
          {key}
        </button>
      ))}
    </div>
  );
}
