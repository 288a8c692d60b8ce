export { defineConfig, type Config, type VariableSource } from "./config.ts";
