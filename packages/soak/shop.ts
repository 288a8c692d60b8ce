import { ApiError, apiClient, signServiceToken } from "@noren/api-contract";
import type { ApiClient, ServiceClaims } from "@noren/api-contract";
import { demo } from "@noren/database/seed";
import { eventIdFor } from "@noren/events";
import { pieces } from "./settlements.ts";
import { PRODUCTS, UNSEEN } from "./story.ts";
import type { Deed, Line, Step } from "./story.ts";
import { pause } from "./workspace.ts";
import type { Workspace } from "./workspace.ts";

/** Pieces of real products. Of what the store has never had: store, item and condition, for want of a product. */
export type Goods = { productId: string; qty: number }[];

/** What came of a deed: `id` is the document's, `lines` what was asked for. */
export type Outcome = {
  step: Step & Deed;
  id: string;
  /** accepted: the shop said yes. refused: it said no, for good. unanswered: neither, however often it was asked. */
  result: "accepted" | "refused" | "unanswered";
  why?: string;
  lines: Goods;
  /** Whose news tells of it, where it is not the document's own. */
  aggregate?: string;
  /** By the answer: what came onto the shelves, or left them with less than 0. Once everything has settled. */
  moved: Goods;
  /** By the answer: what came into the drawers, or left them with less than 0. */
  cashYen: number;
  /** What the shop should not have said. */
  wrong?: string;
  /** How often it was sent. More than once: the first answers left it unknown. */
  sent: number;
};

export type Shop = { do(step: Step & Deed): Promise<Outcome> };

type Product = { id: string; itemId: string; condition: string; code: string; identityAlways: boolean };
type Till = { api: ApiClient; products: Product[]; unseen: Product[] };

const PATIENCE_MS = 90_000;

