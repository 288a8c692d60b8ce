import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readWorkspace, resolve } from "copilot-manifest";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const workspace = readWorkspace(root);
const bootstrap = readFileSync(join(root, "copilot/bootstrap.sh"), "utf8");
const domain = /^domain=(\S+)$/m.exec(bootstrap)?.[1] ?? "";

test.each(workspace.environments)(
  "in %s the link of an order's mail leads to the storefront's own name, and the sender is of our domain",
  (environment) => {
    const { workloads } = resolve(workspace, environment);
    const find = (name: string) => workloads.find((workload) => workload.name === name);
    const [alias] = find("ec-web-app")?.http?.alias ?? [];
    const { STOREFRONT_URL, MAIL_FROM } = find("worker-notification")?.variables ?? {};
    expect(alias?.endsWith(`.${domain}`)).toBe(true);
    expect(STOREFRONT_URL).toEqual({ value: `https://${alias}` });
    expect(MAIL_FROM).toEqual({ value: `noren@${environment}.${domain}` });
  },
);
