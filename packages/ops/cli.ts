#!/usr/bin/env node
import { join, resolve } from "node:path";
import { run } from "./run.ts";

// `pnpm ops` changes to the root; what the operator typed is relative to where they were.
const from = process.env["INIT_CWD"] ?? process.cwd();

process.exitCode = await run(process.argv.slice(2), {
  root: resolve(join(import.meta.dirname, "../..")),
  from,
  variables: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  note: (line) => process.stderr.write(`${line}\n`),
});
