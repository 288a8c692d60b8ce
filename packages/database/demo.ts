import { eventIdFor } from "@noren/events";

/** The demo data's beginning: ids of masters carry this time, so they are the same on every machine. */
export const epoch = new Date("2026-11-01T00:00:00Z");

/** The same key gives the same UUIDv7, on every machine and on every run. */
export const demoId = (key: string, at: Date = epoch): string => eventIdFor(at, `demo:${key}`);

const store = (code: string, name: string, address: string, options: { ships: boolean; rank: number }) => ({
  id: demoId(`store ${code}`),
  code,
  name,
  address,
  ...options,
});
const stores = {
  honten: store("honten", "本店", "東京都千代田区神田のれん町1-2-3", { ships: true, rank: 20 }),
  ekimae: store("ekimae", "駅前店", "東京都武蔵野市暖簾本町4-5-6", { ships: false, rank: 30 }),
  kogai: store("kogai", "郊外店", "埼玉県所沢市のれん台7-8", { ships: false, rank: 40 }),
  soko: store("soko", "倉庫", "埼玉県三郷市流通9-10", { ships: true, rank: 10 }),
};

const register = (store: keyof typeof stores, code: string, enrolmentCode: string) => ({
  id: demoId(`register ${store} ${code}`),
  store,
  code,
  enrolmentCode,
});

const person = (
  code: string,
  name: string,
  role: "owner" | "manager" | "clerk",
  pin: string,
  stores: string[] = [],
) => ({ id: demoId(`staff ${code}`), code, name, role, pin, stores });

/**
 * What a newcomer needs to know of the demo data. The secrets among it open nothing but a database on a laptop:
 * no deployed environment is ever seeded.
 */
export const demo = {
  company: { id: demoId("company noren-do"), code: "noren-do", name: "のれん堂" },
  /** Proves that nothing crosses from one company to the other. */
  otherCompany: { id: demoId("company betsu-no-mise"), code: "betsu-no-mise", name: "別の店" },
  stores,
  /** Enrolment codes do not end: a new browser may take the register over. */
  registers: [
    register("honten", "1", "NOREN-HON1"),
    register("honten", "2", "NOREN-HON2"),
    register("ekimae", "1", "NOREN-EKI1"),
    register("kogai", "1", "NOREN-KOG1"),
  ],
  staff: [
    person("1001", "野蓮 弥生", "owner", "100100"),
    person("1002", "店長 守", "manager", "100200"),
    person("1003", "山田 花", "clerk", "100300", ["honten"]),
    person("1004", "佐藤 陸", "clerk", "100400", ["ekimae"]),
    person("1005", "鈴木 葵", "clerk", "100500", ["kogai"]),
    person("1006", "高橋 蓮", "clerk", "100600", ["honten", "ekimae"]),
  ],
  /** Waits for its bank transfer; the token is the secret of its page. */
  order: { no: "EC-DEM0-0000-0001", token: "demo-order" },
  mallAccount: { id: demoId("mall mall-a"), code: "mall-a", mailKey: "orders" },
  /** Two items that 本店 always has: standard tax, and reduced tax. */
  scan: {
    book: { itemId: demoId("item 0"), code: "2000000000008", name: "星巡りの航海図", condition: "A" },
    snack: { itemId: demoId("item 150"), code: "2000000001500", name: "のれん煎餅 醤油味", condition: "new" },
  },
} as const;
