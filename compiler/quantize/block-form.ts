/** What a storage block of a text is made of, where it is codes of an element type times one multiplier for a block of them. */
import type { Span } from "../../dsl/diagnostics/source.ts";
import { ElaborationError } from "../elaborate/context.ts";
import type { Elaborated } from "../elaborate/elaborate.ts";
import { constantOf } from "../graph/dim.ts";
import type { Read, Scalar } from "../graph/node.ts";

export interface BlockForm {
  readonly code: FormPart;
  readonly multiplier: FormPart;
  /** For each axis of the multipliers. */
  readonly shared: readonly SharedAxis[];
}

export interface FormPart {
  /** Name in the checkpoint. */
  readonly tensor: string;
  /** Element type, as the text says it. */
  readonly element: string;
  readonly shape: readonly number[];
}

/** Which axis of the codes an axis of the multipliers runs along, a step for so many elements; null: the one step is for all. */
export type SharedAxis = { readonly axis: number; readonly by: number } | null;

export interface FormOptions {
  /** The tensor that the block was asked for. */
  readonly tensor: string;
  /** The line of the text that names the block. */
  readonly at: Span;
}

/** Throws ElaborationError for a block of another form. */
export function blockForm(format: Elaborated, { tensor, at }: FormOptions): BlockForm {
  const other = (): ElaborationError =>
    new ElaborationError("this is not codes times one multiplier for a block of them: it is read, but not written", at);
  const [result] = format.graph.results;
  if (result?.kind !== "map" || result.body.kind !== "call" || result.body.fn !== "mul") throw other();
  const reads = result.body.args.flatMap((e) => readOf(e) ?? []);
  const code = reads.find((r) => partOf(r, format).tensor === tensor);
  const multiplier = reads.find((r) => r !== code);
  if (code === undefined || multiplier === undefined) throw other();
  const indices = result.domain.map(({ name }) => name);
  const codes = partOf(code, format);
  const isOwn = (e: Scalar, axis: number): boolean =>
    isZero(e) ? codes.shape[axis] === 1 : e.kind === "name" && e.name === indices[axis];
  if (code.at.length !== indices.length || !code.at.every(isOwn)) throw other();
  const shared = multiplier.at.map((e): SharedAxis => {
    if (isZero(e)) return null;
    const index = indexOf(e);
    const axis = indices.indexOf(index?.name ?? "");
    if (index === null || axis < 0) throw other();
    return { axis, by: index.by };
  });
  // Rows of codes go with rows of multipliers: so bands of both are read and decoded.
  if (shared.slice(1).some((s) => s?.axis === 0)) throw other();
  return { code: codes, multiplier: partOf(multiplier, format), shared };
}

/** The one place of an axis of size 1. */
const isZero = (e: Scalar): boolean => e.kind === "const" && e.value === 0;

/** A weight's element, whatever type its number is taken to. */
function readOf(e: Scalar): Read | null {
  if (e.kind === "call" && e.fn === "to_f32") return readOf(e.args[0] ?? e);
  return e.kind === "read" && e.value.kind === "weight" ? e : null;
}

function partOf({ value }: Read, { weights }: Elaborated): FormPart {
  const source = weights.get(value.name);
  const [names = []] = source?.tensors ?? [];
  return {
    tensor: names[0] ?? "",
    element: source?.element ?? "",
    shape: value.type.dims.map((d) => constantOf(d) ?? 0),
  };
}

/** `o`, or `o div by`. */
function indexOf(e: Scalar): { readonly name: string; readonly by: number } | null {
  if (e.kind === "name") return { name: e.name, by: 1 };
  if (e.kind !== "call" || e.fn !== "floordiv") return null;
  const [of, by] = e.args;
  return of?.kind === "name" && by?.kind === "const" && by.value > 0 ? { name: of.name, by: by.value } : null;
}
