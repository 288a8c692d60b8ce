import { grants as outbox } from "outbox";
import { grants as worker } from "worker";

// The engines' own tables (outbox, relay_member, consumer, inbox, parked, …) have no company: they carry every company's
// events, each reader only its own. A workload puts rows into the outbox and cannot read them; only the relay takes
// them out, and it sees nothing else. The two jobs may look how old the oldest row is.
export const sql = `
${outbox({ writers: "noren_app", relay: "backend_outbox" })}
${worker({ consumers: "noren_app" })}
grant select on outbox to job_daily, job_ensure_consistency;
`;
