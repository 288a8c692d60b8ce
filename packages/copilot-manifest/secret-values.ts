import type { Finding } from "./finding.ts";
import { at, entriesOf, textOf, walk } from "./node.ts";
import type { MapNode, Node, Workspace } from "./types.ts";

/** Forms that nothing but a credential has. */
const credentials: [string, RegExp][] = [
  ["an AWS access key", /\b(?:AKIA|ASIA)(?!\w*EXAMPLE\b)[0-9A-Z]{16}\b/],
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ["a GitHub token", /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40})/],
  ["a Stripe key", /\b[sr]k_live_[A-Za-z0-9]{16}/],
  ["a Slack token", /\bxox[abeoprs]-[A-Za-z0-9-]{20}/],
  ["a Google API key", /\bAIza[0-9A-Za-z_-]{35}\b/],
  ["a password in an address", /:\/\/[^/\s:@$]*:[^/\s:@$]+@(?!localhost|127\.)[\w.-]+/],
];

const hint =
  "Take it out, make it invalid where it was issued, and name it under `secrets` (`copilot secret init`).";

/** Keys, tokens and passwords anywhere in a manifest, as written: what comes from the environment of the CI is not here. */
export function credentialFindings(workspace: Workspace): Finding[] {
  return everyText(workspace).flatMap(({ text, place, ...where }) => {
    const [what] = credentials.find(([, form]) => form.test(text)) ?? [];
    return what ? [{ rule: "secret-value", message: `This holds ${what}.`, hint, ...where, ...place }] : [];
  });
}

const accountIn =
  /arn:aws[\w-]*:[\w-]*:[\w-]*:(\d{12}):|\b(\d{12})\.dkr\.ecr\.|\/\/sqs\.[\w.-]+\/(\d{12})\/|^(\d{12})$/;

/** Account ids, alone or in an ARN, image or queue URL: they tie the manifest to one account. */
export function accountFindings(workspace: Workspace): Finding[] {
  return everyText(workspace).flatMap(({ text, place, ...where }) => {
    if (!accountIn.test(text)) return [];
    const message = "This holds the id of an AWS account.";
    const hint =
      "Use what Copilot injects, an export (`from_cfn`), or an environment's own section with a value from the CI.";
    return [{ rule: "account-id", message, hint, ...where, ...place }];
  });
}

/** Variables with a value in the manifest whose name or value looks like a secret's. */
export function variableFindings(workspace: Workspace): Finding[] {
  return [...workspace.workloads.values()].flatMap(({ name: workload, root }) => {
    const sections = [root, ...entriesOf(at(root, "environments")).map(([, { value }]) => value)];
    return sections
      .flatMap((section) => variablesOf(section))
      .flatMap(([name, node, place]) => {
        const text = textOf(node);
        if (text === undefined || !looksSecret(name, text)) return [];
        const message = `The variable ${name} looks like a secret, and everyone who may read the task definition reads it.`;
        const advice = `Name it under \`secrets\` (\`copilot secret init --name ${name}\`).`;
        return [{ rule: "secret-variable", message, hint: advice, workload, ...place }];
      });
  });
}

function variablesOf(section: Node | undefined): [string, Node, Node["at"]][] {
  const containers = [section, ...entriesOf(at(section, "sidecars")).map(([, { value }]) => value)];
  const maps = [
    ...containers.map((container) => at(container, "variables")),
    at(section, "logging", "variables"),
    at(section, "image", "build", "args"),
  ];
  return maps.flatMap((map) =>
    entriesOf(map).map(([name, { key, value }]): [string, Node, Node["at"]] => [name, value, key]),
  );
}

const secretName =
  /(?:^|_)(?:SECRET|PASSWORD|PASSWD|PASSPHRASE|PWD|TOKEN|CREDENTIALS?|PRIVATE_KEY|API_?KEY|ACCESS_KEY|SIGNING_KEY|SESSION_KEY|ENCRYPTION_KEY|SECRET_KEY)$/i;

function looksSecret(name: string, value: string): boolean {
  const harmless = value === "" || /^(?:true|false|\d{1,6}|https?:\/\/\S*|arn:\S*|\/\S*)$/i.test(value);
  if (harmless || value.includes("${")) return false;
  return secretName.test(name) || isRandom(value);
}

/** 32 characters or more of which nearly none follows from the others: letters of both cases and digits, 4 bits each. */
function isRandom(value: string): boolean {
  if (value.length < 32 || !/^[A-Za-z0-9+/=_-]+$/.test(value) || !/\d/.test(value) || !/[A-Za-z]/.test(value))
    return false;
  const counts = new Map<string, number>();
  for (const letter of value) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  const bits = [...counts.values()].reduce((sum, count) => {
    const share = count / value.length;
    return sum - share * Math.log2(share);
  }, 0);
  return bits >= 4 || (/^[0-9a-f]+$/i.test(value) && bits >= 3.3);
}

interface Text {
  text: string;
  place: Node["at"];
  workload?: string;
  environment?: string;
}

function everyText(workspace: Workspace): Text[] {
  const texts = (root: MapNode | undefined, where: Omit<Text, "text" | "place">): Text[] =>
    [...walk(root)].flatMap((node) => {
      return node.kind === "scalar" && node.value !== null
        ? [{ text: node.text, place: node.at, ...where }]
        : [];
    });
  return [
    ...[...workspace.workloads.values()].flatMap(({ name, root }) => texts(root, { workload: name })),
    ...[...workspace.environmentManifests.values()].flatMap(({ name, root }) =>
      texts(root, { environment: name }),
    ),
    ...[...workspace.pipelines.values()].flatMap(({ root }) => texts(root, {})),
  ];
}
