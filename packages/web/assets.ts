import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Context } from "hono";

/** One static file. `body` may be read late: most of the 120 font files are never asked for. */
export type Asset = { name: string; type: string; body: Buffer | (() => Promise<Buffer>); version?: string };

export type Assets = {
  /** The address of a file; it holds the version, so that browsers may keep it for ever. */
  url(name: string): string;
  /** Answers `GET <base>/assets/:version/*`. */
  serve(c: Context): Promise<Response>;
  /** The route to register `serve` under. */
  route: string;
};

/**
 * Static files below `<base>/assets/<version>/`, where the version is a hash of all of them: relative imports between
 * scripts and from style to font just work, and a new release never meets an old file.
 */
export function assets(base: string, files: readonly Asset[]): Assets {
  const hash = createHash("sha256");
  for (const file of files)
    hash.update(file.name).update(typeof file.body === "function" ? (file.version ?? "") : file.body);
  const version = hash.digest("hex").slice(0, 12);
  const byName = new Map(files.map((file) => [file.name, file]));
  const packed = new Map<string, Promise<Buffer>>();
  const prefix = `${base}/assets/${version}/`;

  return {
    route: `${base}/assets/*`,
    url(name) {
      if (!byName.has(name))
        throw new Error(`No asset is called "${name}". Known: ${[...byName.keys()].slice(0, 9).join(", ")}.`);
      return prefix + name;
    },
    async serve(c) {
      const name = c.req.path.startsWith(prefix) ? c.req.path.slice(prefix.length) : "";
      const file = byName.get(name);
      // An old version is gone, not forwarded: its page is old too and must be loaded again.
      if (!file) return c.notFound();
      const headers = {
        "content-type": file.type,
        "cache-control": "public, max-age=31536000, immutable",
        vary: "accept-encoding",
      };
      const encoding = isText(file.type) ? accepted(c.req.header("accept-encoding")) : undefined;
      const key = `${encoding ?? "plain"} ${name}`;
      const body = packed.get(key) ?? read(file, encoding);
      packed.set(key, body);
      return c.body(
        new Uint8Array(await body),
        200,
        encoding ? { ...headers, "content-encoding": encoding } : headers,
      );
    },
  };
}

async function read(file: Asset, encoding: "br" | "gzip" | undefined): Promise<Buffer> {
  const body = typeof file.body === "function" ? await file.body() : file.body;
  if (encoding === "br")
    return promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
  return encoding === "gzip" ? promisify(gzip)(body, { level: 9 }) : body;
}

function accepted(header = ""): "br" | "gzip" | undefined {
  if (/\bbr\b/.test(header)) return "br";
  return /\bgzip\b/.test(header) ? "gzip" : undefined;
}

function isText(type: string): boolean {
  return /^(text|application|image\/svg)/.test(type);
}
