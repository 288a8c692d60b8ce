import type { CloudFormation } from "./cloud-formation.ts";
import { type Answers, ServiceError } from "./protocols.ts";
import type { Account } from "./stand-in.ts";
import type { Values } from "./template.ts";

/** What is in an account before anybody comes, and what a person's `aws` commands leave in it. */
export interface OperatedAccount {
  /** Names of IAM policies of the account. */
  policies: Set<string>;
  receiptRuleSets: Set<string>;
  /** One is active for each account and region. */
  activeRuleSet?: string;
  scanning?: unknown;
  /** Stacks that nobody can delete before that is taken away. */
  protectedStacks: Set<string>;
  /** By repository. */
  mutability: Map<string, Values>;
  lifecycles: Map<string, string>;
}

export function operatedAccount(): OperatedAccount {
  return {
    policies: new Set(),
    receiptRuleSets: new Set(),
    protectedStacks: new Set(),
    mutability: new Map(),
    lifecycles: new Map(),
  };
}

/** Answers of `first` where it has them, of the account otherwise. */
export function answeredFirst(first: Answers, account: Account): Account {
  return {
    answer: (call) => {
      const answer = call.object ? undefined : first[call.operation];
      return answer ? answer(call.input) : account.answer(call);
    },
  };
}

/** What a bootstrap script asks beside the CLI: exports, policies, the registry's settings, rules for received mail. */
export function operatorCalls(cloud: CloudFormation, state: OperatedAccount): Answers {
  const policyArn = (name: string) => `arn:aws:iam::${cloud.place.account}:policy/${name}`;
  const policy = (PolicyName: string) => ({ PolicyName, Arn: policyArn(PolicyName) });
  const repositories = () =>
    [...cloud.resources()].flatMap(([, { type, name }]) => (type === "AWS::ECR::Repository" ? [name] : []));
  const repository = (input: Values): string => {
    const name = String(input.repositoryName);
    if (repositories().includes(name)) return name;
    throw new ServiceError("RepositoryNotFoundException", `The repository ${name} does not exist.`);
  };
  return {
    ListExports: () => ({
      Exports: [...cloud.exports].map(([Name, { value, stack }]) => ({
        Name,
        Value: value,
        ExportingStackId: cloud.find(stack)?.id,
      })),
    }),
    UpdateTerminationProtection: ({ StackName, EnableTerminationProtection }) => {
      const stack = cloud.find(String(StackName));
      if (stack === undefined)
        throw new ServiceError("ValidationError", `Stack [${String(StackName)}] does not exist`);
      if (String(EnableTerminationProtection) === "true") state.protectedStacks.add(stack.name);
      else state.protectedStacks.delete(stack.name);
      return { StackId: stack.id };
    },
    ListPolicies: () => ({ IsTruncated: false, Policies: [...state.policies].map(policy) }),
    GetPolicy: ({ PolicyArn }) => {
      const name = [...state.policies].find((known) => policyArn(known) === PolicyArn);
      if (name === undefined)
        throw new ServiceError("NoSuchEntity", `Policy ${String(PolicyArn)} was not found.`, 404);
      return { Policy: policy(name) };
    },
    CreatePolicy: ({ PolicyName, PolicyDocument }) => {
      const name = String(PolicyName);
      if (state.policies.has(name)) throw new ServiceError("EntityAlreadyExists", name, 409);
      try {
        JSON.parse(String(PolicyDocument));
      } catch {
        throw new ServiceError("MalformedPolicyDocument", "Syntax errors in policy.");
      }
      state.policies.add(name);
      return { Policy: policy(name) };
    },
    PutRegistryScanningConfiguration: (input) => {
      state.scanning = input;
      return { registryScanningConfiguration: input };
    },
    DescribeRepositories: () => ({
      repositories: repositories().map((repositoryName) => ({ repositoryName })),
    }),
    PutLifecyclePolicy: (input) => {
      state.lifecycles.set(repository(input), String(input.lifecyclePolicyText));
      return { repositoryName: input.repositoryName };
    },
    PutImageTagMutability: (input) => {
      state.mutability.set(repository(input), input);
      return { repositoryName: input.repositoryName, imageTagMutability: input.imageTagMutability };
    },
    DescribeReceiptRuleSet: ({ RuleSetName }) => {
      if (!state.receiptRuleSets.has(String(RuleSetName)))
        throw new ServiceError("RuleSetDoesNotExist", `Rule set does not exist: ${String(RuleSetName)}`);
      return { Metadata: { Name: RuleSetName }, Rules: [] };
    },
    CreateReceiptRuleSet: ({ RuleSetName }) => {
      if (state.receiptRuleSets.has(String(RuleSetName)))
        throw new ServiceError("AlreadyExists", `Rule set already exists: ${String(RuleSetName)}`);
      state.receiptRuleSets.add(String(RuleSetName));
      return {};
    },
    DescribeActiveReceiptRuleSet: () =>
      state.activeRuleSet === undefined ? {} : { Metadata: { Name: state.activeRuleSet }, Rules: [] },
    SetActiveReceiptRuleSet: ({ RuleSetName }) => {
      if (!state.receiptRuleSets.has(String(RuleSetName)))
        throw new ServiceError("RuleSetDoesNotExist", `Rule set does not exist: ${String(RuleSetName)}`);
      state.activeRuleSet = String(RuleSetName);
      return {};
    },
  };
}
