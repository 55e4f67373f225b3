/**
 * Two-way checkpoint mapping: every declared weight has its tensor, every tensor its declaration or an `ignore`.
 * The listing is the header of a safetensors file, or the index of a sharded one (names only).
 */
import type { Ignore, StringLiteral } from "../ast/nodes.ts";
import { makeSource, type Source, type Span } from "../diagnostics/source.ts";
import { closest } from "../diagnostics/suggest.ts";
import { sizeOf } from "../types/axis.ts";
import { asNumber } from "../types/poly.ts";
import { placedGlob } from "./globs.ts";
import type { PlacedWeight } from "./instances/build.ts";
import { jsonSpan } from "./json-source.ts";
import { type Recorder, report } from "./recorder.ts";

/** Bytes of an element by safetensors dtype. */
const dtypeBytes: Readonly<Record<string, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E8M0: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};
const floatTypes: ReadonlySet<string> = new Set(["F64", "F32", "F16", "BF16"]);
const integerTypes: ReadonlySet<string> = new Set(["I64", "I32", "I16", "I8", "U8"]);
/** How a storage scalar of the language is tagged in files; e2m1 is packed two a byte. */
const storageTags: Readonly<Record<string, readonly string[]>> = {
  e4m3: ["F8_E4M3"],
  e5m2: ["F8_E5M2"],
  e8m0: ["F8_E8M0"],
  e2m1: ["I8", "U8", "F4"],
  i8: ["I8"],
  u8: ["U8"],
};

export interface StorageFormat {
  readonly scalar: string;
  /** Names of companions, with `{name}` and `{stem}`. */
  readonly companions: readonly string[];
  readonly span: Span;
}

interface Tensor {
  readonly name: string;
  readonly dtype: string | null;
  readonly shape: readonly number[] | null;
  readonly offsets: readonly [number, number] | null;
  readonly values: readonly number[] | null;
}

export interface ListingText {
  readonly path: string;
  readonly text: string;
}

/** Reports DS0511 where two declarations read one tensor, known without any file. */
export function checkSharedTensors(weights: readonly PlacedWeight[], recorder: Recorder): void {
  const readers = new Map<string, PlacedWeight>();
  for (const placed of weights) {
    if (placed.undecided) continue;
    for (const name of placed.weight.tensors) {
      const members = [...placed.indices.values()].map((m) => (m === null ? "*" : `${m[0]}-${m.at(-1)}/${m.length}`));
      const key = `${name.replace(/\{[^}]*\}/g, "{}")} ${members.join(" ")}`;
      const other = readers.get(key);
      if (other === undefined || other.decl === placed.decl) {
        readers.set(key, placed);
        if (other === undefined || other.weight.name === placed.weight.name) continue;
      }
      if (other === undefined) continue;
      report(recorder, "DS0511", {
        title: `two declarations read \`${name}\``,
        at: spellingSpan(placed, name),
        label: "also read here",
        secondary: [{ span: spellingSpan(other, name), text: "first read here" }],
        help: "each tensor has one declaration; to use it twice, define a name: `head := embed`",
      });
    }
  }
}

const spellingSpan = (placed: PlacedWeight, name: string): Span => {
  const spelling: StringLiteral | undefined =
    placed.decl.spellings[placed.weight.tensors.indexOf(name)] ?? placed.decl.spellings[0];
  return spelling?.span ?? placed.decl.span;
};

