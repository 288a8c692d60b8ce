import { defineConfig, type Local } from "copilot-local";

// What no manifest can say: how the database is filled, and what stands in for the outside world. Everything else that
// `npm start` runs is read from copilot/.

/** The owner of the schema, as which no workload may log in. */
const owner = {
  DATABASE_HOST: ({ database }: Local) => database.host,
  DATABASE_PORT: ({ database }: Local) => String(database.port),
  DATABASE_NAME: ({ database }: Local) => database.name,
  DATABASE_USER: ({ database }: Local) => database.owner,
};

export default defineConfig({
  region: "ap-northeast-1",
  setup: [
    { name: "migrate", directory: "packages/database", command: ["node", "migrate.ts"], variables: owner },
    {
      name: "seed",
      directory: "packages/database",
      command: ["node", "seed.ts"],
      variables: owner,
      notes: "デモの店に入る",
    },
  ],
  processes: [
    {
      name: "mall-sandbox",
      directory: "packages/mall-sandbox",
      port: 8090,
      secrets: ["MALL_API_KEY"],
      answers: { MALL_API_URL: "" },
      // Its order mails go where the real mall's would: to the address that the mail rule of the addon receives for.
      variables: { MAIL_TO: (local) => local.mailAddress("orders") },
      health: "/health",
    },
  ],
  variables: {
    STOREFRONT_URL: (local) => local.url("ec-web-app"),
  },
  // What a worker cannot handle waits here, in order, until somebody replays it.
  parked:
    "select consumer.name, count(*) from parked join consumer on consumer.id = parked.consumer group by 1",
  attention: [
    { what: "取り置き", count: "select count(*) from parked", command: "npx pnpm@12 ops parked local" },
    {
      what: "止まったイベント",
      count: "select count(*) from outbox where blocked_at is not null",
      command: "npx pnpm@12 ops blocked local",
    },
    { what: "DLQ", count: "dead letters", command: "npx pnpm@12 ops queues local" },
  ],
  titles: {
    "pos-web-app": "レジ",
    "ec-web-app": "オンラインストア",
    "mall-sandbox": "モール(サンドボックス)",
  },
});
