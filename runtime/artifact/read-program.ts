/**
 * `program.json`, read without trust: types, ranges and sizes of everything, and that every name, index and range refers to
 * what there is. What remains to be seen, whether kernels stay inside of their buffers, depends on the sizes of a call and
 * is held against what is allocated before each call (`runtime/calls/link-call.ts`).
 */

import { checkBestTokens, isTemperature } from "./best-tokens.ts";
import { elemNames } from "./elems.ts";
import { VersionError } from "./errors.ts";
import {
  type ConstantDecl,
  type DraftDecl,
  type DraftFeed,
  type KernelBuffer,
  type KernelDecl,
  type KernelVariant,
  type Phase,
  type Program,
  programFormat,
  type StateDecl,
  type WindowDecl,
} from "./program.ts";
import { readDecoder } from "./read-decoder.ts";
import { readGpuKernel, readVariants } from "./read-gpu.ts";
import { type PhaseFacts, readPhase } from "./read-phase.ts";
import { readSizeExpr } from "./read-size-expr.ts";
import { type At, corrupt, count, list, member, memberNames, orNull, parsedJson, text, word } from "./read-value.ts";
import { mostTensors, readTable, readWeight } from "./read-weight.ts";

/** Far above what a compiler writes; a file beyond is refused before it costs memory. */
export const programLimits = {
  /** Of the file, in bytes. */
  bytes: 256 * 2 ** 20,
  declarations: 65_536,
  constants: 2 ** 24,
  kernelParameters: 64,
  phases: 1024,
} as const;

const i32Max = 2 ** 31 - 1;
const targets = ["wasm", "webgpu"] as const;

export function readProgram(bytes: Uint8Array): Program {
  const root = parsedJson(bytes, "$", programLimits.bytes);
  const format = count(member(root, "format"), i32Max);
  const written = member(root, "compiler");
  const compiler = typeof written.value === "string" ? written.value.slice(0, 80) : "";
  if (format !== programFormat) throw new VersionError(format, programFormat, compiler);
  const sizes = readSizes(member(root, "sizes"));
  const kernels = list(member(root, "kernels"), programLimits.declarations, readKernel);
  refuseTwice(
    kernels.map((k) => k.name),
    "$.kernels",
  );
  const declared = {
    tokens: text(member(root, "tokens"), 256),
    before: text(member(root, "before"), 256),
    weights: list(member(root, "weights"), programLimits.declarations, readWeight),
    constants: list(member(root, "constants"), programLimits.declarations, readConstant),
    states: list(member(root, "states"), programLimits.declarations, readState),
    kernels,
  };
  const looked = { tables: orNull(member(root, "tables"), (at) => list(at, 1024, readTable)) ?? [] };
  const tensors = declared.weights.reduce((n, { stacks }) => n + stacks.reduce((m, s) => m * s, 1), 0);
  if (tensors > mostTensors) throw corrupt("$.weights", `${tensors} tensors`);
  const { tokens, before, tables } = { ...declared, ...looked };
  if (tokens === before) throw corrupt("$.before", "the name of the tokens");
  const names = new Set([...Object.keys(sizes), tokens, before]);
  const facts: PhaseFacts = { ...declared, ...looked, names };
  const phases = list(member(root, "phases"), programLimits.phases, (at) => readPhase(at, facts));
  if (phases.length === 0) throw corrupt("$.phases", "there is none");
  refuseTwice(
    phases.map((p) => p.name),
    "$.phases",
  );
  const decoders = orNull(member(root, "decoders"), (at) => list(at, 4096, (a) => readDecoder(a, phases))) ?? [];
  const decoding = new Set(decoders.map((d) => d.phase));
  for (const [i, { name, inputs }] of phases.entries())
    if (!decoding.has(name) && inputs[0]?.elem !== "i32")
      throw corrupt(`$.phases[${i}].inputs`, "the first is not the ids of tokens");
  for (const [i, phase] of phases.entries()) {
    checkLookups(phase, phases, `$.phases[${i}].lookups`);
    checkBestTokens(phase, `$.phases[${i}].outputs`);
  }
  const draft = orNull(member(root, "draft"), (at) => readDraft(at, phases));
  const modules = orNull(member(root, "modules"), readModules);
  const target = orNull(member(root, "target"), (at) => word(at, targets));
  const variants = orNull(member(root, "variants"), readVariants);
  if (target === "webgpu") checkGpu(kernels, variants);
  return {
    format,
    compiler: text(written, 256),
    model: text(member(root, "model"), 256),
    sizes,
    entry: text(member(root, "entry"), 256),
    vocabulary: count(member(root, "vocabulary"), i32Max, 1),
    context: count(member(root, "context"), i32Max, 1),
    ignored: orNull(member(root, "ignored"), (at) => list(at, 1024, (a) => text(a))) ?? [],
    ...declared,
    ...(tables.length === 0 ? {} : { tables }),
    phases,
    ...(decoders.length === 0 ? {} : { decoders }),
    ...(draft === null ? {} : { draft }),
    ...(target === null ? {} : { target }),
    ...(variants === null ? {} : { variants }),
    ...(modules === null ? {} : { modules }),
  };
}