export function checkWeights(
  listing: ListingText,
  weights: readonly PlacedWeight[],
  ignores: readonly { readonly item: Ignore; readonly prefix: string }[],
  storage: readonly StorageFormat[],
  recorder: Recorder,
): void {
  const source = makeSource(listing.path, listing.text);
  const tensors = readListing(source, recorder);
  if (tensors === null) return;
  const used = new Set<string>();
  const byOptional = new Map<string, { present: PlacedWeight[]; absent: PlacedWeight[]; missing: string }>();
  for (const placed of weights) {
    const { present, missing } = find(placed, tensors, used, source, recorder);
    if (placed.optional !== null) {
      const group = byOptional.get(placed.optional) ?? { present: [], absent: [], missing: "" };
      if (missing === null) group.present.push(placed);
      else {
        group.absent.push(placed);
        if (group.missing === "") group.missing = missing;
      }
      byOptional.set(placed.optional, group);
    } else if (missing !== null && !placed.undecided) {
      const near = closest(missing, [...tensors.keys()].filter((n) => !used.has(n)).slice(0, 4000));
      report(recorder, "DS0501", {
        title: `${listing.path} has no tensor \`${missing}\``,
        at: spellingSpan(placed, placed.weight.tensors[0] ?? ""),
        label: `\`${placed.weight.name}\` : ${placed.weight.shape} is read from it`,
        help: near === null ? null : `it has \`${near}\``,
      });
    }
    for (const tensor of present) checkTensor(placed, tensor, tensors, used, storage, source, recorder);
  }
  for (const [part, { present, absent, missing }] of byOptional) {
    const [some] = present;
    const [none] = absent;
    if (some === undefined || none === undefined) continue;
    report(recorder, "DS0509", {
      title: `optional part \`${part}\` is incomplete`,
      at: spellingSpan(none, none.weight.tensors[0] ?? ""),
      label: `${listing.path} has no tensor \`${missing}\``,
      secondary: [{ span: spellingSpan(some, some.weight.tensors[0] ?? ""), text: "this one is there" }],
      help: "all tensors of an optional part exist, or none",
    });
  }
  const globs = ignores.flatMap(({ item, prefix }) => item.patterns.map((p) => placedGlob(p.value, prefix)));
  for (const name of tensors.keys()) {
    if (used.has(name) || globs.some((g) => g.test(name))) continue;
    report(recorder, "DS0502", {
      title: `tensor \`${name}\` is not used`,
      at: keySpan(source, name),
      label: "no weight of the model reads it",
      help: `\`ignore "${name.replace(/\.\d+\./g, ".*.")}"\` if it is not needed`,
    });
  }
}

const keySpan = (source: Source, name: string): Span => {
  const value = jsonSpan(source, ["weight_map", name]) ?? jsonSpan(source, [name]);
  if (value === null) return { source, start: 0, end: Math.min(1, source.text.length) };
  const key = source.text.lastIndexOf(JSON.stringify(name), value.start);
  return key < 0 ? value : { source, start: key, end: key + JSON.stringify(name).length };
};

/** All names a weight asks for: one, or one for each member of the families around it. */
export function* tensorNames(
  pattern: string,
  indices: ReadonlyMap<string, readonly number[] | null>,
): Generator<string> {
  const hole = /\{([^}]*)\}/.exec(pattern);
  if (hole === null) {
    yield pattern;
    return;
  }
  for (const i of indices.get(hole[1] ?? "") ?? []) yield* tensorNames(pattern.replace(hole[0], String(i)), indices);
}

interface Found {
  readonly present: readonly Tensor[];
  /** The first name that is not there. */
  readonly missing: string | null;
}

function find(
  placed: PlacedWeight,
  tensors: ReadonlyMap<string, Tensor>,
  used: Set<string>,
  source: Source,
  recorder: Recorder,
): Found {
  const present: Tensor[] = [];
  let missing: string | null = null;
  const spellings = placed.weight.tensors.map((t) => tensorNames(t, placed.indices));
  for (;;) {
    const names = spellings.map((s) => s.next()).flatMap((n) => (n.done === true ? [] : [n.value]));
    const [first] = names;
    if (first === undefined) break;
    const there = names.filter((n) => tensors.has(n));
    const [one, two] = there;
    for (const name of there) used.add(name);
    if (one === undefined) missing ??= first;
    else {
      const tensor = tensors.get(one);
      if (tensor !== undefined) present.push(tensor);
    }
    if (two !== undefined && one !== undefined) {
      report(recorder, "DS0505", {
        title: `two spellings of \`${placed.weight.name}\` are present`,
        at: spellingSpan(placed, placed.weight.tensors[1] ?? ""),
        label: `\`${one}\` and \`${two}\``,
        secondary: [{ span: keySpan(source, two), text: "the second one" }],
        help: "exactly one spelling may exist; a tensor that must be equal is a `copy at`",
      });
    }
  }
  for (const pattern of placed.weight.copies) {
    const [main] = present;
    for (const name of tensorNames(pattern, placed.indices)) {
      const copy = tensors.get(name);
      if (copy === undefined) continue;
      used.add(name);
      const differs =
        main !== undefined &&
        ((main.shape !== null && copy.shape !== null && String(main.shape) !== String(copy.shape)) ||
          (main.values !== null && copy.values !== null && String(main.values) !== String(copy.values)));
      if (!differs) continue;
      report(recorder, "DS0506", {
        title: `copies of \`${placed.weight.name}\` differ`,
        at: placed.decl.copies[0]?.span ?? placed.decl.span,
        label: `\`${name}\` is not equal to \`${main?.name ?? ""}\``,
        secondary: [{ span: keySpan(source, name), text: "the copy" }],
      });
    }
  }
  return { present, missing };
}

