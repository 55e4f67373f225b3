/**
 * Causality: a value of a token depends on rows of memory no later than the token, and on no other token of the call.
 * So cutting a prompt into other chunks cannot change a result.
 */
import type { Span } from "../diagnostics/source.ts";
import { type Axis, indexAtom, indexToken, plainText, sizeOf } from "../types/axis.ts";
import { withNonNegative } from "../types/facts.ts";
import { add, asSymbol, atomsOf, mul, one, type Poly, printPoly, sub, value as valueAtom } from "../types/poly.ts";
import { isSurelyNonNegative } from "../types/prove.ts";
import { factsHere, fail } from "./conditions.ts";
import type { Body, Entity, EquationContext } from "./context.ts";
import { renameWithBounds, selfName } from "./values.ts";

/** For an axis of memory, one row a token or one for `per` tokens: which memory, and `per`. */
export interface MemoryAxis {
  readonly memory: string;
  readonly per: Poly;
}

export function memoryOf(axis: Axis, body: Body): MemoryAxis | null {
  const size = sizeOf(axis);
  if (size === null || axis.kind !== "plain") return null;
  const name = asSymbol(size);
  if (name !== null) return body.memories.has(name) ? { memory: name, per: one } : null;
  const [atom, ...others] = [...atomsOf(size).values()].filter((a) => a.kind === "floor");
  if (atom === undefined || atom.kind !== "floor" || others.length > 0) return null;
  const memory = asSymbol(atom.numerator);
  return memory !== null && body.memories.has(memory) && printPoly(size) !== "" && size.terms.length === 1
    ? { memory, per: atom.denominator }
    : null;
}

/** The positions of the token an equation is about: `pos[‹t›]`, one for each argument of positions. */
export function tokenPositions(eq: EquationContext): readonly Poly[] {
  if (eq.token === null) return [];
  const names = eq.body.tokens.get(eq.token.size) ?? [];
  return names.map((name) => valueAtom(`${name}[${printPoly(indexAtom(eq.token?.index.token ?? ""))}]`));
}

/** Row `at` of memory is complete for the token at `position`: (at + 1) * per <= position + 1. */
const completeBy = (at: Poly, per: Poly, position: Poly): Poly => sub(add(position, one), mul(add(at, one), per));

export function checkMemoryRead(
  axis: Axis,
  at: Poly | null,
  span: Span,
  eq: EquationContext,
  entity: Entity | null,
): void {
  const found = memoryOf(axis, eq.body);
  if (found === null || !eq.body.checksCausality) return;
  const around = [...eq.facts];
  eq.obligations.push(() => {
    if (eq.token === null || hasDoubtfulRange(at, eq)) return; // rows of memory by themselves, or something that is tainted by reading them all
    let facts = factsHere(eq);
    for (const fact of around) facts = withNonNegative(facts, fact);
    const positions = tokenPositions(eq);
    const proved = at !== null && positions.some((p) => isSurelyNonNegative(completeBy(at, found.per, p), facts));
    if (!proved) {
      reportLater(span, at === null ? null : plainText(printPoly(at)), found, eq);
      return;
    }
    const keep = entity?.source.kind === "state" ? entity.source.decl.keep : null;
    if (keep === null || at === null || entity === null) return;
    const reach = eq.body.shared.rules.infer(keep, eq).poly;
    if (reach === null) return;
    const near = positions.some((p) => isSurelyNonNegative(sub(reach, sub(p, mul(at, found.per))), facts));
    if (near) return;
    fail(eq.body, "DS0234", {
      title: `read reaches further back than \`keep ${plainText(printPoly(reach))}\``,
      at: span,
      label: `row \`${plainText(printPoly(at))}\` may lie further back`,
      secondary: [{ span: keep.span, text: "this many rows before the token's own are kept" }],
    });
  });
}

/** The set an index runs over is wrong itself, and has been reported. */
const hasDoubtfulRange = (at: Poly | null, eq: EquationContext): boolean =>
  at !== null &&
  eq.all.some(
    (info) =>
      info.ranges.some((r) => r.written && r.axis.kind === "unknown") &&
      [...atomsOf(at).values()].some((a) => a.kind === "index" && a.name === indexToken(info.token)),
  );

function reportLater(span: Span, at: string | null, found: MemoryAxis, eq: EquationContext): void {
  const position = (eq.body.tokens.get(eq.token?.size ?? "") ?? ["pos"])[0] ?? "pos";
  const token = eq.token?.index.name ?? "t";
  const bound =
    found.per.key === one.key
      ? `${at ?? "s"} <= ${position}[${token}]`
      : `${at ?? "s"} < (${position}[${token}] + 1) div ${plainText(printPoly(found.per))}`;
  fail(eq.body, "DS0232", {
    title: "a token may read what comes later",
    at: span,
    label: `row \`${at ?? "_"}\` of memory may belong to a later token`,
    help: `restrict it where the value is defined: \`where ${bound}\``,
  });
}

/** An open axis of memory in a value of a token must be restricted to rows no later than it. */
export function checkOpenMemory(axis: Axis, span: Span, eq: EquationContext): void {
  const found = memoryOf(axis, eq.body);
  if (found === null || !eq.body.checksCausality || eq.token === null) return;
  const member = indexAtom("row");
  let facts = factsHere(eq);
  for (const fact of axis.restriction?.facts ?? []) {
    facts = withNonNegative(facts, renameWithBounds(eq.body, fact, new Map([[selfName, member]])));
  }
  const proved = tokenPositions(eq).some((p) => isSurelyNonNegative(completeBy(member, found.per, p), facts));
  if (!proved) reportLater(span, "s", found, eq);
}

/** Facts that hold for every member of a set of memory rows that a token was given: none is later than the token. */
export function causalFacts(of: Axis, position: Poly, body: Body): readonly Poly[] {
  const found = memoryOf(of, body);
  return found === null ? [] : [completeBy(indexAtom(selfName), found.per, position)];
}

/** At the end of an equation: may it look at other tokens, or use what does? Returns whether its target is tainted. */
export function settleCausality(eq: EquationContext, hasToken: boolean, isWrite: boolean): boolean {
  const { body } = eq;
  const rows = eq.mixing.filter((m) => body.memories.has(m.size));
  const tokens = eq.mixing.filter((m) => body.tokens.has(m.size));
  // Along memory and tokens the declaration answers for itself, below; callers are told of all other sizes.
  for (const { size } of eq.mixing) {
    if (!body.checksCausality || !(body.memories.has(size) || body.tokens.has(size))) body.info.mixes.add(size);
  }
  if (!body.checksCausality) return false;
  if (hasToken || isWrite) {
    for (const { span } of tokens) {
      fail(body, "DS0232", {
        title: "a token looks at other tokens of the call",
        at: span,
        label: "tokens of a call meet only through state",
        help: "write what others need into a `state`, and read the rows with `s <= pos[t]`",
      });
    }
    for (const span of eq.taints) {
      fail(body, "DS0232", {
        title: "a token uses a value that depends on other tokens",
        at: span,
        label: "this was made from all tokens of the call, or from all of memory",
        help: "tokens of a call meet only through state, read with `s <= pos[t]`",
      });
    }
    return false;
  }
  return !eq.doubtful && (tokens.length > 0 || rows.length > 0 || eq.taints.length > 0);
}
