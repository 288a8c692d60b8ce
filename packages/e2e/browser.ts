import chromium from "@sparticuz/chromium";
import { chromium as playwright, type Browser } from "playwright-core";

/**
 * A headless Chromium: `CHROME_PATH` where it is set, otherwise the one that npm installed (Linux x64, with its own
 * libraries). It brings no Japanese font, which is right: the apps must serve theirs.
 */
export async function launch(): Promise<Browser> {
  const own = process.env["CHROME_PATH"];
  if (own) return playwright.launch({ executablePath: own });
  // Made for Lambda, its arguments put everything into one process: there the first context to close takes the browser along.
  const args = chromium.args.filter((arg) => arg !== "--single-process" && arg !== "--no-zygote");
  const options = { executablePath: await chromium.executablePath(), args };
  // On a machine short of memory or processor Chromium now and then dies while it starts (SIGSEGV before the first page):
  // that says nothing about Noren, so it is started once more. A browser that dies later fails its test.
  return playwright.launch(options).catch(() => playwright.launch(options));
}
