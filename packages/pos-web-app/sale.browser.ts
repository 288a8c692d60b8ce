import {
  add,
  type Basket,
  empty,
  type Line,
  maxQty,
  pieces,
  type Product,
  quickAmounts,
  scanOf,
  select,
  setQty,
  tender,
  total,
  uuidV7,
} from "./basket.ts";
import { settle, type Settled } from "./settle.ts";

const root = byId("till");
const base = root.dataset["base"]!;
const csrf = root.dataset["csrf"]!;
// One basket per opening of the register, shared by the tabs of this device: two tabs cannot pay one basket twice.
const storeKey = `noren-till:${root.dataset["register"]!}`;

const scan = byId("scan") as HTMLInputElement;
const tendered = byId("tendered") as HTMLInputElement;
const email = byId("email") as HTMLInputElement;

let basket = load();
let mode: "ring" | "cash" | "waiting" | "done" = "ring";
let done: { sale: Settled; pieces: number } | undefined;
let choice: { products: Product[]; pick: (product: Product | undefined) => void } | undefined;

// ---------------------------------------------------------------- basket

function load(): Basket {
  try {
    const stored = JSON.parse(localStorage.getItem(storeKey) ?? "null") as Basket | null;
    if (stored?.saleId && Array.isArray(stored.lines)) return stored;
  } catch {
    // Unreadable: a new basket is better than none.
  }
  return fresh();
}

function fresh(): Basket {
  return empty(uuidV7(Date.now(), crypto.getRandomValues(new Uint8Array(10))));
}

function change(next: Basket): void {
  basket = next;
  localStorage.setItem(storeKey, JSON.stringify(next));
  draw();
}

window.addEventListener("storage", (event) => {
  if (event.key !== storeKey || mode === "waiting") return;
  basket = load();
  if (basket.pending) void pay();
  else draw();
});

// ---------------------------------------------------------------- scanning

const queue: string[] = [];
let reading = false;

byId("scan-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const raw = scan.value;
  scan.value = "";
  const scanned = scanOf(raw);
  if (scanned.kind === "nothing") return;
  // While a choice is open, one or two digits are the number of an option: a code is longer, and queues behind.
  const option =
    choice && scanned.kind === "code" && /^\d{1,2}$/.test(scanned.code) ? Number(scanned.code) : 0;
  if (choice && option >= 1 && option <= choice.products.length)
    return choice.pick(choice.products[option - 1]);
  if (scanned.kind === "second-row")
    return note("書籍の下段のバーコードです。上段(978…)をスキャンしてください。", "warning");
  queue.push(scanned.code);
  void readQueue();
});

/** Codes are looked up one after the other: lines come in the order of the scans, however fast they were. */
async function readQueue(): Promise<void> {
  if (reading) return;
  reading = true;
  let missed = false;
  for (let code = queue.shift(); code !== undefined; code = queue.shift()) {
    const product = await lookUp(code);
    // A sale that is being recorded must not change: what is scanned meanwhile belongs to the next customer.
    await notRecording();
    if (product) addLine(product);
    else missed = true;
  }
  reading = false;
  if (payWanted && !missed) openCash();
  payWanted = false;
}

async function lookUp(code: string): Promise<Product | undefined> {
  const known = singles.has(code) ? basket.lines.find((line) => line.code === code) : undefined;
  if (known) return known;
  const response = await fetch(`${base}/sale/lookup?code=${encodeURIComponent(code)}`, {
    headers: { accept: "application/json" },
  }).catch(() => undefined);
  if (response?.status === 401) return signedOut();
  if (!response?.ok) {
    note(`「${code}」を調べられませんでした。通信を確かめて、もう一度スキャンしてください。`, "error");
    return undefined;
  }
  const { by, products } = (await response.json()) as { by: "code" | "search"; products: Product[] };
  if (products.length === 0) {
    note(`「${code}」は商品にありません。コードを確かめるか、商品名の2文字以上で探してください。`, "error");
    return undefined;
  }
  if (products.length === 1 && by === "code") {
    singles.add(code);
    return products[0];
  }
  return choose(products, by === "code" ? "状態を選んでください" : "商品を選んでください");
}

/** Codes known to stand for one product: scanned again, they need no look-up. */
const singles = new Set<string>();

function addLine(product: Product): void {
  if (mode !== "ring") show("ring");
  change(add(basket, product));
  const line = basket.lines[basket.selected];
  note(line ? `${product.name} ${yen(product.priceYen)}${line.qty > 1 ? ` × ${line.qty}` : ""}` : "", "ok");
}

// ---------------------------------------------------------------- choosing