function checkTensor(
  placed: PlacedWeight,
  tensor: Tensor,
  tensors: ReadonlyMap<string, Tensor>,
  used: Set<string>,
  storage: readonly StorageFormat[],
  source: Source,
  recorder: Recorder,
): void {
  const at = spellingSpan(placed, placed.weight.tensors[0] ?? "");
  const secondary = [{ span: keySpan(source, tensor.name), text: "in the file" }];
  const own = tensor.dtype !== null && ownFormat(placed, tensor.dtype);
  const format = own
    ? undefined
    : storage.find((s) => tensor.dtype !== null && (storageTags[s.scalar] ?? []).includes(tensor.dtype));
  const packed = format?.scalar === "e2m1" && (tensor.dtype === "I8" || tensor.dtype === "U8");
  const { sizes } = placed.weight;
  if (sizes !== null && tensor.shape !== null) {
    const expected = packed ? sizes.map((s, i) => (i === sizes.length - 1 ? s / 2 : s)) : sizes;
    if (String(expected) !== String(tensor.shape)) {
      report(recorder, "DS0503", {
        title: `shape of \`${tensor.name}\` differs`,
        at,
        label: `declared ${placed.weight.shape}, which is [${expected.join(", ")}]; the file has [${tensor.shape.join(", ")}]`,
        secondary,
      });
    }
  }
  if (tensor.dtype !== null) {
    const wantsInteger =
      placed.element.kind === "index" || placed.element.kind === "set" || placed.element.kind === "integer";
    const fits = wantsInteger
      ? integerTypes.has(tensor.dtype)
      : floatTypes.has(tensor.dtype) || format !== undefined || own;
    if (!fits) {
      report(recorder, "DS0504", {
        title: `dtype of \`${tensor.name}\` differs`,
        at,
        label: `declared ${placed.weight.type}, the file has ${tensor.dtype}`,
        secondary,
        help:
          floatTypes.has(tensor.dtype) || wantsInteger
            ? null
            : "say how it is stored: `storage e4m3 as fp8_blocks(B: 128)`",
      });
    }
  }
  if (format !== undefined && !floatTypes.has(tensor.dtype ?? "")) {
    for (const pattern of format.companions) {
      const name = pattern.replaceAll("{name}", tensor.name).replaceAll("{stem}", tensor.name.replace(/\.weight$/, ""));
      used.add(name);
      if (tensors.has(name)) continue;
      report(recorder, "DS0507", {
        title: `companion \`${name}\` is missing`,
        at,
        label: `\`${tensor.name}\` is stored as ${tensor.dtype ?? format.scalar}, which needs it`,
        secondary: [{ span: format.span, text: "by this storage format" }],
      });
    }
  }
  checkValues(placed, tensor, at, secondary, recorder);
}

/** A weight that is declared in a format has its numbers: no storage block computes it. */
const ownFormat = (placed: PlacedWeight, dtype: string): boolean =>
  (storageTags[placed.weight.type] ?? []).includes(dtype);

/** Indices in weights are checked one by one: DS0508. */
function checkValues(
  placed: PlacedWeight,
  tensor: Tensor,
  at: Span,
  secondary: readonly { readonly span: Span; readonly text: string }[],
  recorder: Recorder,
): void {
  const { element } = placed;
  if (tensor.values === null || (element.kind !== "index" && element.kind !== "set")) return;
  const size = sizeOf(element.of);
  const most = size === null ? null : asNumber(size);
  if (most === null) return;
  const place = tensor.values.findIndex((v) => !Number.isInteger(v) || v < 0 || v >= most);
  if (place < 0) return;
  report(recorder, "DS0508", {
    title: `\`${tensor.name}\` holds an index out of range`,
    at,
    label: `element ${place} is ${tensor.values[place]}, allowed are 0 to ${most - 1}`,
    secondary,
  });
}

