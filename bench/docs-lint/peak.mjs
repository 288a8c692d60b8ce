import { writeFileSync } from "node:fs";

// Loaded into every measured process: leaves its peak memory in kB and the processor time it took in ms.
process.on("exit", () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  writeFileSync(process.env.PEAK_FILE, `${maxRSS} ${(userCPUTime + systemCPUTime) / 1000}`);
});
