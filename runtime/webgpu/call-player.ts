/** Calls that are begun: submitted in as many parts as their work takes, and what comes back. */
import type { BufferElem } from "../artifact/program.ts";
import type { CallResults, ResultArray } from "../calls/model-device.ts";
import type { GpuStep } from "./link-gpu.ts";
import type { OpenedGpu } from "./opened-gpu.ts";
import { Pace } from "./pace.ts";
import type { Copied, ReadStretch } from "./read-back.ts";
import { inScopes } from "./scopes.ts";
import { type Begun, isPlayed, type StepEncoder } from "./step-encoder.ts";

export interface Played {
  /** Wait for what comes back; others may be played meanwhile. */
  readonly results: Promise<CallResults>;
}
interface PlayedOutput extends ReadStretch {
  readonly name: string;
  readonly elem: BufferElem;
}

/** A weight that is read is used for this many tokens of a call, and then for more at no cost. */
const mostReuse = 64;

export class CallPlayer {
  readonly #gpu: OpenedGpu;
  readonly #encoder: StepEncoder;
  /** By phase. */
  readonly #pace: readonly Pace[];
  constructor(gpu: OpenedGpu, encoder: StepEncoder, submitWork: number | undefined) {
    this.#gpu = gpu;
    this.#encoder = encoder;
    this.#pace = gpu.plan.phases.map(() => new Pace(submitWork));
  }

  /** Submits steps to the last. `most`: work of one submit, where the pace of the phase does not say it. */
  async play(begun: Begun, from: number, to: number, most?: number): Promise<Played> {
    const { wanted, more } = begun.call;
    const first = this.#outputs(begun, wanted);
    const others = this.#outputs(begun, more?.names ?? []);
    const [own, spare] = await this.submit(begun, from, to, [first, others], most);
    const read = async (): Promise<CallResults> => {
      let wantsMore = false;
      try {
        const results = await this.#results(first, own);
        wantsMore = more?.when(results) === true;
        return wantsMore ? new Map([...results, ...(await this.#results(others, spare))]) : results;
      } finally {
        if (!wantsMore) spare?.drop();
      }
    };
    const results = read();
    results.catch(() => undefined); // whoever waits for it is told
    return { results };
  }

  #outputs({ linked, numbers, session }: Begun, names: readonly string[]): readonly PlayedOutput[] {
    return linked.outputs
      .filter(({ name }) => names.includes(name))
      .map(({ name, elem, bound, elements }) => {
        const buffer = this.#encoder.bufferOf(bound.range, session);
        const [start, count] = [numbers[bound.start] ?? 0, numbers[elements] ?? 0];
        return { name, elem, buffer, from: bound.range.from + 4 * start, bytes: 4 * count };
      });
  }

  async #results(outputs: readonly PlayedOutput[], copied: Copied | null | undefined): Promise<CallResults> {
    const parts = (await copied?.read()) ?? [];
    const made = outputs.map(({ name, elem }, i): readonly [string, ResultArray] => {
      const bytes = parts[i] ?? new ArrayBuffer(0);
      return [name, elem === "i32" ? new Int32Array(bytes) : new Float32Array(bytes)];
    });
    return new Map(made);
  }

  /** Steps `from` … `to - 1` in as many submits as their work takes; behind the last each group of stretches is copied to be read. */
  async submit(
    begun: Begun,
    from: number,
    to: number,
    groups: readonly (readonly ReadStretch[])[],
    most?: number,
  ): Promise<readonly (Copied | null)[]> {
    const { linked, call, numbers } = begun;
    const pace = this.#pace[call.phase] ?? new Pace();
    const workOf = (step: GpuStep): number =>
      isPlayed(call, step) ? (numbers[step.work] ?? 0) * Math.min(call.tokens, mostReuse) : 0;
    let waiting: Promise<void> = Promise.resolve();
    for (let at = from; ; ) {
      let [next, work] = [at, 0];
      for (; next < to && (next === at || work < (most ?? pace.work)); next += 1)
        work += workOf(linked.steps[next] ?? noStep);
      const last = next >= to;
      const encode = (): readonly (Copied | null)[] => {
        const encoder = this.#gpu.device.createCommandEncoder();
        this.#encoder.encode(encoder, begun, at, next);
        const copies = last ? groups.map((g) => (g.length === 0 ? null : this.#gpu.readBack.copy(encoder, g))) : [];
        this.#gpu.device.queue.submit([encoder.finish()]);
        return copies;
      };
      const { value: copies, checked } = inScopes(this.#gpu.device, `phase ${linked.phase.name}`, encode);
      const read = async (copy: Copied): Promise<readonly ArrayBuffer[]> => {
        // Both ways to the GPU at once.
        const [parts] = await Promise.all([copy.read(), this.#gpu.watch.until(checked)]);
        return parts;
      };
      if (last) {
        if (copies.every((c) => c === null)) await this.#gpu.watch.until(checked);
        return copies.map((c) => (c === null ? null : { read: () => read(c), drop: c.drop }));
      }
      await this.#gpu.watch.until(checked);
      // One is under way while the next is encoded.
      await this.#gpu.watch.until(waiting);
      const since = performance.now();
      waiting = this.#gpu.device.queue.onSubmittedWorkDone().then(() => pace.saw(work, performance.now() - since));
      waiting.catch(() => undefined);
      call.signal?.throwIfAborted();
      this.#gpu.watch.check();
      at = next;
    }
  }
}

const noStep: GpuStep = { kernel: 0, label: "", set: 0, block: 0, items: 0, work: 0, gathers: [], choice: null };
