/**
 * The reference backend: a graph as it was elaborated, run in f64, with memory kept between calls. Every other backend is
 * held to it.
 */
import type { ForwardOptions, Session } from "../../compiler/driver/backend.ts";
import type { Elaborated } from "../../compiler/elaborate/elaborate.ts";
import { evalDim, nameOf, type Sizes } from "../../compiler/graph/dim.ts";
import { type Prepared, prepare } from "../../compiler/graph/interpret/prepare.ts";
import { StateStore } from "../../compiler/graph/interpret/state-store.ts";
import { realsOf, type Tensor, tensor } from "../../compiler/graph/interpret/tensor.ts";
import type { Param } from "../../compiler/graph/node.ts";
import { BindError } from "./bind-error.ts";

export interface ReferenceOptions {
  readonly elaborated: Elaborated;
  /** By label. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Name of the size of a call's tokens, and of the rows remembered before it. */
  readonly token?: string;
  readonly before?: string;
  readonly draft?: ReferenceSession;
}

export class ReferenceSession implements Session {
  readonly #options: ReferenceOptions;
  readonly #prepared: Prepared;
  readonly #config: Sizes;
  readonly #most: number;
  readonly #room: number;
  #state = new StateStore();
  #length = 0;

  constructor(options: ReferenceOptions) {
    this.#options = options;
    const { graph } = options.elaborated;
    this.#prepared = prepare(graph);
    this.#config = Object.fromEntries(
      [...graph.sizes].flatMap(([name, { low, high }]) => (low === high ? [[name, low] as const] : [])),
    );
    this.#most = graph.sizes.get(options.token ?? "T")?.high ?? Number.POSITIVE_INFINITY;
    this.#room = (graph.sizes.get(options.before ?? "S0")?.high ?? Number.POSITIVE_INFINITY) + 1;
  }

  get draft(): ReferenceSession | null {
    return this.#options.draft ?? null;
  }

  /** Tokens remembered. */
  get length(): number {
    return this.#length;
  }

  /** Numbers of the sizes that the config fixes. */
  get sizes(): Sizes {
    return this.#config;
  }

  /** Results of the entry for these tokens, appended to those remembered. After an error nothing of them is remembered. */
  forward(ids: readonly number[], options: ForwardOptions = {}): readonly Tensor[] {
    if (ids.length === 0) throw new BindError("too-long", "a call has at least one token", null);
    if (this.#length + ids.length > this.#room)
      throw new BindError("too-long", `${this.#length + ids.length} tokens; the model remembers ${this.#room}`, null);
    const most = Math.min(options.chunk ?? this.#most, this.#most);
    if (!(most >= 1)) throw new RangeError(`a run has at least one token, not ${most}`);
    const start = this.#length;
    const parts: (readonly Tensor[])[] = [];
    try {
      for (let at = 0; at < ids.length; at += most) {
        const part = ids.slice(at, at + most);
        const given = [...(options.given ?? [])].map(([name, values]) => {
          const width = values.length / ids.length;
          return [name, values.subarray(at * width, (at + part.length) * width)] as const;
        });
        parts.push(this.#call(part, { ...options, given: new Map(given) }));
      }
    } catch (error) {
      if (this.#length > start) this.rollback(this.#length - start);
      throw error;
    }
    const [first = []] = parts;
    if (parts.length === 1) return first;
    const { graph } = this.#options.elaborated;
    return graph.results.map((node, r) => {
      const each = parts.flatMap((part) => part[r] ?? []);
      const [rows] = node.type.dims;
      // A result with a row a token is that of all calls; any other is what the last one says.
      return rows !== undefined && nameOf(rows) === (this.#options.token ?? "T")
        ? joined(each)
        : (each.at(-1) as Tensor);
    });
  }

  #call(ids: readonly number[], { observe, signal, given }: ForwardOptions): readonly Tensor[] {
    const { weights, token = "T", before = "S0" } = this.#options;
    const tokens = tensor([ids.length], ids);
    const sizes = { ...this.#config, [token]: ids.length, [before]: this.#length };
    const results = this.#prepared.run({
      sizes,
      state: this.#state,
      param: (node: Param) => {
        const values = given?.get(node.name);
        if (values !== undefined)
          return tensor(
            node.type.dims.map((d) => evalDim(d, sizes)),
            values,
          );
        if (node.kind === "input") return tokens;
        const value = weights.get(node.name);
        if (value === undefined) throw new BindError("no-source", `%${node.name} is not bound`, null);
        return value;
      },
      ...(observe === undefined ? {} : { observe }),
      ...(signal === undefined ? {} : { signal }),
    });
    this.#length += ids.length;
    return results;
  }

  /** Forgets the last n tokens. */
  rollback(n: number): void {
    this.#state.rollback(n);
    this.#length -= n;
  }

  reset(): void {
    this.#state = new StateStore();
    this.#length = 0;
  }
}

/** One result of several calls, one after the other along its first axis. */
function joined(parts: readonly Tensor[]): Tensor {
  const all = parts.map(realsOf);
  const data = new Float64Array(all.reduce((n, d) => n + d.length, 0));
  let at = 0;
  for (const d of all) {
    data.set(d, at);
    at += d.length;
  }
  const rows = parts.reduce((n, p) => n + (p.dims[0] ?? 0), 0);
  return { dims: [rows, ...(parts[0]?.dims.slice(1) ?? [])], data };
}