function readSizes(at: At): Readonly<Record<string, number>> {
  const entries = memberNames(at, 4096).map((n) => [n, count(member(at, n), Number.MAX_SAFE_INTEGER)] as const);
  return Object.fromEntries(entries);
}

function readModules(at: At): Readonly<Record<string, string>> {
  return Object.fromEntries(memberNames(at, 64).map((n) => [n, text(member(at, n), 64)] as const));
}

/** A phase that numbers rows takes tokens alone, and does so for the same entry. */
function checkLookups({ entry, lookups = [] }: Phase, phases: readonly Phase[], path: string): void {
  for (const { phase: name, rows } of lookups) {
    const ahead = phases.find((p) => p.name === name && p.entry === entry);
    if (ahead === undefined || ahead.inputs.length !== 1)
      throw corrupt(path, `${JSON.stringify(name)} numbers no rows`);
    if (ahead.outputs.every((o) => o.name !== rows || o.elem !== "i32"))
      throw corrupt(path, `${JSON.stringify(name)} does not number ${JSON.stringify(rows)}`);
  }
}

/** What feeds and what is fed exists wherever it is asked for. */
function readDraft(at: At, phases: readonly Phase[]): DraftDecl {
  const entry = text(member(at, "entry"), 256);
  const feeds = list(member(at, "feeds"), 16, (a): DraftFeed => {
    const [input, first, then] = ["input", "first", "then"].map((name) => text(member(a, name), 256));
    return { input: input ?? "", first: first ?? "", then: then ?? "" };
  });
  const guesses = ({ outputs }: Phase): boolean => outputs.some((o) => o.name === "next" || o.name === "logits");
  const guessing = phases.filter((p) => p.entry === entry && guesses(p));
  if (guessing.length === 0) throw corrupt(`${at.path}.entry`, `no phase plays ${JSON.stringify(entry)}`);
  for (const { name, inputs, outputs, lookups = [] } of guessing) {
    const fed = inputs.filter((x, i) => i > 0 && !isTemperature(x) && lookups.every((l) => l.input !== i));
    const unfed = fed.find((i) => feeds.every((f) => f.input !== i.name));
    if (unfed !== undefined) throw corrupt(`${at.path}.feeds`, `nothing feeds ${unfed.name} of ${name}`);
    const lost = feeds.find((f) => outputs.every((o) => o.name !== f.then));
    if (lost !== undefined) throw corrupt(`${at.path}.feeds`, `${name} has no output ${lost.then}`);
  }
  return { entry, feeds };
}

