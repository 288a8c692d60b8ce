import { writeFileSync } from "node:fs";

// Loaded into every measured process: leaves its peak memory in kB.
process.on("exit", () => writeFileSync(process.env.PEAK_FILE, String(process.resourceUsage().maxRSS)));
