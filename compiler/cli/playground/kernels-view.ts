/** The kernels of a plan, each beside the line of the text that it comes from. */
import { byId, element } from "../../../runtime/page/dom.ts";
import type { Place, PlannedKernel, PlannedPhase } from "./protocol.ts";

export interface KernelActions {
  /** Both throw CallError. */
  readonly plan: (subgroups: boolean) => Promise<readonly PlannedPhase[]>;
  readonly kernel: (name: string) => Promise<string>;
  readonly lineOf: (at: Place) => string;
  readonly point: (at: Place) => void;
  readonly failed: (error: unknown) => void;
}

export class KernelsView {
  readonly #actions: KernelActions;
  readonly #line = byId("plan-line", HTMLParagraphElement);
  readonly #phase = byId("phase", HTMLSelectElement);
  #phases: readonly PlannedPhase[] = [];
  #at: Place | null = null;

  constructor(actions: KernelActions) {
    this.#actions = actions;
    byId("plan", HTMLButtonElement).addEventListener("click", () => void this.#plan());
    this.#phase.addEventListener("change", () => this.#showPhase());
    byId("kernel-line", HTMLButtonElement).addEventListener("click", () => {
      if (this.#at !== null) actions.point(this.#at);
    });
  }

  clear(): void {
    this.#show([]);
    this.#line.textContent = "Each kernel, with the line of the text that it comes from.";
  }

  async #plan(): Promise<void> {
    const button = byId("plan", HTMLButtonElement);
    button.disabled = true;
    this.#line.textContent = "Planning…";
    const started = performance.now();
    try {
      this.#show(await this.#actions.plan(byId("subgroups", HTMLInputElement).checked));
      const kernels = new Set(this.#phases.flatMap((phase) => phase.kernels.map(({ kernel }) => kernel))).size;
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      this.#line.textContent = `${kernels} kernels in ${this.#phases.length} phases, planned in ${seconds} s.`;
    } catch (error) {
      this.clear();
      this.#actions.failed(error);
    } finally {
      button.disabled = false;
    }
  }

  #show(phases: readonly PlannedPhase[]): void {
    this.#phases = phases;
    const options = phases.map(({ phase, tokens }) => {
      const option = element("option", { text: `${phase}: ${tokens}` });
      option.value = phase;
      return option;
    });
    this.#phase.replaceChildren(...options);
    // One token is what one looks at first; before it stand phases that number rows of tables.
    this.#phase.selectedIndex = Math.max(
      0,
      phases.findIndex(({ phase }) => phase === "decode"),
    );
    byId("phase-field", HTMLDivElement).hidden = phases.length === 0;
    byId("kernel-pair", HTMLDivElement).hidden = phases.length === 0;
    byId("kernel-shown", HTMLDivElement).hidden = true;
    this.#showPhase();
  }

  #showPhase(): void {
    const phase = this.#phases[Math.max(0, this.#phase.selectedIndex)];
    const rows = (phase?.kernels ?? []).map((kernel) => {
      const row = element("tr");
      const name = element("button", { className: "quiet", text: kernel.definition });
      name.type = "button";
      name.addEventListener("click", () => void this.#showKernel(kernel, row));
      const first = element("td");
      first.append(name);
      const where = kernel.at === null ? "" : `${kernel.at.path.replace(/^.*\//, "")}:${kernel.at.line}`;
      const time = `${(100 * kernel.share).toFixed(1)} %${kernel.times > 1 ? ` (${kernel.times} times)` : ""}`;
      row.append(first, element("td", { text: where }), element("td", { text: time }));
      return row;
    });
    byId("kernel-rows", HTMLTableSectionElement).replaceChildren(...rows);
  }

  async #showKernel({ kernel, strategy, at }: PlannedKernel, row: HTMLTableRowElement): Promise<void> {
    try {
      const text = await this.#actions.kernel(kernel);
      for (const other of document.querySelectorAll("#kernel-rows .shown")) other.classList.remove("shown");
      row.classList.add("shown");
      this.#at = at;
      byId("kernel-name", HTMLHeadingElement).textContent = kernel;
      byId("kernel-strategy", HTMLParagraphElement).textContent = strategy;
      const line = byId("kernel-line", HTMLButtonElement);
      line.hidden = at === null;
      line.textContent = at === null ? "" : `${at.path}:${at.line}  ${this.#actions.lineOf(at).trim()}`;
      byId("kernel-text", HTMLPreElement).textContent = text;
      byId("kernel-shown", HTMLDivElement).hidden = false;
      if (at !== null) this.#actions.point(at);
    } catch (error) {
      this.#actions.failed(error);
    }
  }
}
