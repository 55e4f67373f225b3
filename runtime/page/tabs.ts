/** Tabs, as the ARIA practices have them: one in the order of Tab, the others by arrows. */
import { byId } from "./dom.ts";

const names = ["talk", "checks", "facts"] as const;
export type TabName = (typeof names)[number];

export const tabOf = (name: TabName): HTMLButtonElement => byId(`tab-${name}`, HTMLButtonElement);

export function showTab(name: TabName): void {
  for (const other of names) {
    const tab = tabOf(other);
    tab.setAttribute("aria-selected", String(other === name));
    tab.tabIndex = other === name ? 0 : -1;
    byId(other, HTMLDivElement).hidden = other !== name;
  }
}

export function tabs(): void {
  for (const name of names) {
    tabOf(name).addEventListener("click", () => showTab(name));
    tabOf(name).addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const shown = names.filter((other) => !tabOf(other).hidden);
      const next = shown[(shown.indexOf(name) + step + shown.length) % shown.length] ?? name;
      showTab(next);
      tabOf(next).focus();
    });
  }
}
