// The two forms of a batch call: AWS JSON (`Entries`) and the query protocol (`PublishBatchRequestEntries.member.1.Id`).

export type Failure = { id: string; code: string; message: string; senderFault: boolean };

/** One entry of a batch call, and its text for rules to look at. */
type Entry = { id: string; text: string };

export type Batch = {
  entries: Entry[];
  /** The call with these entries only. */
  keep(ids: Set<string>): string;
  /** The answer with these failures in it; without an answer when nothing was delivered. */
  answer(delivered: string | undefined, failures: Failure[]): string;
};

/** Reads a batch call; undefined for a call that is none. */
export function batchOf(body: string, form: boolean): Batch | undefined {
  return form ? queryBatch(body) : jsonBatch(body);
}

function jsonBatch(body: string): Batch | undefined {
  let call: { Entries?: { Id: string }[] };
  try {
    call = JSON.parse(body) as typeof call;
  } catch {
    return undefined;
  }
  const entries = call.Entries;
  if (!Array.isArray(entries)) return undefined;
  return {
    entries: entries.map((entry) => ({ id: entry.Id, text: JSON.stringify(entry) })),
    keep: (ids) => JSON.stringify({ ...call, Entries: entries.filter(({ Id }) => ids.has(Id)) }),
    answer(delivered, failures) {
      const before = JSON.parse(delivered ?? "{}") as { Successful?: object[]; Failed?: object[] };
      const failed = failures.map(({ id, code, message, senderFault }) => ({
        Id: id,
        Code: code,
        Message: message,
        SenderFault: senderFault,
      }));
      return JSON.stringify({
        ...before,
        Successful: before.Successful ?? [],
        Failed: [...(before.Failed ?? []), ...failed],
      });
    },
  };
}

const MEMBER = /^(\w+Entries)\.member\.(\d+)\.(.+)$/;

function queryBatch(body: string): Batch | undefined {
  const parameters = [...new URLSearchParams(body)];
  const members = new Map<string, { id: string; fields: [string, string][] }>();
  let list = "";
  for (const [name, value] of parameters) {
    const [, of = "", n, field = ""] = MEMBER.exec(name) ?? [];
    if (n === undefined) continue;
    list = of;
    const member = members.get(n) ?? { id: "", fields: [] };
    members.set(n, member);
    member.fields.push([field, value]);
    if (field === "Id") member.id = value;
  }
  if (members.size === 0) return undefined;
  const action = new URLSearchParams(body).get("Action") ?? "";
  return {
    entries: [...members.values()].map(({ id, fields }) => ({
      id,
      text: fields.map(([name, value]) => `${name}=${value}`).join("\n"),
    })),
    keep(ids) {
      const kept = parameters.filter(([name]) => !MEMBER.test(name));
      const left = [...members.values()].filter(({ id }) => ids.has(id));
      for (const [n, { fields }] of left.entries()) {
        for (const [field, value] of fields) kept.push([`${list}.member.${n + 1}.${field}`, value]);
      }
      return new URLSearchParams(kept).toString();
    },
    answer(delivered, failures) {
      const failed = failures
        .map(
          ({ id, code, message, senderFault }) =>
            `<member><Id>${escape(id)}</Id><Code>${escape(code)}</Code><Message>${escape(message)}</Message>` +
            `<SenderFault>${senderFault}</SenderFault></member>`,
        )
        .join("");
      const result = `${action}Result`;
      const before = delivered ?? `<${action}Response><${result}></${result}></${action}Response>`;
      const emptied = before.replace(/<Failed\s*\/>/, "<Failed></Failed>");
      return emptied.includes("<Failed>")
        ? emptied.replace("<Failed>", () => `<Failed>${failed}`)
        : emptied.replace(`</${result}>`, () => `<Failed>${failed}</Failed></${result}>`);
    },
  };
}

function escape(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