/** Tills that are signed in and open, shoppers and a mall. */
export async function openShop(workspace: Workspace, seed: number): Promise<Shop> {
  const startedAt = Date.now();
  const tills: Till[] = [];
  for (const register of demo.registers) {
    const storeId = demo.stores[register.store].id;
    tills.push({
      api: await openTill(workspace, register),
      products: await productsOf(workspace, [storeId]),
      unseen: await unseenBy(workspace, storeId),
    });
  }
  const shopper = clientOf(workspace, { app: "ec", companyId: demo.company.id });
  const online = await productsOf(workspace, [demo.stores.honten.id, demo.stores.soko.id], true);

  const idOf = (step: Step, part = "") => eventIdFor(startedAt + step.at, `soak/${seed}/${step.n}${part}`);
  const real = (products: Product[], lines: Line[]) =>
    lines.map(({ product, qty }) => ({ product: products[product % products.length]!, qty }));

  /** What was sold, by its step. */
  const sales = new Map<number, Outcome>();

  async function sell(step: Extract<Step, { kind: "sale" }>): Promise<Outcome> {
    const till = tills[step.till % tills.length]!;
    const saleId = idOf(step);
    const lines = real(till.products, step.lines).map(({ product, qty }) => ({ productId: product.id, qty }));
    const answer = await insist(() =>
      till.api.completeSale({
        body: {
          saleId,
          lines,
          payments: [{ method: "cash", tenderedYen: 50_000_000 }],
          ...(step.mail ? { email: `soak-${seed}-${step.n}@shopper.example` } : {}),
        },
      }),
    );
    const outcome = {
      step,
      id: saleId,
      lines,
      moved: lines.map(({ productId, qty }) => ({ productId, qty: -qty })),
      cashYen: answer.value?.totalYen ?? 0,
      ...answer.outcome,
    };
    sales.set(step.n, outcome);
    return outcome;
  }

  /** Of a sale that was never made, or is not yet, nothing can come back: the till would have no receipt to scan. */
  async function refund(step: Extract<Step, { kind: "refund" }>): Promise<Outcome> {
    const refundId = idOf(step);
    const sale = sales.get(step.sale);
    if (sale?.result !== "accepted")
      return {
        step,
        id: refundId,
        result: "refused",
        why: `#${step.sale} was not sold`,
        lines: [],
        moved: [],
        cashYen: 0,
        sent: 0,
      };
    const goods = step.lines.map(({ lineNo, qty, restock }) => ({
      ...sale.lines[lineNo - 1]!,
      qty,
      restock,
    }));
    const answer = await insist(() =>
      tills[step.till % tills.length]!.api.refundSale({
        body: { refundId, saleId: sale.id, lines: step.lines, reason: "soak" },
      }),
    );
    return {
      step,
      id: refundId,
      aggregate: sale.id,
      lines: goods.map(({ productId, qty }) => ({ productId, qty })),
      moved: goods.flatMap(({ productId, qty, restock }) => (restock ? [{ productId, qty }] : [])),
      cashYen: -(answer.value?.totalYen ?? 0),
      ...answer.outcome,
    };
  }

  /**
   * From the offer to the money, or to the seller's going home with the goods: because they want to, or because the law
   * asks who they are and they do not say.
   */
  async function buy(step: Extract<Step, { kind: "buyback" }>): Promise<Outcome> {
    const { api, products, unseen } = tills[step.till % tills.length]!;
    const buybackId = idOf(step);
    const goods = real([...products, ...unseen], step.lines);
    const lines = goods.map(({ product, qty }) => ({ productId: product.id, qty }));
    const due = pieces(lines) * step.unitYen >= 10_000 || goods.some(({ product }) => product.identityAlways);
    let sent = 0;
    const say = async <T>(ask: () => Promise<T>) => {
      const answer = await insist(ask);
      sent = Math.max(sent, answer.outcome.sent);
      return answer;
    };
    const ended = (outcome: Pick<Outcome, "result" | "why" | "wrong">): Outcome => ({
      step,
      id: buybackId,
      lines,
      moved: [],
      cashYen: 0,
      ...outcome,
      sent,
    });
    const decline = async (why: string): Promise<Outcome> => {
      const body = { buybackId, reason: "soak" };
      const answer = await say(() => api.declineBuyback({ idempotencyKey: idOf(step, "/decline"), body }));
      return ended(answer.value ? { result: "refused", why } : answer.outcome);
    };

    const offer = await say(() =>
      api.appraiseBuyback({
        body: {
          buybackId,
          lines: goods.map(({ product: { itemId, condition }, qty }) => ({
            itemId,
            condition,
            qty,
            unitPriceYen: step.unitYen,
          })),
        },
      }),
    );
    if (!offer.value) return ended(offer.outcome);
    if (step.seller === "unwilling") return decline("the seller declined");
    const agreement = { idempotencyKey: idOf(step, "/agreement"), body: { buybackId } };
    const agreed = await say(() => api.agreeBuyback(agreement));
    if (!agreed.value) return ended(agreed.outcome);
    if (step.seller === "named") {
      const named = await say(() =>
        api.identifySeller({ body: { ...seller, identityId: idOf(step, "/identity"), buybackId } }),
      );
      if (!named.value) return ended(named.outcome);
    }
    const paid = await say(() => api.payOutBuyback({ body: { payoutId: idOf(step, "/payout"), buybackId } }));
    const unpaid = paid.outcome.why?.endsWith("identity_missing") ?? false;
    const lacking = due && step.seller === "unnamed";
    if (unpaid !== lacking && paid.outcome.result !== "unanswered") {
      const wrong = `the seller was ${step.seller}, identity was ${due ? "" : "not "}a duty, and the shop ${unpaid ? "refused" : "paid"}`;
      return ended({ ...paid.outcome, wrong });
    }
    if (unpaid) return decline("identity_missing");
    if (!paid.value) return ended(paid.outcome);
    return { ...ended(paid.outcome), moved: lines, cashYen: -paid.value.totalYen };
  }

  async function receive(step: Extract<Step, { kind: "receive" }>): Promise<Outcome> {
    const till = tills[step.till % tills.length]!;
    const lines = real(till.products, step.lines).map(({ product, qty }) => ({ productId: product.id, qty }));
    const answer = await insist(() =>
      till.api.receiveStock({
        idempotencyKey: idOf(step),
        body: {
          supplierName: `soak ${step.n}`,
          lines: lines.map(({ productId, qty }) => ({ productId, qty, unitCostYen: 100 })),
        },
      }),
    );
    return {
      step,
      id: answer.value?.receivingId ?? "",
      lines,
      moved: lines,
      cashYen: 0,
      ...answer.outcome,
    };
  }

  async function order(step: Extract<Step, { kind: "order" }>): Promise<Outcome> {
    const orderId = idOf(step);
    const goods = real(online, step.lines);
    const answer = await insist(() =>
      shopper.placeOrder({
        body: {
          orderId,
          lines: goods.map(({ product, qty }) => ({
            itemId: product.itemId,
            condition: product.condition,
            qty,
          })),
          shipTo: {
            name: "山田 太郎",
            postalCode: "100-0001",
            prefecture: "東京都",
            city: "千代田区",
            line1: "千代田1-1",
            phone: "03-1234-5678",
          },
          email: `soak-${seed}-${step.n}@shopper.example`,
          method: "bank_transfer",
        },
      }),
    );
    const lines = goods.map(({ product, qty }) => ({ productId: product.id, qty }));
    return { step, id: orderId, lines, moved: [], cashYen: 0, ...answer.outcome };
  }

  /** The buyer's form at the mall. It is asked once: the mall is not ours, and a second time would be a second order. */
  async function mall(step: Extract<Step, { kind: "mall" }>): Promise<Outcome> {
    const [goods] = real(online, [{ product: step.product, qty: step.qty }]);
    const { product, qty } = goods!;
    const response = await fetch(`${workspace.mallUrl}/orders`, {
      method: "POST",
      redirect: "manual",
      // The mall would close a connection that is kept, perhaps just when the next order is on it; no order is sent twice.
      headers: { origin: workspace.mallUrl, connection: "close" },
      body: new URLSearchParams({
        itemCode: product.code,
        condition: product.condition,
        qty: String(qty),
        unitYen: "300",
        name: "山田 太郎",
        email: "buyer@mall.example",
      }),
    });
    const no = /done=([^&]+)/.exec(response.headers.get("location") ?? "")?.[1];
    return {
      step,
      id: no ?? "",
      result: no ? "accepted" : "refused",
      ...(no ? {} : { why: String(response.status) }),
      lines: [{ productId: product.id, qty }],
      moved: [],
      cashYen: 0,
      sent: 1,
    };
  }

  return {
    do(step) {
      switch (step.kind) {
        case "sale":
          return sell(step);
        case "refund":
          return refund(step);
        case "buyback":
          return buy(step);
        case "receive":
          return receive(step);
        case "order":
          return order(step);
        case "mall":
          return mall(step);
        default:
          return step satisfies never;
      }
    },
  };
}