function readListing(source: Source, recorder: Recorder): ReadonlyMap<string, Tensor> | null {
  const bad = (label: string): null => {
    report(recorder, "DS0510", {
      title: "this is no tensor listing",
      at: { source, start: 0, end: Math.min(1, source.text.length) },
      label,
      help: "the header of a safetensors file as JSON, or a model.safetensors.index.json",
    });
    return null;
  };
  let root: unknown;
  try {
    root = JSON.parse(source.text);
  } catch {
    return bad("this is not JSON");
  }
  if (typeof root !== "object" || root === null || Array.isArray(root)) return bad("an object should stand here");
  const members = root as Readonly<Record<string, unknown>>;
  const tensors = new Map<string, Tensor>();
  if (typeof members.weight_map === "object" && members.weight_map !== null) {
    for (const name of Object.keys(members.weight_map))
      tensors.set(name, { name, dtype: null, shape: null, offsets: null, values: null });
    return tensors;
  }
  const fileSize = typeof members.__file_size__ === "number" ? members.__file_size__ : null;
  for (const [name, entry] of Object.entries(members)) {
    if (name === "__metadata__" || name === "__file_size__") continue;
    const tensor = tensorOf(name, entry);
    if (tensor === null) {
      report(recorder, "DS0510", {
        title: `entry \`${name}\` is malformed`,
        at: keySpan(source, name),
        label: "dtype, shape and data_offsets should stand here",
      });
      continue;
    }
    tensors.set(name, tensor);
  }
  checkLayout([...tensors.values()], fileSize, source, recorder);
  return tensors;
}

const isSize = (v: unknown): v is number => typeof v === "number" && Number.isSafeInteger(v) && v >= 0;

function tensorOf(name: string, entry: unknown): Tensor | null {
  if (typeof entry !== "object" || entry === null) return null;
  const { dtype, shape, data_offsets: offsets, values } = entry as Readonly<Record<string, unknown>>;
  if (typeof dtype !== "string" || !Array.isArray(shape) || !shape.every(isSize)) return null;
  const pair =
    Array.isArray(offsets) && offsets.length === 2 && offsets.every(isSize)
      ? ([offsets[0], offsets[1]] as [number, number])
      : null;
  if (offsets !== undefined && pair === null) return null;
  const list = Array.isArray(values) && values.every((v) => typeof v === "number") ? (values as number[]) : null;
  return { name, dtype, shape: shape as number[], offsets: pair, values: list };
}

/** Offsets must match sizes, lie one behind the other without gaps, and end inside the file. */
function checkLayout(tensors: readonly Tensor[], fileSize: number | null, source: Source, recorder: Recorder): void {
  const placed = tensors.flatMap((t) => (t.offsets === null ? [] : [{ ...t, offsets: t.offsets }]));
  placed.sort((a, b) => a.offsets[0] - b.offsets[0] || a.offsets[1] - b.offsets[1]);
  let end = 0;
  for (const tensor of placed) {
    const [from, to] = tensor.offsets;
    const bytes = dtypeBytes[tensor.dtype ?? ""];
    const expected = bytes === undefined || tensor.shape === null ? null : tensor.shape.reduce((n, s) => n * s, bytes);
    const wrong = (label: string): void =>
      report(recorder, "DS0510", {
        title: "file is truncated or its tensors overlap",
        at: keySpan(source, tensor.name),
        label,
      });
    if (expected !== null && to - from !== expected) wrong(`${to - from} bytes for a tensor of ${expected} bytes`);
    else if (from < end) wrong(`it begins at byte ${from}, inside the tensor before it, which ends at ${end}`);
    else if (fileSize !== null && to > fileSize) wrong(`it ends at byte ${to} of a file of ${fileSize}`);
    end = Math.max(end, to);
  }
}
