/** Tabs, as the ARIA practices have them: one in the order of Tab, the others by arrows. */
import { byId } from "./dom.ts";

/** `Name`: the id of a panel; its tab is `tab-` and that. */
export class Tabs<Name extends string> {
  readonly #names: readonly Name[];

  constructor(names: readonly Name[]) {
    this.#names = names;
    for (const name of names) {
      const tab = this.tab(name);
      tab.addEventListener("click", () => this.show(name));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        const shown = names.filter((other) => !this.tab(other).hidden);
        const next = shown[(shown.indexOf(name) + step + shown.length) % shown.length] ?? name;
        this.show(next);
        this.tab(next).focus();
      });
    }
  }

  tab(name: Name): HTMLButtonElement {
    return byId(`tab-${name}`, HTMLButtonElement);
  }

  show(name: Name): void {
    for (const other of this.#names) {
      const tab = this.tab(other);
      tab.setAttribute("aria-selected", String(other === name));
      tab.tabIndex = other === name ? 0 : -1;
      byId(other, HTMLDivElement).hidden = other !== name;
    }
  }
}
