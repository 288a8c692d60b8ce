/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import type { Child, PropsWithChildren } from "hono/jsx";
import { yen } from "./format.ts";
import type { Flash, Session } from "./session.ts";

type DocumentProps = PropsWithChildren<{
  title: string;
  /** Addresses of the style sheets, in order. */
  styles: string[];
  /** The font's sheet; it comes last in the body, so that the first paint does not wait for its 28 kB of ranges. */
  font: string;
  script?: { src: string; nonce: string };
  class?: string;
  description?: string;
}>;

/** A whole HTML page. */
export function Document(props: DocumentProps) {
  return (
    <html lang="ja">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="theme-color" content="#1f3d68" />
        {props.description ? <meta name="description" content={props.description} /> : null}
        <title>{props.title}</title>
        <link rel="icon" href={icon} />
        {props.styles.map((href) => (
          <link rel="stylesheet" href={href} />
        ))}
        {props.script ? <script type="module" src={props.script.src} nonce={props.script.nonce} /> : null}
      </head>
      <body class={props.class}>
        {props.children}
        <link rel="stylesheet" href={props.font} />
      </body>
    </html>
  );
}

/** A curtain of three panels, the shop's mark. */
const icon = `data:image/svg+xml,${encodeURIComponent(
  "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect y='3' width='32' height='4' rx='2' fill='#8a6a3b'/><path d='M2 7h9v20H2zm10 0h8v20h-8zm9 0h9v20h-9z' fill='#1f3d68'/><circle cx='16' cy='16' r='4.5' fill='#fff'/></svg>",
)}`;

/** The hidden field that proves that a form is ours. */
export function CsrfField({ session }: { session: Session<object> }) {
  return <input type="hidden" name="_csrf" value={session.csrf} />;
}

/** A message; errors and warnings interrupt a screen reader, good news waits for its turn. */
export function Alert({ kind, children }: PropsWithChildren<{ kind: Flash["kind"] }>) {
  const mark = { ok: "✓", warning: "!", error: "!" }[kind];
  return (
    <div class={`alert alert-${kind}`} role={kind === "ok" ? "status" : "alert"}>
      <span class="alert-mark" aria-hidden="true">
        {mark}
      </span>
      <div>{children}</div>
    </div>
  );
}

type FieldProps = {
  label: string;
  name: string;
  value?: string | undefined;
  type?: string;
  error?: string | undefined;
  hint?: string;
  required?: boolean;
  class?: string;
  autocomplete?: string;
  inputmode?: "numeric" | "tel" | "email" | "text" | "none" | "decimal";
  maxlength?: number;
  autofocus?: boolean;
  children?: Child;
};

/** A labelled input with its hint and its error, tied together for screen readers. `children` replaces the input. */
export function Field(props: FieldProps) {
  const { name, label, error, hint } = props;
  const described = [hint ? `${name}-hint` : "", error ? `${name}-error` : ""].filter(Boolean).join(" ");
  return (
    <div class={`field ${error ? "field-wrong" : ""} ${props.class ?? ""}`}>
      <label for={name}>
        {label}
        {props.required === false ? <span class="optional">任意</span> : null}
      </label>
      {hint ? (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      ) : null}
      {props.children ?? (
        <input
          id={name}
          name={name}
          type={props.type ?? "text"}
          value={props.value ?? ""}
          required={props.required !== false}
          autocomplete={props.autocomplete ?? "off"}
          inputmode={props.inputmode}
          maxlength={props.maxlength}
          autofocus={props.autofocus}
          aria-invalid={error ? "true" : undefined}
          aria-describedby={described || undefined}
        />
      )}
      {error ? (
        <p class="field-error" id={`${name}-error`}>
          {error}
        </p>
      ) : null}
    </div>
  );
}

/** An amount with its figures in columns. */
export function Money({ yen: amount, class: extra }: { yen: number; class?: string }) {
  return <span class={`money ${extra ?? ""}`}>{yen(amount)}</span>;
}

/** Where the visitor stands in a row of steps. */
export function Steps({ steps, at }: { steps: string[]; at: number }) {
  return (
    <ol class="steps">
      {steps.map((step, index) => (
        <li class={index < at ? "done" : ""} aria-current={index === at ? "step" : undefined}>
          <span class="steps-no" aria-hidden="true">
            {index < at ? "✓" : index + 1}
          </span>
          {step}
        </li>
      ))}
    </ol>
  );
}
