/**
 * Storage formats as phases of a program: the block that the text names for an element type, for a band of rows of a tensor. A
 * tensor comes apart into bands where a row reads its own row of the tensors beside its name, or that of its block of rows.
 */
import type { BoundModel } from "../../dsl/checker/check-project.ts";
import type { DecoderDecl, Phase, TableDecl, WeightDecl } from "../../runtime/artifact/program.ts";
import { noStrategies } from "../directives/placed-rules.ts";
import type { Elaborated, ElaborateOptions } from "../elaborate/elaborate.ts";
import { elaborateFormat } from "../elaborate/storage-format.ts";
import { constantOf } from "../graph/dim.ts";
import type { Param, Scalar } from "../graph/node.ts";
import { freeNames, readsOf } from "../graph/scalar.ts";
import { nodesOf } from "../graph/walk.ts";
import type { KernelPool } from "../program/kernel-pool.ts";
import { buildPhase } from "../program/phase-builder.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import { placesOf } from "./places-of.ts";

export interface DecoderOrder {
  readonly model: BoundModel;
  readonly declared: ElaborateOptions["declared"];
  readonly weights: readonly WeightDecl[];
  readonly tables: readonly TableDecl[];
  readonly target: KernelTarget;
  readonly pool: KernelPool;
  /** Names of the sizes of a call, which these phases do not hang on. */
  readonly tokens: string;
  readonly before: string;
}

export interface Decoder {
  readonly decl: DecoderDecl;
  readonly phase: Phase;
}

/** Elements of a band, about: what is read, and what comes of it, are held beside the weights while they are loaded. */
const bandElements = 2 ** 16;

/** For each format and each width that real weights have. */
export function decodersFor(order: DecoderOrder): readonly Decoder[] {
  const formats = order.model.path.items.flatMap(({ item }) => (item.kind === "storage" ? [item.scalar.text] : []));
  const loaded = order.weights.filter(({ elem }) => elem === "f32" || elem === "bf16" || elem === "f16");
  const real = [...loaded, ...order.tables].filter(({ format }) => format === undefined);
  return [...new Set(formats)].flatMap((scalar) => {
    const known = new Map<string, Decoder | null>();
    for (const { shape } of real) {
      const [rows, ...tail] = shape;
      const key = tail.join("x");
      if (rows !== undefined && !known.has(key)) known.set(key, decoderOf(scalar, rows, tail, order));
    }
    return [...known.values()].flatMap((d) => d ?? []);
  });
}

/** Null where the format is not for tensors of so many axes, or does not come apart into bands. */
function decoderOf(scalar: string, rows: number, tail: readonly number[], order: DecoderOrder): Decoder | null {
  const { model, declared, target } = order;
  const formatFor = (count: number): Elaborated | null => {
    const options = { model, declared, scalar, tensor: `${stem}.weight`, shape: [count, ...tail] };
    return elaborateFormat({ ...options, lenient: true });
  };
  const whole = formatFor(rows);
  const block = whole === null ? null : blockOf(whole);
  if (block === null) return null;
  const width = tail.reduce((n, extent) => n * extent, 1);
  // All of a band is bound at once.
  const most = Math.min(bandElements, (target.windowBytes ?? Number.POSITIVE_INFINITY) / 4);
  const band = block * Math.max(1, Math.floor(most / Math.max(1, block * width)));
  const format = formatFor(band);
  return format === null ? null : built(scalar, band, tail, format, order);
}

function built(
  scalar: string,
  rows: number,
  tail: readonly number[],
  elaborated: Elaborated,
  { target, pool, tokens, before }: DecoderOrder,
): Decoder {
  const { graph, weights } = elaborated;
  const read = nodesOf(graph).filter((n): n is Param => n.kind === "weight");
  const phase = `${scalar} ${[rows, ...tail].join("x")}`;
  const { phase: made } = buildPhase({
    ...{ name: phase, entry: `storage ${scalar}`, results: ["w"], from: 1, to: 1, graph },
    ...{ fixed: { [tokens]: 1 }, planned: { [tokens]: 1, [before]: 0 }, tokens, before, target, pool },
    strategy: noStrategies,
    where: placesOf(elaborated),
    elemOf: () => "f32",
    inputs: read.map((n) => n.name),
    given: (n) => ({ kind: "input", input: read.indexOf(n) }),
    state: () => 0,
  });
  const tensors = read.map((n) => {
    const [first = 1, ...others] = n.type.dims.map((d) => constantOf(d) ?? 1);
    const [name = ""] = weights.get(n.name)?.tensors[0] ?? [];
    return { name: patternOf(name), rows: first, tail: others };
  });
  return { decl: { scalar, rows, tail, tensors, phase }, phase: made };
}

/** Stands for the name of a tensor without its ending; no checkpoint has it. */
const stem = "\u0000";
const patternOf = (name: string): string => name.replaceAll(`${stem}.weight`, "{name}").replaceAll(stem, "{stem}");

/** The number of rows that are decoded together; null where rows far apart hang together. */
function blockOf({ graph }: Elaborated): number | null {
  const [result] = graph.results;
  const [row] = result?.kind === "map" ? result.domain : [];
  if (result?.kind !== "map" || row === undefined || nodesOf(graph).some((n) => n !== result && n.kind !== "weight"))
    return null;
  let block = 1;
  let apart = true;
  for (const { at } of readsOf(result.body)) {
    const [first, ...others] = at;
    const height = first === undefined ? null : heightOf(first, row.name);
    if (height === null || others.some((e) => freeNames(e).has(row.name))) apart = false;
    else block = lcm(block, height);
  }
  const inReads = readsOf(result.body).flatMap((r) => r.at);
  return apart && !usedOutside(result.body, row.name, new Set(inReads)) ? block : null;
}

/** `row` or `row div n`: rows that read the same one. */
function heightOf(e: Scalar, row: string): number | null {
  if (e.kind === "name") return e.name === row ? 1 : null;
  if (e.kind !== "call" || e.fn !== "floordiv") return null;
  const [of, by] = e.args;
  return of?.kind === "name" && of.name === row && by?.kind === "const" && by.value > 0 ? by.value : null;
}

/** Whether the value itself hangs on the number of the row. */
function usedOutside(e: Scalar, row: string, inReads: ReadonlySet<Scalar>): boolean {
  if (inReads.has(e)) return false;
  if (e.kind === "name") return e.name === row;
  if (e.kind === "read") return false;
  if (e.kind === "call") return e.args.some((x) => usedOutside(x, row, inReads));
  return freeNames(e).has(row);
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
const lcm = (a: number, b: number): number => (a / gcd(a, b)) * b;
