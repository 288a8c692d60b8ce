import type { Sourced } from "remark-lint-claude-md";
import { alarmTable } from "./block-alarms.ts";
import { environmentTable } from "./block-environments.ts";
import { eventTable } from "./block-events.ts";
import { mappingTable } from "./block-mappings.ts";
import { messageTable } from "./block-messages.ts";
import { overrideTable } from "./block-overrides.ts";
import { pipelineTable } from "./block-pipelines.ts";
import { scheduleTable } from "./block-schedule.ts";
import { secretTable } from "./block-secrets.ts";
import { serviceTable } from "./block-services.ts";
import { variableList } from "./block-variables.ts";
import type { Model } from "./model.ts";

/** The Markdown of one region for the document of `dir`; undefined where it says nothing about that directory. */
export type Block = (model: Model, dir: string) => Sourced<string> | undefined;

/** Every region by the name in its marker. */
export const blocks: Record<string, Block> = {
  services: serviceTable,
  environments: environmentTable,
  mappings: mappingTable,
  "env-diff": overrideTable,
  pipelines: pipelineTable,
  messages: messageTable,
  schedule: scheduleTable,
  variables: variableList,
  secrets: secretTable,
  alarms: alarmTable,
  events: eventTable,
};