function readConstant(at: At): ConstantDecl {
  const elem = word(member(at, "elem"), ["f32", "i32", "i64"]);
  const name = text(member(at, "name"));
  if (elem === "i64") return { name, elem, values: list(member(at, "values"), programLimits.constants, readWide) };
  const values = list(member(at, "values"), programLimits.constants, ({ value, path }) => {
    if (typeof value !== "number") throw corrupt(path, "expected a number");
    if (elem === "i32" && (value | 0) !== value) throw corrupt(path, `${value} is no i32`);
    return value;
  });
  return { name, elem, values };
}
/** `-42`: an i64. */
function readWide(at: At): string {
  const written = text(at, 20);
  if (!/^(0|-?[1-9][0-9]*)$/.test(written) || BigInt.asIntN(64, BigInt(written)) !== BigInt(written))
    throw corrupt(at.path, `${JSON.stringify(written)} is no i64`);
  return written;
}

function readState(at: At): StateDecl {
  return {
    name: text(member(at, "name")),
    elem: word(member(at, "elem"), elemNames),
    row: count(member(at, "row"), i32Max, 1),
    copies: count(member(at, "copies"), 65_536, 1),
  };
}

function readKernel(at: At): KernelDecl {
  const sizes = list(member(at, "sizes"), programLimits.kernelParameters, (a) => text(a, 256));
  refuseTwice(sizes, `${at.path}.sizes`);
  const names = new Set(sizes);
  const buffers = list(
    member(at, "buffers"),
    programLimits.kernelParameters,
    (a): KernelBuffer => ({
      name: text(member(a, "name"), 256),
      elem: word(member(a, "elem"), elemNames),
      extent: readSizeExpr(member(a, "extent"), names),
      access: word(member(a, "access"), ["read", "write", "both"]),
    }),
  );
  const gpu = orNull(member(at, "gpu"), (a) => readGpuKernel(a, buffers));
  const window = orNull(member(at, "window"), (a) => readWindow(a, sizes, buffers));
  return {
    name: text(member(at, "name"), 1024),
    buffers,
    sizes,
    grid: list(member(at, "grid"), 8, (a) => readSizeExpr(a, names)),
    scratch: count(member(at, "scratch"), 2 ** 30),
    ...(gpu === null ? {} : { gpu }),
    ...(window === null ? {} : { window }),
  };
}

/** The extent of a buffer in pieces hangs on how many there are, and on nothing else. */
function readWindow(at: At, sizes: readonly string[], buffers: readonly KernelBuffer[]): WindowDecl {
  const [first = 0, pieces = 0] = ["first", "pieces"].map((n) => count(member(at, n), sizes.length - 1));
  if (first === pieces) throw corrupt(at.path, "one size is two things");
  const inPieces = list(member(at, "buffers"), buffers.length, (a) => count(a, buffers.length - 1));
  refuseTwice(inPieces.map(String), `${at.path}.buffers`);
  for (const i of inPieces) {
    const extent = buffers[i]?.extent;
    const isProduct = Array.isArray(extent) && extent[0] === "*" && extent[1] === sizes[pieces];
    if (extent !== sizes[pieces] && !(isProduct && typeof extent[2] === "number"))
      throw corrupt(`${at.path}.buffers`, `buffer ${i} is in no pieces of known size`);
    if (buffers[i]?.access !== "read") throw corrupt(`${at.path}.buffers`, `buffer ${i} is written`);
  }
  return { first, pieces, buffers: inPieces };
}

/** A program for WebGPU says of all kernels how they are bound, and where their texts are. */
function checkGpu(kernels: readonly KernelDecl[], variants: readonly KernelVariant[] | null): void {
  const without = kernels.findIndex((k) => k.gpu === undefined);
  if (without >= 0) throw corrupt(`$.kernels[${without}].gpu`, "it is not said how it is bound");
  if (variants === null) throw corrupt("$.variants", "there is none");
}

function refuseTwice(names: readonly string[], path: string): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw corrupt(path, `two are called ${JSON.stringify(name)}`);
    seen.add(name);
  }
}