const seller = {
  name: "山田 花子",
  address: "東京都千代田区千代田1-1",
  occupation: "会社員",
  birthDate: "1990-04-01",
  documentKind: "driving_licence",
  documentNo: "012345678901",
} as const;

type Register = (typeof demo.registers)[number];

async function openTill(workspace: Workspace, register: Register): Promise<ApiClient> {
  const device = clientOf(workspace, { app: "pos" });
  const person = demo.staff.find(({ stores }) => stores.some((code) => code === register.store))!;
  const { deviceToken } = await device.enrolDevice({ body: { code: register.enrolmentCode } });
  const {
    company,
    store,
    register: own,
    staff,
    session,
  } = await device.signIn({
    body: { deviceToken, staffCode: person.code, pin: person.pin },
  });
  const till = clientOf(workspace, {
    app: "pos",
    companyId: company.id,
    storeId: store.id,
    registerId: own.id,
    staffId: staff.id,
  });
  if (!session) await till.openRegister({ idempotencyKey: register.id, body: { floatYen: 50_000 } });
  return till;
}

function clientOf(workspace: Workspace, claims: ServiceClaims): ApiClient {
  return apiClient({
    baseUrl: workspace.apiUrl,
    token: () => signServiceToken(workspace.serviceTokenKey, claims),
    // Short, so that a frozen service is asked again while it is frozen.
    timeoutMs: 5000,
  });
}

/** The products with the most on hand, in an order that is the same on every start. */
function productsOf(workspace: Workspace, storeIds: string[], online = false): Promise<Product[]> {
  return workspace.rows<Product>(
    `select p.id, i.id as "itemId", p.condition, i.code, c.identity_always as "identityAlways"
     from products p join items i on i.id = p.item_id join stock_levels l on l.product_id = p.id
     join categories c on c.id = i.category_id
     where p.store_id = any($1) and p.closed_at is null and (p.online or not $2)
     order by l.available desc, p.id limit ${PRODUCTS}`,
    [storeIds, online],
  );
}

/** What the store could have and has never had, in an order that is the same on every start. */
function unseenBy(workspace: Workspace, storeId: string): Promise<Product[]> {
  return workspace.rows<Product>(
    `select concat_ws('/', s.id, i.id, ic.condition) as id, i.id as "itemId", ic.condition, i.code,
       c.identity_always as "identityAlways"
     from stores s join items i on i.company_id = s.company_id join item_conditions ic on ic.item_id = i.id
     join categories c on c.id = i.category_id
     where s.id = $1 and not exists (select from products p
       where p.store_id = s.id and p.item_id = i.id and p.condition = ic.condition)
     order by i.id, ic.condition limit ${UNSEEN}`,
    [storeId],
  );
}

/** Asks until there is a yes or a no, as a till does: the same key each time, so that asking is harmless. */
async function insist<T>(
  ask: () => Promise<T>,
): Promise<{ value?: T; outcome: Pick<Outcome, "result" | "why" | "sent"> }> {
  const until = Date.now() + PATIENCE_MS;
  for (let sent = 1; ; sent++) {
    try {
      return { value: await ask(), outcome: { result: "accepted", sent } };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { status, code } = error;
      const open = status === 0 || status >= 500 || code === "in_flight";
      if (!open) return { outcome: { result: "refused", why: `${status} ${code}`, sent } };
      if (Date.now() > until) return { outcome: { result: "unanswered", why: `${status} ${code}`, sent } };
      await pause(200);
    }
  }
}
