// The broker in a process of its own, as it is in AWS: its work must not run on the measured thread.
import { buildApp } from "fauxqs";

const app = buildApp({ logger: false });
process.stdout.write(`${await app.listen({ host: "127.0.0.1", port: 0 })}\n`);
// It ends with whoever started it.
process.stdin.resume().on("end", () => process.exit(0));
