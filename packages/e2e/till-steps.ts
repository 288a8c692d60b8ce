import { demo } from "@noren/database/seed";
import type { Page } from "playwright-core";
import { eventually } from "./site.ts";

type Register = (typeof demo.registers)[number];
type Person = (typeof demo.staff)[number];

export function registerOf(store: Register["store"], code: string): Register {
  const found = demo.registers.find((each) => each.store === store && each.code === code);
  if (!found) throw new Error(`The demo data have no register ${code} in ${store}.`);
  return found;
}

export function staffOf(code: Person["code"]): Person {
  return demo.staff.find((each) => each.code === code)!;
}

/** From a bare browser to the sale page: enrol, sign in, open the register where it is closed. By keyboard alone. */
export async function toTheSale(page: Page, url: string, register: Register, person: Person): Promise<void> {
  await page.goto(`${url}/`);
  await page.waitForURL("**/pos/enrol");
  await typeInto(page, "#code", register.enrolmentCode);
  await page.waitForURL("**/pos/sign-in");
  await signIn(page, person);
}

async function signIn(page: Page, person: Person): Promise<void> {
  await typeInto(page, "#staffCode", person.code);
  await typeInto(page, "#pin", person.pin);
  await page.waitForURL(/\/pos\/(sale|register\/open)$/);
  if (page.url().endsWith("/register/open")) {
    await typeInto(page, "#floatYen", "50000");
    await page.waitForURL("**/pos/sale");
  }
  await page.waitForSelector("#scan:focus");
}

/** Types where the page itself has put the focus: nobody has touched a pointer. */
async function typeInto(page: Page, field: string, text: string): Promise<void> {
  await page.waitForSelector(`${field}:focus`);
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
}

/** Types a code as a scanner does and waits for the line; where the store has it in several conditions, picks one. */
export async function scan(page: Page, product: { code: string; condition: string }): Promise<void> {
  const before = await inTheBasket(page);
  await page.keyboard.type(`${product.code}\n`);
  const choice = page.locator(`.choice[data-condition="${product.condition}"]`);
  await eventually(`the line of ${product.code}`, async () => {
    if (await choice.isVisible()) await choice.click();
    return (await inTheBasket(page)) > before;
  });
}

/** Pieces in the lines; the total beside them still shows the last sale while its change is on the screen. */
function inTheBasket(page: Page): Promise<number> {
  return page
    .locator(".line-qty input")
    .evaluateAll((fields) =>
      fields.reduce((sum, field) => sum + Number((field as HTMLInputElement).value), 0),
    );
}

/** F9, what the customer hands over, Enter; resolves when the change is shown, with the sale's id. */
export async function payCash(page: Page, tendered: string, email?: string): Promise<string> {
  await page.keyboard.press("F9");
  await page.waitForSelector("#cash:visible");
  await page.keyboard.type(tendered);
  if (email) {
    await page.click("#mail summary");
    await page.fill("#email", email);
  }
  await page.keyboard.press("Enter");
  return settled(page);
}

export async function settled(page: Page, timeout = 30_000): Promise<string> {
  await page.waitForSelector("#done:visible", { timeout });
  const href = await page.getAttribute("#done-receipt", "href");
  return href!.split("/").at(-1)!;
}
