/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */

/** Two traditional colours that go together: ground and figure. */
const palettes: [ground: string, figure: string, paper: string][] = [
  ["#1f3d68", "#8fb0d9", "#f4efe2"], // 藍
  ["#7a2f2a", "#e3a79b", "#fbf1e6"], // 蘇芳
  ["#2f5a45", "#a3cfb1", "#f3f3e4"], // 松葉
  ["#8a5a12", "#f2cf86", "#fdf6e3"], // 山吹
  ["#4a3a6b", "#b9a6dd", "#f3eff6"], // 菫
  ["#264b52", "#8dc4c9", "#eef4f2"], // 納戸
  ["#5c3b2a", "#d3ab8c", "#f9f2ea"], // 栗
  ["#9a3f55", "#f0b6c2", "#fdf2f1"], // 紅梅
];
const patterns = [
  "seigaiha",
  "asanoha",
  "ichimatsu",
  "uroko",
  "shima",
  "mizutama",
  "yagasuri",
  "kagome",
] as const;

/** Which cover an item gets: the same one everywhere and always, from its code alone. */
export function coverOf(code: string): { palette: number; pattern: number } {
  let hash = 0x811c9dc5;
  for (const character of code) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193) >>> 0;
  // FNV's low bits hardly differ between neighbouring codes, and a shelf of one colour is dull: mix once more.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  return { palette: hash % palettes.length, pattern: (hash >>> 8) % patterns.length };
}

/**
 * The eight patterns, once a page; every cover lays them in white over its own colour (a pattern takes its colour from
 * where it is defined, not from where it is used). Drawn instead of photographed: no picture is missing, none has to be
 * paid for, and a page of 24 covers weighs 10 kB.
 */
export function CoverPatterns() {
  return (
    <svg width="0" height="0" class="cover-patterns" aria-hidden="true" color="#fff">
      <defs>
        <pattern id="c-seigaiha" width="32" height="16" patternUnits="userSpaceOnUse">
          <g fill="none" stroke="currentColor" stroke-width="1.6">
            <circle cx="16" cy="16" r="15" />
            <circle cx="16" cy="16" r="10" />
            <circle cx="16" cy="16" r="5" />
            <circle cx="0" cy="24" r="15" />
            <circle cx="32" cy="24" r="15" />
          </g>
        </pattern>
        <pattern id="c-asanoha" width="36" height="62" patternUnits="userSpaceOnUse">
          <path
            d="M0 0 18 31 0 62M36 0 18 31 36 62M0 31h36M18 0v62M0 31 18 21 36 31 18 41zM0 0l18 10L36 0M0 62l18-10 18 10"
            fill="none"
            stroke="currentColor"
            stroke-width="1.4"
          />
        </pattern>
        <pattern id="c-ichimatsu" width="28" height="28" patternUnits="userSpaceOnUse">
          <path d="M0 0h14v14H0zM14 14h14v14H14z" fill="currentColor" opacity=".55" />
        </pattern>
        <pattern id="c-uroko" width="24" height="22" patternUnits="userSpaceOnUse">
          <path d="M12 0 24 22H0z" fill="currentColor" opacity=".5" />
        </pattern>
        <pattern id="c-shima" width="18" height="18" patternUnits="userSpaceOnUse">
          <path d="M3 0v18M8 0v18" stroke="currentColor" stroke-width="2.2" />
        </pattern>
        <pattern id="c-mizutama" width="26" height="26" patternUnits="userSpaceOnUse">
          <circle cx="6.5" cy="6.5" r="4" fill="currentColor" />
          <circle cx="19.5" cy="19.5" r="4" fill="currentColor" />
        </pattern>
        <pattern id="c-yagasuri" width="24" height="40" patternUnits="userSpaceOnUse">
          <path d="M0 10 12 0v20L0 30zM24 30 12 40V20l12-10z" fill="currentColor" opacity=".6" />
        </pattern>
        <pattern id="c-kagome" width="30" height="52" patternUnits="userSpaceOnUse">
          <path
            d="M0 13h30M0 39h30M7.5 0l15 26-15 26M22.5 0l-15 26 15 26M-7.5 26l15-26M37.5 26l-15-26M-7.5 26l15 26M37.5 26l-15 26"
            fill="none"
            stroke="currentColor"
            stroke-width="1.5"
          />
        </pattern>
      </defs>
    </svg>
  );
}

/** What an item of a category looks like from afar. */
type Shape = "book" | "disc" | "game" | "card" | "hobby" | "food" | "box";

const shapeWords: [RegExp, Shape][] = [
  [/本|書籍|コミック|漫画|マンガ|文庫|雑誌/, "book"],
  [/CD|DVD|音楽|映像|ブルーレイ|レコード/i, "disc"],
  [/ゲーム/, "game"],
  [/カード|トレカ/, "card"],
  [/ホビー|フィギュア|模型|おもちゃ|玩具|プラモ/, "hobby"],
  [/食|菓子|スナック|飲料/, "food"],
];

function shapeOf(category: string): Shape {
  return shapeWords.find(([words]) => words.test(category))?.[1] ?? "box";
}

