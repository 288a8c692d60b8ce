import { checkDigit } from "@noren/commerce";
import { demo, demoId } from "./demo.ts";

export type DemoCategory = {
  id: string;
  code: string;
  name: string;
  taxClass: "standard" | "reduced";
  identityAlways: boolean;
};
export type DemoItem = {
  id: string;
  code: string;
  name: string;
  kana: string;
  maker: string;
  category: DemoCategory;
  listPriceYen: number;
  conditions: string[];
};

/** A store's product, with the stock that it opens with. */
export type Product = {
  id: string;
  storeId: string;
  item: DemoItem;
  condition: string;
  priceYen: number;
  stock: number;
};

export const conditions = [
  { code: "new", name: "新品", percent: 100 },
  { code: "S", name: "未使用に近い", percent: 80 },
  { code: "A", name: "美品", percent: 70 },
  { code: "B", name: "良品", percent: 50 },
  { code: "C", name: "可", percent: 30 },
];

/** What a piece in a condition costs: percent of the list price, in tens of yen; new at the list price. */
export function demoPrice(listPriceYen: number, condition: string): number {
  const percent = conditions.find(({ code }) => code === condition)?.percent ?? 50;
  return percent === 100 ? listPriceYen : Math.floor((listPriceYen * percent) / 1000) * 10;
}

type Words = [text: string, kana: string][];
type Shelf = {
  code: string;
  name: string;
  reduced?: boolean;
  /** Identity is recorded for these whatever they cost (古物営業法). */
  identityAlways?: boolean;
  prices: [from: number, to: number];
  conditions: string[][];
  makers: string[];
  first: Words;
  second: Words;
  join: [text: string, kana: string];
};

const used = [
  ["new", "A", "B"],
  ["S", "A", "B", "C"],
  ["A", "B"],
  ["new", "S", "A"],
  ["A", "B", "C"],
];
const no: [string, string] = ["の", "の"];
const space: [string, string] = [" ", " "];
const pairs = (text: string): Words => text.split(" ").map((pair) => pair.split("/") as [string, string]);

