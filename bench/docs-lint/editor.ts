import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node";

/** Milliseconds from a change to its diagnostics. */
export interface Latency {
  fastest: number;
  median: number;
}

/**
 * Opens the document in the root of `root` in a language server for remark and types into it.
 *
 * @param root a repository with a `.remarkrc.mjs`.
 */
export async function editorLatency(root: string, changes: number): Promise<Latency> {
  const code = `
    import { remark } from ${JSON.stringify(import.meta.resolve("remark"))};
    import { createUnifiedLanguageServer } from ${JSON.stringify(import.meta.resolve("unified-language-server"))};
    createUnifiedLanguageServer({ configurationSection: "remark", ignoreName: ".remarkignore", packageField: "remarkConfig",
      pluginPrefix: "remark", processorName: "remark", processorSpecifier: "remark", rcName: ".remarkrc", defaultProcessor: remark });`;
  const server = spawn(process.execPath, ["--input-type=module", "--eval", code, "--", "server", "--stdio"], {
    cwd: root,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const connection = createMessageConnection(
    new StreamMessageReader(server.stdout),
    new StreamMessageWriter(server.stdin),
  );
  const uri = pathToFileURL(join(root, "CLAUDE.md")).href;
  let heard: (() => void) | undefined;
  connection.onNotification("textDocument/publishDiagnostics", () => heard?.());
  connection.listen();
  const folder = { uri: pathToFileURL(root).href, name: "bench" };
  await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: folder.uri,
    capabilities: { workspace: { workspaceFolders: true } },
    workspaceFolders: [folder],
  });
  await connection.sendNotification("initialized", {});
  const text = readFileSync(join(root, "CLAUDE.md"), "utf8");
  const times: number[] = [];
  for (let version = 0; version <= changes; version++) {
    const answered = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const start = performance.now();
    if (version === 0)
      await connection.sendNotification("textDocument/didOpen", {
        textDocument: { uri, languageId: "markdown", version, text },
      });
    else
      await connection.sendNotification("textDocument/didChange", {
        textDocument: { uri, version },
        contentChanges: [{ text: `${text}\n[x](nowhere${version})\n` }],
      });
    await answered;
    if (version > 0) times.push(performance.now() - start);
  }
  await connection.sendRequest("shutdown");
  const ended = once(server, "exit");
  await connection.sendNotification("exit");
  await ended;
  connection.dispose();
  times.sort((a, b) => a - b);
  return { fastest: times[0] ?? NaN, median: times[times.length >> 1] ?? NaN };
}
