import { migrations as outbox } from "outbox";
import { migrations as worker } from "worker";
import { sql as roles } from "./001-roles.ts";
import { sql as tenant } from "./002-tenant.ts";
import { sql as catalogue } from "./003-catalogue.ts";
import { sql as stock } from "./004-stock.ts";
import { sql as till } from "./005-till.ts";
import { sql as order } from "./006-order.ts";
import { sql as timeAndTalk } from "./007-time-and-talk.ts";
import { sql as proof } from "./008-proof.ts";
import { sql as lookups } from "./009-lookups.ts";
import { sql as engines } from "./010-engines.ts";
import { sql as operator } from "./011-operator.ts";
import { sql as refunds } from "./012-refunds.ts";
import { sql as buybacks } from "./013-buybacks.ts";
import { sql as strays } from "./014-strays.ts";

export type Migration = { name: string; sql: string };

/** In the order in which they are applied: the engines' tables first. Names and texts never change once released. */
export const migrations: readonly Migration[] = [
  ...outbox,
  ...worker,
  { name: "001-roles", sql: roles },
  { name: "002-tenant", sql: tenant },
  { name: "003-catalogue", sql: catalogue },
  { name: "004-stock", sql: stock },
  { name: "005-till", sql: till },
  { name: "006-order", sql: order },
  { name: "007-time-and-talk", sql: timeAndTalk },
  { name: "008-proof", sql: proof },
  { name: "009-lookups", sql: lookups },
  { name: "010-engines", sql: engines },
  { name: "011-operator", sql: operator },
  { name: "012-refunds", sql: refunds },
  { name: "013-buybacks", sql: buybacks },
  { name: "014-strays", sql: strays },
];