function choose(products: Product[], title: string): Promise<Product | undefined> {
  const panel = byId("choices");
  panel.replaceChildren(
    element("h2", "", title),
    ...products.map((product, index) => {
      const button = element("button", "choice");
      (button as HTMLButtonElement).type = "button";
      button.dataset["condition"] = product.condition.code;
      button.append(
        element("span", "choice-no", String(index + 1)),
        named(product),
        element("span", "choice-stock", `在庫 ${product.available}`),
        element("span", "money", yen(product.priceYen)),
      );
      button.addEventListener("click", () => choice?.pick(product));
      return button;
    }),
    element("p", "hint", "番号を入力して Enter、または押してください。Esc でやめます。"),
  );
  panel.hidden = false;
  return new Promise((resolve) => {
    choice = {
      products,
      pick(product) {
        choice = undefined;
        panel.hidden = true;
        scan.focus();
        resolve(product);
      },
    };
  });
}

// ---------------------------------------------------------------- paying

byId("pay").addEventListener("click", () => openCash());
byId("back").addEventListener("click", () => show("ring"));
tendered.addEventListener("input", () => drawChange());

/** Opens the payment; where scans are still being looked up, right after the last of them. */
let payWanted = false;
function openCash(): void {
  payWanted = reading;
  if (reading || basket.lines.length === 0 || mode === "waiting") return;
  tendered.value = "";
  byId("quick").replaceChildren(
    ...quickAmounts(total(basket)).map((amount, index) => {
      const button = element("button", "button", index === 0 ? "ちょうど" : yen(amount));
      (button as HTMLButtonElement).type = "button";
      button.addEventListener("click", () => {
        tendered.value = String(amount);
        drawChange();
      });
      return button;
    }),
  );
  show("cash");
  drawChange();
}

byId("cash").addEventListener("submit", (event) => {
  event.preventDefault();
  if (mode !== "cash") return;
  const paid = tender(total(basket), tendered.value);
  if (!paid.ok) return note(paid.why, "error");
  change({ ...basket, pending: { tenderedYen: paid.tenderedYen, email: email.value.trim() } });
  void pay();
});

/** Sends the pending sale until it is known what became of it. A reload in between comes back here. */
async function pay(): Promise<void> {
  if (mode === "waiting") return;
  show("waiting");
  byId("waiting-text").textContent = "会計を記録しています…";
  const outcome = await settle(basket, {
    send: (body) =>
      fetch(`${base}/sale`, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json", "x-csrf-token": csrf },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(15_000),
      }),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    onRepeat: (attempt) => {
      byId("waiting-text").textContent =
        `サーバーの返事を待っています(${attempt}回目)。そのままお待ちください。この会計が二重に記録されることはありません。`;
    },
  });
  if (outcome.kind === "settled") {
    done = { sale: outcome.sale, pieces: pieces(basket) };
    change(fresh());
    show("done");
    drawDone(outcome.sale);
  } else if (outcome.kind === "refused") {
    change({ ...basket, pending: null });
    show("ring");
    note(outcome.message, "error");
  } else {
    return signedOut();
  }
  for (const resume of whenRecorded) resume();
  whenRecorded = [];
}

let whenRecorded: (() => void)[] = [];
async function notRecording(): Promise<void> {
  if (mode === "waiting") await new Promise<void>((resolve) => whenRecorded.push(resolve));
}

function signedOut(): undefined {
  note("サインインの期限が切れました。会計の内容は残っています。", "error");
  const link = document.createElement("a");
  link.href = `${base}/sign-in`;
  link.textContent = "サインインする";
  byId("note").append(" ", link);
  if (mode === "waiting") byId("waiting-text").textContent = "サインインすると、会計の続きから始まります。";
}

// ---------------------------------------------------------------- keys

document.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const act = keys[event.key];
  if (act && !event.ctrlKey && !event.altKey && !event.metaKey) {
    if (act(event)) event.preventDefault();
    return;
  }
  // Any other key belongs to the field of the moment, wherever the focus has strayed.
  if (event.key.length === 1 && !(document.activeElement instanceof HTMLInputElement)) field().focus();
});

const keys: Record<string, (event: KeyboardEvent) => boolean> = {
  F9: () => {
    if (mode === "ring") openCash();
    else if (mode === "cash") (byId("cash") as HTMLFormElement).requestSubmit();
    return true;
  },
  F4: () => {
    const input = document.querySelector<HTMLInputElement>(".line.selected .line-qty input");
    if (mode === "ring") input?.select();
    return true;
  },
  F2: () => {
    show("ring");
    return true;
  },
  Escape: () => {
    if (choice) choice.pick(undefined);
    else if (mode === "cash") show("ring");
    else if (document.activeElement !== scan) draw();
    else scan.value = "";
    field().focus();
    return true;
  },
  ArrowUp: (event) => move(event, -1),
  ArrowDown: (event) => move(event, 1),
};

function move(event: KeyboardEvent, by: number): boolean {
  if (mode !== "ring" || event.target !== scan || basket.lines.length === 0) return false;
  change(select(basket, basket.selected + by));
  return true;
}

