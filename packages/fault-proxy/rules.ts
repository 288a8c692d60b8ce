/** What happens to a call. */
export type Fault =
  /** Answered with an error; never delivered. */
  | { kind: "error"; status: number; code: string; message?: string }
  /** Neither delivered nor answered: the client runs into its own time-out. */
  | { kind: "silence" }
  /** Delivered, but the answer never arrives: the connection is cut, or (`silently`) nothing comes. */
  | { kind: "lose"; silently?: boolean }
  /** Delivered, or answered, so much later. */
  | { kind: "delay"; ms: number; of: "call" | "answer" }
  /** Delivered so many times (default 2), one after the other; the last answer is given. */
  | { kind: "repeat"; times?: number }
  /** Of a batch call some entries fail; the others are delivered. `chance` and `match` of the rule are asked per entry. */
  | { kind: "partial"; code: string; senderFault: boolean; message?: string };

export type Rule = {
  /** AWS actions, such as PublishBatch; default all. */
  actions?: string[];
  /** Only calls (`partial`: entries) with this in their text; form-encoded calls are decoded before. */
  match?: string | RegExp;
  /** 0–1, default 1. */
  chance?: number;
  /** Leaves the first so many matching calls alone. */
  skip?: number;
  /** Ends after so many faults; default never. */
  times?: number;
  fault: Fault;
};

/** A rule at work. */
export type ActiveRule = Rule & {
  /** Faults that it has caused. */
  used: number;
  seen: number;
};

/** Whether a rule is about a text of this action, and has its turn. */
function applies(rule: ActiveRule, action: string, text: string): boolean {
  if (rule.used >= (rule.times ?? Infinity)) return false;
  if (rule.actions && !rule.actions.includes(action)) return false;
  if (rule.match instanceof RegExp)
    return new RegExp(rule.match.source, rule.match.flags.replaceAll(/[gy]/g, "")).test(text);
  return rule.match === undefined || text.includes(rule.match);
}

/** Decides for one call, or one entry of it, and counts. */
export function strikes(rule: ActiveRule, action: string, text: string, random: () => number): boolean {
  if (!applies(rule, action, text)) return false;
  rule.seen += 1;
  if (rule.seen <= (rule.skip ?? 0)) return false;
  if (rule.chance !== undefined && random() >= rule.chance) return false;
  rule.used += 1;
  return true;
}
