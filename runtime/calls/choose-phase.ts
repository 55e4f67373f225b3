/** Which phase plays how many of the tokens that are left. */
import { isChoice, isTemperature } from "../artifact/best-tokens.ts";
import { CorruptPackageError, OptionError } from "../artifact/errors.ts";
import type { Phase, Program } from "../artifact/program.ts";
import { programFile } from "../artifact/read-value.ts";

/** Logits of the last token, or of all. */
export type Logits = "next" | "logits";

export interface Wanted {
  readonly entry: string;
  readonly logits: Logits;
  /** Names of other outputs that are wanted: rows of all tokens. */
  readonly rows: readonly string[];
}

export interface Piece {
  /** Ordinal of the phase. */
  readonly phase: number;
  readonly tokens: number;
}

/** So many tokens at a time are worth more than logits that nobody asked for. */
const fewTokens = 16;

/**
 * The piece that takes most tokens behind `before` rows, of at most `most`. For the last token's logits a phase of all logits does
 * as well, but one that computes no other logits than are wanted goes first unless it takes few; for all logits one of the last does
 * token by token. A phase for fewer rows knows more of them: it goes first where it takes half as many tokens. Of equals the
 * one made for fewer tokens. Null where none takes any.
 */
export function choosePiece(
  phases: readonly Phase[],
  left: number,
  most: number,
  before: number,
  wanted: Wanted,
): Piece | null {
  let best: (Piece & Candidate) | null = null;
  for (const [phase, one] of phases.entries()) {
    const gives = logitsOf(one);
    if (one.entry !== wanted.entry || gives === null || !wanted.rows.every((name) => givesRows(one, name))) continue;
    const alone = wanted.logits === "logits" && gives !== "logits";
    const rows = one.rows?.to ?? Number.POSITIVE_INFINITY;
    const tokens = Math.min(left, most, alone ? 1 : one.to, rows - before);
    if (tokens < Math.max(one.from, (one.rows?.from ?? 1) - before)) continue;
    const fits = gives === wanted.logits;
    const found = { phase, tokens, fits, to: one.to, rows };
    if (best === null || better(found, best, Math.min(left, fewTokens))) best = found;
  }
  return best === null ? null : { phase: best.phase, tokens: best.tokens };
}

/** The pieces of so many tokens behind `before` rows. Throws OptionError where no phase takes some of them. */
export function piecesOf(
  phases: readonly Phase[],
  tokens: number,
  most: number,
  before: number,
  wanted: Wanted,
): readonly Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < tokens; ) {
    const piece = choosePiece(phases, tokens - at, most, before + at, wanted);
    if (piece === null) throw new OptionError(`no phase takes ${tokens - at} tokens`);
    pieces.push(piece);
    at += piece.tokens;
  }
  return pieces;
}

/** The first number of rows, below `context`, behind which no phase takes a single token; null where there is none. */
export function unplayed(phases: readonly Phase[], most: number, context: number, wanted: Wanted): number | null {
  for (let before = 0; before < context; ) {
    const piece = choosePiece(phases, 1, most, before, wanted);
    if (piece === null) return before;
    before = phases[piece.phase]?.rows?.to ?? context;
  }
  return null;
}

/** Most tokens of one call that gives all of this. 0 where none does. */
export const mostTokens = (phases: readonly Phase[], { entry, logits, rows }: Wanted): number =>
  Math.max(
    0,
    ...phases
      .filter((p) => p.entry === entry && logitsOf(p) === logits && rows.every((name) => givesRows(p, name)))
      .map((p) => p.to),
  );

/** Which logits a phase gives; null where it gives none. */
export function logitsOf({ outputs }: Phase): Logits | null {
  const found = outputs.find(({ name }) => name === "next" || name === "logits");
  return found === undefined ? null : found.name === "next" ? "next" : "logits";
}
const givesRows = ({ outputs }: Phase, name: string): boolean => outputs.some((o) => o.name === name);

interface Candidate {
  readonly tokens: number;
  readonly fits: boolean;
  readonly to: number;
  /** Most rows after the call. */
  readonly rows: number;
}

function better(a: Candidate, b: Candidate, enough: number): boolean {
  if (a.fits !== b.fits) {
    const fitting = a.fits ? a : b;
    if (fitting.tokens >= enough || a.tokens === b.tokens) return a.fits;
  }
  if (a.rows !== b.rows) {
    const [fewer, other] = a.rows < b.rows ? [a, b] : [b, a];
    if (2 * fewer.tokens >= other.tokens) return a === fewer;
  }
  if (a.tokens !== b.tokens) return a.tokens > b.tokens;
  return a.to < b.to;
}

/** Any number of tokens can be played, in pieces of at most `most`, up to `context` rows. Throws CorruptPackageError. */
export function checkPhases({ phases, vocabulary, entry }: Program, most: number, context: number): void {
  const wrong = (message: string): CorruptPackageError => new CorruptPackageError(programFile, message);
  const left = unplayed(phases, most, context, { entry, logits: "next", rows: [] });
  if (left !== null) throw wrong(`no phase takes a single token${left === 0 ? "" : ` behind ${left}`}`);
  for (const { name, inputs, outputs } of phases) {
    // Numbers of rows are whole.
    const numbers = phases.some((p) => p.lookups?.some((l) => l.phase === name));
    const other = numbers ? undefined : outputs.find((o) => o.elem !== "f32" && !isChoice(o));
    if (other !== undefined) throw wrong(`phase ${name}: ${other.name} is ${other.elem}, not f32`);
    const [, ...given] = inputs;
    const whole = given.find(({ elem }) => elem !== "f32");
    if (whole !== undefined) throw wrong(`phase ${name}: ${whole.name} is ${whole.elem}, not f32`);
  }
  const others = ({ inputs, lookups = [] }: Phase): number =>
    inputs.filter((x) => !isTemperature(x)).length - 1 - lookups.length;
  const fed = phases.find((p) => p.entry === entry && others(p) > 0);
  if (fed !== undefined) throw wrong(`phase ${fed.name} takes more than tokens`);
  if (vocabulary > 2 ** 30) throw wrong("the vocabulary is too large");
}