/** A drawn cover (square, 200 units): the category decides the shape, the code decides colour and pattern. */
export function Cover({ code, name, category }: { code: string; name: string; category: string }) {
  const { palette, pattern } = coverOf(code);
  const [ground, figure, paper] = palettes[palette]!;
  const fill = `url(#c-${patterns[pattern]!})`;
  const [initial = ""] = name.replaceAll(/[\s「『(]/g, "");
  const letter = (x: number, y: number, size: number, colour: string) => (
    <text
      x={x}
      y={y}
      font-size={size}
      font-weight="700"
      text-anchor="middle"
      dominant-baseline="central"
      fill={colour}
    >
      {initial}
    </text>
  );
  return (
    <svg class="cover" viewBox="0 0 200 200" role="img" aria-label={`${name}の表紙絵`}>
      <rect width="200" height="200" fill={paper} />
      {drawn(shapeOf(category), { ground, figure, paper, fill, letter })}
    </svg>
  );
}

type Ink = {
  ground: string;
  figure: string;
  paper: string;
  fill: string;
  letter: (x: number, y: number, size: number, colour: string) => unknown;
};

function drawn(shape: Shape, { ground, figure, paper, fill, letter }: Ink) {
  switch (shape) {
    case "book":
      return (
        <g>
          <path d="M152 24h6v156H60l-6-5z" fill="#000" opacity=".12" />
          <rect x="48" y="20" width="104" height="156" rx="3" fill={ground} />
          <rect x="60" y="20" width="92" height="156" rx="3" fill={fill} opacity=".32" />
          <rect x="74" y="40" width="52" height="72" fill={paper} />
          {letter(100, 77, 36, ground)}
          <path d="M56 20v156" stroke="#000" stroke-opacity=".25" stroke-width="2" />
        </g>
      );
    case "disc":
      return (
        <g>
          <rect x="28" y="30" width="140" height="140" rx="4" fill={ground} />
          <rect x="28" y="30" width="140" height="140" rx="4" fill={fill} opacity=".35" />
          <circle cx="104" cy="100" r="56" fill={paper} />
          <circle
            cx="104"
            cy="100"
            r="55"
            fill="none"
            stroke={ground}
            stroke-opacity=".35"
            stroke-width="1.5"
          />
          <circle cx="104" cy="100" r="40" fill="none" stroke={figure} stroke-width="1" />
          <circle cx="104" cy="100" r="22" fill={ground} />
          {letter(104, 101, 22, paper)}
          <path d="M36 30v140" stroke="#000" stroke-opacity=".3" stroke-width="3" />
        </g>
      );
    case "game":
      return (
        <g>
          <rect x="44" y="22" width="112" height="156" rx="6" fill={ground} />
          <rect x="52" y="50" width="96" height="120" fill={figure} />
          <rect x="52" y="50" width="96" height="120" fill={fill} opacity=".5" />
          <circle cx="100" cy="110" r="34" fill={ground} />
          {letter(100, 111, 34, paper)}
          <path d="M58 36h38" stroke={paper} stroke-width="5" stroke-linecap="round" />
          <circle cx="138" cy="36" r="4" fill={figure} />
          <circle cx="126" cy="36" r="4" fill={figure} />
        </g>
      );
    case "card":
      return (
        <g>
          <rect x="40" y="34" width="98" height="138" rx="8" fill={figure} transform="rotate(-9 89 103)" />
          <rect x="56" y="30" width="98" height="138" rx="8" fill={paper} stroke={ground} stroke-width="3" />
          <rect x="65" y="40" width="80" height="76" fill={ground} />
          <rect x="65" y="40" width="80" height="76" fill={fill} opacity=".35" />
          {letter(105, 78, 40, "#fff")}
          <path d="M67 130h76M67 142h76M67 154h44" stroke={ground} stroke-opacity=".55" stroke-width="4" />
        </g>
      );
    case "hobby":
      return (
        <g>
          <path d="m36 64 64-26 64 26v78l-64 28-64-28z" fill={ground} />
          <path d="m36 64 64 26v80l-64-28z" fill={fill} opacity=".35" />
          <path d="m36 64 64-26 64 26-64 26z" fill={figure} />
          <circle cx="132" cy="116" r="24" fill={paper} />
          {letter(132, 117, 26, ground)}
        </g>
      );
    case "food":
      return (
        <g>
          <path d="M54 30h92l-5 14 5 112-5 14H59l-5-14 5-112z" fill={ground} />
          <path d="M57 52h86v96H57z" fill={fill} opacity=".35" />
          <path d="M54 30h92M54 170h92" stroke={figure} stroke-width="5" stroke-dasharray="5 3" />
          <ellipse cx="100" cy="100" rx="38" ry="34" fill={paper} />
          {letter(100, 101, 36, ground)}
        </g>
      );
    default:
      return (
        <g>
          <rect x="36" y="48" width="128" height="116" rx="4" fill={ground} />
          <rect x="36" y="48" width="128" height="116" rx="4" fill={fill} opacity=".35" />
          <rect x="88" y="48" width="24" height="116" fill={paper} opacity=".9" />
          <circle cx="100" cy="106" r="30" fill={paper} />
          {letter(100, 107, 32, ground)}
        </g>
      );
  }
}
