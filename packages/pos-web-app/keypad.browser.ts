/** Makes keypads type into the last field that had the focus, and quick buttons fill it. */
let field: HTMLInputElement | null = null;

function isField(element: EventTarget | null): element is HTMLInputElement {
  return element instanceof HTMLInputElement && element.type !== "hidden";
}

function current(): HTMLInputElement | null {
  return field?.isConnected ? field : document.querySelector("form.door-form input:not([type=hidden])");
}

document.addEventListener("focusin", (event) => {
  if (isField(event.target)) field = event.target;
});

// Pressing a key must not take the focus out of the field.
document.addEventListener("mousedown", (event) => {
  if ((event.target as Element).closest("[data-key], [data-fill]")) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLElement>("[data-key], [data-fill]");
  const input = current();
  if (!button || !input) return;
  const { key, fill } = button.dataset;
  if (fill !== undefined) input.value = fill;
  else if (key === "⌫") input.value = input.value.slice(0, -1);
  else if (key === "消") input.value = "";
  else input.value += key;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  if (document.activeElement !== input && !matchMedia("(pointer: coarse)").matches) input.focus();
});

// Enter goes to the next empty field first: a staff card's scanner ends with Enter, and the PIN follows.
document.querySelector("form.door-form")?.addEventListener("keydown", (event) => {
  if ((event as KeyboardEvent).key !== "Enter" || !isField(event.target)) return;
  const inputs = [...(event.currentTarget as HTMLFormElement).querySelectorAll("input")].filter(isField);
  const next = inputs.find((input) => input !== event.target && input.value === "");
  if (next) {
    event.preventDefault();
    next.focus();
  }
});

for (const input of document.querySelectorAll<HTMLInputElement>("[autofocus]")) input.focus();
