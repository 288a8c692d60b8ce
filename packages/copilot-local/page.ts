import { html } from "hono/html";
import type { State } from "./state.ts";
export function page(state: State) {
  return html`<!doctype html><title>${state.application}</title>`;
}
