/** Weights and constants of a program, shared by its phases. */
import type { BoundModel } from "../../dsl/checker/check-project.ts";
import type { PlacedWeight } from "../../dsl/checker/instances/build.ts";
import { tensorNames } from "../../dsl/checker/weights.ts";
import type { Binding, BufferElem, ConstantDecl, TableDecl, WeightDecl } from "../../runtime/artifact/program.ts";
import type { WeightSource } from "../elaborate/context.ts";
import type { Elaborated } from "../elaborate/elaborate.ts";
import { evalDim, type Sizes } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import type { Node } from "../graph/node.ts";
import { formatOf, isCoded, weightDecl } from "./weight-decls.ts";

export class WeightTable {
  readonly #kept: (label: string) => BufferElem;
  readonly #decls: WeightDecl[] = [];
  readonly #constants: ConstantDecl[] = [];
  readonly #tables: TableDecl[] = [];
  readonly #copies = new Set<string>();
  readonly #read: Spelled[] = [];
  readonly #at = new Map<string, Binding>();
  /** `kept`: the element type of a real weight, by its label. */
  constructor(kept: (label: string) => BufferElem) {
    this.#kept = kept;
  }
  get decls(): readonly WeightDecl[] {
    return this.#decls;
  }
  get tables(): readonly TableDecl[] {
    return this.#tables;
  }
  get constants(): readonly ConstantDecl[] {
    return this.#constants;
  }
  /** Patterns of tensors that a checkpoint may hold and the program does not read. */
  ignored(model: BoundModel): readonly string[] {
    const written = model.path.items.flatMap(({ item, ancestor }) =>
      item.kind === "ignore"
        ? item.patterns.map((p) => (ancestor.prefix === "" ? p.value : `${ancestor.prefix}.${p.value}`))
        : [],
    );
    // Weights of parts that are not run: of drafts, of optional heads.
    const unread = model.weights.flatMap((w) => {
      const first = firstName(w);
      const isRead = first !== undefined && this.#read.some((source) => isSpelled(source, first));
      return isRead ? [] : [...w.weight.tensors, ...w.weight.copies];
    });
    const patterns = unread.map((name) => name.replace(/\{[^}]*\}/g, "*"));
    return [...new Set([...written, ...patterns, ...this.#copies])];
  }

  add(n: Node, { weights }: Elaborated, model: BoundModel, sizes: Sizes): void {
    if (this.#at.has(n.name)) return;
    const source = weights.get(n.name);
    if (source === undefined) throw new InternalError(`%${n.name} has no source`);
    if (source.constant !== null) return this.#constant(n, source.constant);
    for (const names of source.copies) for (const name of names) this.#copies.add(name);
    this.#read.push(spelledIn(source));
    this.#at.set(n.name, { kind: "weight", weight: this.#decls.length });
    const placed = this.#placed(source, model);
    const [at, optional] = [placed === null ? null : placeOf(placed), placed?.optional ?? null];
    this.#decls.push(weightDecl({ label: n.name, elem: this.elemOf(n), source, optional, at }, sizes));
  }
  /** The number of a weight of which rows are looked up. */
  table(n: Node, { weights }: Elaborated, model: BoundModel, sizes: Sizes): number {
    const known = this.#tables.findIndex((t) => t.name === n.name);
    const source = weights.get(n.name);
    if (known >= 0) return known;
    if (source === undefined || source.constant !== null) throw new InternalError(`%${n.name} has no tensor`);
    const [names = []] = source.tensors;
    this.#read.push(spelledIn(source));
    const placed = this.#placed(source, model);
    const at = placed === null ? null : placeOf(placed);
    const shape = source.stored.map((d) => evalDim(d, sizes));
    this.#tables.push({ name: n.name, shape, ...formatOf(source), tensors: names, at });
    return this.#tables.length - 1;
  }
  #placed({ spellings, members }: WeightSource, model: BoundModel): PlacedWeight | null {
    const first = members.reduce((n, [m = 0], i) => n.replaceAll(`{${i}}`, String(m)), spellings[0] ?? "");
    return (
      model.weights.findLast(({ weight, indices }) => isSpelled({ spellings: weight.tensors, indices }, first)) ?? null
    );
  }
  #constant(n: Node, values: readonly (number | bigint)[]): void {
    this.#at.set(n.name, { kind: "constant", constant: this.#constants.length });
    this.#constants.push(constantDecl(n.name, this.elemOf(n), values));
  }

  elemOf(n: Node): BufferElem {
    const { dtype } = n.type;
    if (dtype === "i64") return "i64";
    // Constants of a program are of 32 bits or more.
    if (dtype === "i8" && this.#at.get(n.name)?.kind !== "constant") return "i8";
    if (dtype === "i32" || dtype === "i8" || dtype === "u8") return "i32";
    if (n.type.dims.length === 0) return "f32";
    return isCoded(dtype) ? "bf16" : this.#kept(n.name); // which holds all of their numbers
  }
  binding(n: Node): Binding {
    const at = this.#at.get(n.name);
    if (at === undefined) throw new InternalError(`%${n.name} is bound to nothing`);
    return at;
  }
}

function constantDecl(name: string, of: BufferElem, values: readonly (number | bigint)[]): ConstantDecl {
  if (of === "i64") return { name, elem: of, values: values.map((v) => BigInt(v).toString()) };
  const elem = of === "i32" ? of : "f32";
  return { name, elem, values: values.map((v) => (elem === "i32" ? Number(v) : Math.fround(Number(v)))) };
}

function firstName({ weight, indices }: PlacedWeight): string | undefined {
  for (const spelling of weight.tensors) for (const name of tensorNames(spelling, indices)) return name;
  return undefined;
}
/** Names with holes, and the numbers that stand in each. */
interface Spelled {
  readonly spellings: readonly string[];
  readonly indices: ReadonlyMap<string, readonly number[] | null>;
}
const spelledIn = ({ spellings, members }: WeightSource): Spelled => ({
  spellings,
  indices: new Map(members.map((of, i) => [String(i), of])),
});
/** Whether a name is one of these. */
const isSpelled = ({ spellings, indices }: Spelled, name: string): boolean =>
  patternsOf(spellings).some(({ pattern, holes }) => {
    const found = pattern.exec(name);
    return found !== null && holes.every((hole, i) => indices.get(hole)?.includes(Number(found[i + 1])) === true);
  });

interface Pattern {
  readonly pattern: RegExp;
  readonly holes: readonly string[];
}
const patterns = new WeakMap<readonly string[], readonly Pattern[]>();
function patternsOf(spellings: readonly string[]): readonly Pattern[] {
  const known = patterns.get(spellings) ?? spellings.map(patternOf);
  patterns.set(spellings, known);
  return known;
}
function patternOf(spelling: string): Pattern {
  const parts = spelling.split(/\{([^}]*)\}/); // texts, and the holes between them
  const texts = parts.map((part, i) => (i % 2 === 0 ? part.replace(/[.+?^${}()|[\]\\*]/g, "\\$&") : "([0-9]+)"));
  return { pattern: new RegExp(`^${texts.join("")}$`), holes: parts.filter((_, i) => i % 2 === 1) };
}

/** `models/deepseek-llm.ds:78:3`: where the text declares it. */
function placeOf({ decl: { span } }: PlacedWeight): string {
  const before = span.source.text.slice(0, span.start).split("\n");
  return `${span.source.path}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}
