import { readFileSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire, stripTypeScriptTypes } from "node:module";
import { basename, dirname, join } from "node:path";
import type { Asset } from "./assets.ts";

const types: Record<string, string> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** A file of a package as it stands, e.g. `fileAsset(new URL("./till.css", import.meta.url))`. */
export function fileAsset(url: URL): Asset {
  const name = basename(url.pathname);
  const type = types[name.slice(name.lastIndexOf(".") + 1)];
  if (!type) throw new Error(`${name} has no known content type: add its ending to packages/web/files.ts.`);
  return { name, type, body: readFileSync(url) };
}

/**
 * A browser module written in TypeScript, with its types taken out at start: nothing is bundled, so what runs in the
 * browser is the file in the package, line for line. Imports between them keep their `.ts` names.
 */
export function scriptAsset(url: URL): Asset {
  const body = withoutWarning(() => stripTypeScriptTypes(readFileSync(url, "utf8")));
  return { name: basename(url.pathname), type: types["js"]!, body: Buffer.from(body) };
}

/** The style that both apps share. */
export function norenStyle(): Asset {
  return fileAsset(new URL("./noren.css", import.meta.url));
}

/**
 * Noto Sans JP as about 120 small files, each named with the characters it holds: a browser fetches those it needs and
 * only where the device has no Japanese font of its own (see `--font` in noren.css). No CDN learns who visits the shop.
 */
export function fontAssets(): Asset[] {
  const css = createRequire(import.meta.url).resolve("@fontsource-variable/noto-sans-jp/wght.css");
  const folder = join(dirname(css), "files");
  const faces = readFileSync(css, "utf8")
    .replaceAll(/\/\*.*?\*\/\n/g, "")
    .replaceAll(/\n\s*/g, "")
    .replaceAll("Noto Sans JP Variable", "Noren Sans")
    .replaceAll("./files/", "font/");
  const files = readdirSync(folder)
    .filter((name) => name.endsWith("-wght-normal.woff2"))
    .map((name) => ({
      name: `font/${name}`,
      type: "font/woff2",
      version: name,
      body: () => readFile(join(folder, name)),
    }));
  return [{ name: "font.css", type: types["css"]!, body: Buffer.from(faces) }, ...files];
}

/** Node calls type stripping experimental on stderr; our logs are JSON lines and read by machines. */
function withoutWarning<T>(work: () => T): T {
  const before = Object.getOwnPropertyDescriptor(process, "emitWarning")!;
  process.emitWarning = () => {};
  try {
    return work();
  } finally {
    Object.defineProperty(process, "emitWarning", before);
  }
}
