/** What went wrong, with what can be done about it; and what to know that did not hinder. */
import { byId, element } from "./dom.ts";
import { CallError, type Fault, faultOf, wasCancelled } from "./fault.ts";
import { remedyOf } from "./remedies.ts";

const box = (): HTMLDivElement => byId("alerts", HTMLDivElement);

export const clearAlerts = (): void => box().replaceChildren();

/** Warnings stay: they are of what was loaded. */
export function clearErrors(): void {
  for (const note of box().querySelectorAll(".note:not(.warning)")) note.remove();
}

/** `title`: what could not be done. `remedy`: instead of the one by the error's code. What was cancelled is no error. */
export function showError(title: string, error: unknown, remedy?: string): void {
  const fault = error instanceof CallError ? error.fault : faultOf(error);
  if (!wasCancelled(fault)) show("note", title, fault, remedy);
}

export const showWarning = (title: string, fault: Fault): void => show("note warning", title, fault);

function show(className: string, title: string, fault: Fault, remedy = remedyOf(fault)): void {
  const note = element("div", { className });
  note.dataset["code"] = fault.code;
  const close = element("button", { text: "×" });
  close.type = "button";
  close.setAttribute("aria-label", "Dismiss");
  close.addEventListener("click", () => note.remove());
  note.append(
    element("h2", { text: title }),
    element("pre", { text: fault.message }),
    ...(remedy === "" ? [] : [element("p", { text: remedy })]),
    close,
  );
  box().append(note);
  note.scrollIntoView({ block: "nearest" });
}
