/** The package's kernels on the visitor's machine, beside the values that they have to give. */
import { byId, element } from "./dom.ts";
import type { CheckResult } from "./protocol.ts";

export class ChecksView {
  readonly #rows = byId("checks-rows", HTMLTableSectionElement);
  readonly #line = byId("checks-line", HTMLParagraphElement);
  #passed = 0;
  #failed = 0;
  #untried = 0;

  constructor() {
    this.#rows.replaceChildren();
    this.#line.textContent = "Running…";
    byId("checks-scroll", HTMLDivElement).hidden = false;
  }

  add({ name, passed, worst, bound }: CheckResult): void {
    if (passed === null) this.#untried += 1;
    else if (passed) this.#passed += 1;
    else this.#failed += 1;
    const row = element("tr", { className: passed === false ? "failed" : "" });
    const texts =
      passed === null
        ? [name, "", "", "not tried"]
        : [name, errorText(worst), errorText(bound), passed ? "right" : "wrong"];
    row.append(...texts.map((text) => element("td", { text })));
    this.#rows.append(row);
  }

  end(): void {
    const all = this.#passed + this.#failed;
    const found =
      this.#failed === 0
        ? `All ${all} checks are right.`
        : `${this.#failed} of ${all} checks are wrong: what the model says on this device cannot be trusted.`;
    const left = this.#untried;
    this.#line.textContent =
      left === 0 ? found : `${found} The package has nothing to try ${left === 1 ? "1 kernel" : `${left} kernels`} by.`;
  }

  fail(): void {
    this.#line.textContent = "The checks did not end.";
  }
}

const errorText = (error: number): string => (error === 0 ? "0" : error.toExponential(1));