// Buttons are for fingers: pressing one must not take the focus out of the field.
root.addEventListener("mousedown", (event) => {
  if ((event.target as Element).closest("button, .line")) event.preventDefault();
});
root.addEventListener("click", (event) => {
  const key = (event.target as Element).closest<HTMLElement>("[data-key]")?.dataset["key"];
  if (key === undefined) return;
  if (key === "⌫") tendered.value = tendered.value.slice(0, -1);
  else tendered.value += key;
  drawChange();
});

function field(): HTMLInputElement {
  return mode === "cash" ? tendered : scan;
}

// ---------------------------------------------------------------- drawing

function show(next: typeof mode): void {
  mode = next;
  for (const id of ["ring", "cash", "waiting", "done"]) byId(id).hidden = id !== next;
  root.dataset["mode"] = next;
  note("", "ok");
  draw();
  if (next === "cash") tendered.focus();
  else scan.focus();
}

function draw(): void {
  const after = mode === "done" ? done : undefined;
  byId("total").textContent = yen(after?.sale.totalYen ?? total(basket));
  byId("pieces").textContent = String(after?.pieces ?? pieces(basket));
  (byId("pay") as HTMLButtonElement).disabled = basket.lines.length === 0;
  byId("empty").hidden = basket.lines.length > 0;
  byId("lines").replaceChildren(...basket.lines.map(drawLine));
  byId("lines").querySelector(".selected")?.scrollIntoView({ block: "nearest" });
}

function drawLine(line: Line, at: number): HTMLElement {
  const row = element("li", at === basket.selected ? "line selected" : "line");
  const quantity = element("div", "line-qty");
  const input = document.createElement("input");
  input.value = String(line.qty);
  input.inputMode = "numeric";
  input.maxLength = 3;
  input.setAttribute("aria-label", `${line.name}の数量`);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    scan.focus();
  });
  input.addEventListener("change", () => {
    const qty = input.value.normalize("NFKC").trim();
    change(/^\d+$/.test(qty) && Number(qty) <= maxQty ? setQty(basket, at, Number(qty)) : basket);
    scan.focus();
  });
  quantity.append(
    step("−", `${line.name}を1つ減らす`, () => setQty(basket, at, line.qty - 1)),
    input,
    step("+", `${line.name}を1つ増やす`, () => setQty(basket, at, line.qty + 1)),
  );
  const remove = step("✕", `${line.name}を取り消す`, () => setQty(basket, at, 0));
  remove.classList.add("line-remove");
  const unit = element("span", "line-unit money", yen(line.priceYen));
  row.append(
    named(line),
    unit,
    quantity,
    element("span", "line-amount money", yen(line.priceYen * line.qty)),
    remove,
  );
  row.addEventListener("click", (event) => {
    if (!(event.target as Element).closest("button, input")) change(select(basket, at));
  });
  return row;
}

function step(label: string, name: string, next: () => Basket): HTMLElement {
  const button = element("button", "step", label) as HTMLButtonElement;
  button.type = "button";
  button.setAttribute("aria-label", name);
  button.addEventListener("click", () => {
    if (mode === "ring") change(next());
  });
  return button;
}

function named(product: Product): HTMLElement {
  const box = element("span", "line-name", product.name);
  box.append(
    element(
      "small",
      "",
      `${product.condition.name}${product.ratePct === 8 ? "・軽減税率 8%" : ""}・${product.code}`,
    ),
  );
  return box;
}

function drawChange(): void {
  const paid = tender(total(basket), tendered.value);
  byId("change").textContent = paid.ok ? yen(paid.changeYen) : "—";
  byId("change").classList.toggle("short", !paid.ok);
  note(paid.ok ? "" : paid.why, "warning");
}

function drawDone(sale: Settled): void {
  byId("done-change").textContent = yen(sale.changeYen);
  const facts: [string, string][] = [
    ["合計", yen(sale.totalYen)],
    ["お預かり", yen(sale.tenderedYen)],
    ["レシート", sale.receiptNo],
    ...(sale.email ? ([["メール", sale.email]] as [string, string][]) : []),
  ];
  byId("done-text").replaceChildren(
    ...facts.flatMap(([name, value]) => [element("dt", "", name), element("dd", "", value)]),
  );
  (byId("done-receipt") as HTMLAnchorElement).href = `${base}/sales/${sale.saleId}`;
  email.value = "";
  (byId("mail") as HTMLDetailsElement).open = false;
}

function note(text: string, kind: "ok" | "warning" | "error"): void {
  const box = byId("note");
  box.className = text ? `note note-${kind}` : "note";
  box.textContent = text;
}

function yen(amount: number): string {
  return `¥${amount.toLocaleString("ja-JP")}`;
}

function element(tag: string, className: string, text?: string): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The sale page has no element #${id}.`);
  return found;
}

show("ring");
if (basket.pending) void pay();
