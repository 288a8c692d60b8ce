import { readFileSync } from "node:fs";
import { defineConfig } from "copilot-check";

// What no manifest can say. Everything else that the check needs is read from copilot/.

const bootstrap = readFileSync(new URL("copilot/bootstrap.sh", import.meta.url), "utf8");

/** What the script that makes the application and its environments has decided. */
function decided(name: string): string {
  const value = new RegExp(`^${name}=(\\S+)$`, "m").exec(bootstrap)?.[1];
  if (value === undefined) throw new Error(`copilot/bootstrap.sh has no line ${name}=…`);
  return value;
}

const exported =
  (name: string, index = 0) =>
  (of: (name: string) => string) =>
    of(name).split(",")[index] ?? "";

export default defineConfig({
  region: decided("AWS_REGION"),
  domain: decided("domain"),
  permissionsBoundary: decided("boundary"),
  // The code of functions is packaged as it lies on disk.
  prepare: [["npx", "--yes", "pnpm@12", "--silent", "--filter", "./functions/*", "run", "build"]],
  // The tests take minutes, and were run by whoever rehearses a pipeline.
  quick: { "npm test": "npx --yes pnpm@12 --silent install --frozen-lockfile" },
  // It asks for the one secret that nobody can make up, the malls' key.
  bootstrap: { script: "copilot/bootstrap.sh", answers: ["rehearsed"] },
  // Topics before their subscribers, the API before the apps that call it.
  first: ["backend-outbox", "backend-api"],
  // `public` lives in production's network: whoever deploys it exports these from production's stack.
  after: { public: ["production"] },
  variables: {
    PRODUCTION_VPC_ID: { example: "vpc-0123456789abcdef0", from: exported("noren-production-VpcId") },
    PRODUCTION_PUBLIC_SUBNET_1: {
      example: "subnet-0123456789abcdef1",
      from: exported("noren-production-PublicSubnets"),
    },
    PRODUCTION_PUBLIC_SUBNET_2: {
      example: "subnet-0123456789abcdef2",
      from: exported("noren-production-PublicSubnets", 1),
    },
    PRODUCTION_PRIVATE_SUBNET_1: {
      example: "subnet-0123456789abcdef3",
      from: exported("noren-production-PrivateSubnets"),
    },
    PRODUCTION_PRIVATE_SUBNET_2: {
      example: "subnet-0123456789abcdef4",
      from: exported("noren-production-PrivateSubnets", 1),
    },
  },
});
