import { copilotFacts } from "docs-facts";
import { defineConfig } from "remark-lint-claude-md";

export default defineConfig({
  // The parts that Noren is made of: they must exist, each with its document.
  required: [
    "copilot",
    "copilot/addons",
    "copilot/backend-outbox",
    "copilot/ec-web-app",
    "copilot/environments",
    "copilot/pipelines",
    "copilot/pos-web-app",
    "workers",
    "workers/ec-order",
    "workers/external-ec",
    "workers/item",
    "workers/notification",
    "workers/product",
    "workers/scheduled",
    "workers/transaction",
    "jobs",
    "jobs/daily",
    "jobs/ensure-consistency",
    "backend-services",
    "backend-services/outbox",
    "functions",
    "functions/email-webhook",
  ],
  // The last match wins.
  templates: [
    { files: ["**"], template: "docs/template-meta.md" },
    { files: ["."], template: "docs/template-root.md" },
    { files: ["packages/**"], template: "docs/template-package.md" },
    { files: ["{copilot,workers,jobs,functions,backend-services}/**"], template: "docs/template-infra.md" },
  ],
  // What the manifests, the pipelines and the packages say, nobody retypes.
  facts: [copilotFacts({ events: "packages/events" })],
  // No exception inside the repository: a rule that is wrong here is mended or set, for all to see.
  disable: "error",
  rules: {
    claims: "error",
    tree: ["error", { globs: "cover", ellipsis: "error" }],
  },
});
