/** The design system and the safety rules that the till and the storefront share. */
export { assets, type Asset, type Assets } from "./assets.ts";
export { barcode } from "./barcode.tsx";
export { Alert, CsrfField, Document, Field, Money, Steps } from "./components.tsx";
export { coverOf, CoverPatterns, Cover } from "./cover.tsx";
export { fileAsset, fontAssets, norenStyle, scriptAsset } from "./files.ts";
export { textOf } from "./form.ts";
export { dateJa, dateTimeJa, normalizeCode, yen } from "./format.ts";
export { seal, unseal, keysOf, type Keys } from "./seal.ts";
export { type Session } from "./session.ts";
export { webApp, type WebEnv, type ErrorPage, type WebOptions } from "./web-app.ts";