// Every name is invented, and the codes lie in 20–29, which no manufacturer is given: no real product is meant.
const shelves: Shelf[] = [
  {
    code: "books",
    name: "本",
    identityAlways: true,
    prices: [480, 2400],
    conditions: used,
    join: no,
    makers: ["暖簾書房", "夜明け社", "みなも文庫"],
    first: pairs(
      "星巡り/ほしめぐり 雨宿り/あまやどり 灯台守/とうだいもり 古道具屋/ふるどうぐや 月影/つきかげ",
    ),
    second: pairs("航海図/こうかいず 手帖/てちょう 午後/ごご 料理帖/りょうりちょう 事件簿/じけんぼ"),
  },
  {
    code: "games",
    name: "ゲーム",
    identityAlways: true,
    prices: [1980, 7800],
    conditions: used,
    join: space,
    makers: ["千鳥ソフト", "青海波", "からくり堂"],
    first: pairs(
      "剣と硯/けんとすずり 迷宮茶房/めいきゅうさぼう 天空列車/てんくうれっしゃ 忍びの森/しのびのもり 走れ飛脚/はしれひきゃく",
    ),
    second: pairs("外伝/がいでん 完全版/かんぜんばん II/に 対戦編/たいせんへん はじまりの巻/はじまりのまき"),
  },
  {
    code: "discs",
    name: "CD・DVD",
    identityAlways: true,
    prices: [980, 3800],
    conditions: used,
    join: no,
    makers: ["風鈴レコード", "朝凪音盤"],
    first: pairs("真夜中/まよなか 港町/みなとまち 雪国/ゆきぐに 縁側/えんがわ 坂道/さかみち"),
    second: pairs(
      "三重奏/さんじゅうそう 子守唄/こもりうた ジャズ/じゃず 名画座/めいがざ 演奏会/えんそうかい",
    ),
  },
  {
    code: "cards",
    name: "トレカ",
    prices: [120, 4800],
    conditions: [
      ["S", "A"],
      ["A", "B"],
      ["S", "A", "B"],
    ],
    join: no,
    makers: ["百札堂"],
    first: pairs("白銀/はくぎん 深緑/しんりょく 緋色/ひいろ 黄金/おうごん 宵闇/よいやみ"),
    second: pairs("龍/りゅう 狐面/きつねめん 番人/ばんにん 風神/ふうじん 大樹/たいじゅ"),
  },
  {
    code: "hobby",
    name: "ホビー",
    prices: [800, 12_000],
    conditions: used,
    join: space,
    makers: ["木挽模型", "からくり堂"],
    first: pairs(
      "路面電車/ろめんでんしゃ 時計塔/とけいとう 帆掛け船/ほかけぶね 招き猫/まねきねこ 茶運び人形/ちゃはこびにんぎょう",
    ),
    second: pairs(
      "組立キット/くみたてきっと 塗装済み/とそうずみ 限定色/げんていしょく 小型/こがた 大型/おおがた",
    ),
  },
  {
    code: "goods",
    name: "雑貨",
    prices: [300, 3600],
    conditions: used,
    join: no,
    makers: ["麻の葉屋", "青海波"],
    first: pairs("藍染/あいぞめ 桐箱/きりばこ 市松/いちまつ 竹細工/たけざいく 南部/なんぶ"),
    second: pairs("手ぬぐい/てぬぐい 小物入れ/こものいれ 湯呑み/ゆのみ 文箱/ふばこ 風呂敷/ふろしき"),
  },
  {
    code: "snacks",
    name: "お菓子",
    reduced: true,
    prices: [120, 680],
    conditions: [["new"]],
    join: space,
    makers: ["のれん製菓"],
    first: pairs(
      "のれん煎餅/のれんせんべい 金平糖/こんぺいとう かりんとう/かりんとう 豆大福/まめだいふく 羊羹/ようかん",
    ),
    second: pairs(
      "醤油味/しょうゆあじ 抹茶味/まっちゃあじ 黒糖味/こくとうあじ 塩味/しおあじ 詰め合わせ/つめあわせ",
    ),
  },
  {
    code: "drinks",
    name: "飲み物",
    reduced: true,
    prices: [110, 480],
    conditions: [["new"]],
    join: space,
    makers: ["のれん茶房"],
    first: pairs("煎茶/せんちゃ ほうじ茶/ほうじちゃ 麦茶/むぎちゃ 甘酒/あまざけ 梅サイダー/うめさいだー"),
    second: pairs("小瓶/こびん 大瓶/おおびん 缶/かん 六本入り/ろっぽんいり 季節限定/きせつげんてい"),
  },
];

/** The catalogue: every pair of a shelf's words is one item, 25 a shelf; `random` draws prices, conditions and makers. */
export function demoCatalogue(random: () => number): { categories: DemoCategory[]; items: DemoItem[] } {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const categories = shelves.map(({ code, name, reduced, identityAlways }) => ({
    id: demoId(`category ${code}`),
    code,
    name,
    taxClass: reduced ? ("reduced" as const) : ("standard" as const),
    identityAlways: identityAlways ?? false,
  }));
  const items: DemoItem[] = [];
  for (const [index, shelf] of shelves.entries()) {
    for (const [first, firstKana] of shelf.first) {
      for (const [second, secondKana] of shelf.second) {
        const number = items.length;
        const digits = `20${String(number).padStart(10, "0")}`;
        const [from, to] = shelf.prices;
        items.push({
          id: demoId(`item ${number}`),
          code: digits + checkDigit(digits),
          name: first + shelf.join[0] + second,
          kana: firstKana + shelf.join[1] + secondKana,
          maker: pick(shelf.makers),
          category: categories[index] as DemoCategory,
          listPriceYen: Math.round((from + random() * (to - from)) / 10) * 10,
          conditions: number === 0 ? ["new", "A", "B"] : pick(shelf.conditions),
        });
      }
    }
  }
  return { categories, items };
}

/** Items that the demo promises to have in stock, so nothing else takes from them. */
export const promised = (item: DemoItem) => Object.values(demo.scan).some(({ itemId }) => itemId === item.id);
