/** Which phase plays how many of the tokens that are left. */
import { CorruptPackageError } from "../artifact/errors.ts";
import type { Phase, Program } from "../artifact/program.ts";
import { programFile } from "../artifact/read-value.ts";

/** Logits of the last token, or of all. */
export type Wanted = "next" | "logits";

export interface Piece {
  /** Ordinal of the phase. */
  readonly phase: number;
  readonly tokens: number;
}

/** So many tokens at a time are worth more than logits that nobody asked for. */
const fewTokens = 16;

/**
 * The piece that takes most tokens, of at most `most`. For the last token's logits a phase of all logits does as well, but one
 * that computes no more than what is wanted goes first unless it takes few; for all logits one of the last does token by
 * token. Of equals the one made for fewer tokens. Null where none takes any.
 */
export function choosePiece(phases: readonly Phase[], left: number, most: number, wanted: Wanted): Piece | null {
  let best: (Piece & { readonly fits: boolean; readonly to: number }) | null = null;
  for (const [phase, { result, from, to }] of phases.entries()) {
    const alone = wanted === "logits" && result !== "logits";
    const tokens = Math.min(left, most, alone ? 1 : to);
    if (tokens < from || (result !== "next" && result !== "logits")) continue;
    const one = { phase, tokens, fits: result === wanted, to };
    if (best === null || better(one, best, Math.min(left, fewTokens))) best = one;
  }
  return best === null ? null : { phase: best.phase, tokens: best.tokens };
}

interface Candidate {
  readonly tokens: number;
  readonly fits: boolean;
  readonly to: number;
}

function better(a: Candidate, b: Candidate, enough: number): boolean {
  if (a.fits !== b.fits) {
    const fitting = a.fits ? a : b;
    if (fitting.tokens >= enough || a.tokens === b.tokens) return a.fits;
  }
  if (a.tokens !== b.tokens) return a.tokens > b.tokens;
  return a.to < b.to;
}

/** Any number of tokens can be played, in pieces of at most `most`. Throws CorruptPackageError. */
export function checkPhases({ phases, vocabulary }: Program, most: number): void {
  const wrong = (message: string): CorruptPackageError => new CorruptPackageError(programFile, message);
  if (choosePiece(phases, 1, most, "next") === null) throw wrong("no phase takes a single token");
  for (const { name, output } of phases)
    if (output.elem !== "f32") throw wrong(`phase ${name}: the result is ${output.elem}, not f32`);
  if (vocabulary > 2 ** 30) throw wrong("the vocabulary is too large");
}
