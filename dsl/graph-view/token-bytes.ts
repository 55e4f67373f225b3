/** What one token leaves behind, in bytes. */
import type { BlockInstance, ModelInstance } from "../checker/result.ts";
import { type TokenState, tokenStates } from "./token-memory.ts";

/** Bytes of an element, by format. */
const elementBytes: Readonly<Record<string, number>> = {
  f64: 8,
  f32: 4,
  bf16: 2,
  f16: 2,
  e4m3: 1,
  e5m2: 1,
  e8m0: 1,
  e2m1: 0.5,
  i64: 8,
  i32: 4,
  i8: 1,
  u8: 1,
  bool: 1,
};

/** In which a state may be kept whose type says no format. */
export const stateFormats: readonly string[] = ["f64", "f32", "bf16", "f16", "e4m3", "e5m2"];

/** Of all states in these blocks of the model, without scales of a packed format; null when a size is not known. */
export function tokenBytes(model: ModelInstance, blocks: readonly BlockInstance[], format: string): number | null {
  return sumOf(tokenStates({ ...model, blocks }), format);
}

/** Of the states in one part of a block of the model. */
export function tokenBytesIn(
  model: ModelInstance,
  block: BlockInstance,
  part: BlockInstance,
  format: string,
): number | null {
  const prefix = `${block.name}.${part.name}.`;
  const states = tokenStates({ ...model, blocks: [block] });
  return sumOf(
    states.filter(({ path }) => path.startsWith(prefix)),
    format,
  );
}

function sumOf(states: readonly TokenState[], format: string): number | null {
  let total = 0;
  for (const { copies, row, shape } of states) {
    const bytes = elementBytes[/\]\s*(\w+)$/.exec(shape)?.[1] ?? format];
    if (copies === null || row === null || bytes === undefined) return null;
    total += copies * row * bytes;
  }
  return total;
}
