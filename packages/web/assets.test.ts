import { brotliDecompressSync } from "node:zlib";
import { Hono } from "hono";
import { expect, test } from "vitest";
import { assets } from "./assets.ts";
import { fontAssets, norenStyle } from "./files.ts";

const files = assets("/pos", [norenStyle(), ...fontAssets()]);
const app = new Hono().get(files.route, (c) => files.serve(c));

test("a style is served packed, for ever, under an address that holds its version", async () => {
  expect(files.url("noren.css")).toMatch(/^\/pos\/assets\/[0-9a-f]{12}\/noren\.css$/);
  const answer = await app.request(files.url("noren.css"), { headers: { "accept-encoding": "gzip, br" } });
  expect(answer.headers.get("content-encoding")).toBe("br");
  expect(answer.headers.get("cache-control")).toContain("immutable");
  const plain = brotliDecompressSync(Buffer.from(await answer.arrayBuffer())).toString();
  expect(plain).toContain('"Noren Sans"');
});

test("every font file that the sheet names is served as woff2", async () => {
  const sheet = await (await app.request(files.url("font.css"))).text();
  const named = [...sheet.matchAll(/url\((font\/[^)]+)\)/g)].map(([, name]) => name!);
  expect(named.length).toBeGreaterThan(100);
  for (const name of named) expect(files.url(name)).toContain(name);
  const font = await app.request(files.url(named.at(-1)!));
  expect(font.headers.get("content-type")).toBe("font/woff2");
  expect(
    Buffer.from(await font.arrayBuffer())
      .subarray(0, 4)
      .toString(),
  ).toBe("wOF2");
});

test("another version, an unknown file and a way out of the folder are not found", async () => {
  for (const path of [
    "/pos/assets/000000000000/noren.css",
    files.url("noren.css") + ".map",
    files.url("noren.css").replace("noren.css", "../../package.json"),
  ])
    expect((await app.request(path)).status).toBe(404);
  expect(() => files.url("other.css")).toThrow('No asset is called "other.css"');
});
