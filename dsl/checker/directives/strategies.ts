/** Strategies of schedules: their names, and the numbers they take. */
import type { Expr } from "../../ast/nodes.ts";
import type { Span } from "../../diagnostics/source.ts";
import { closest } from "../../diagnostics/suggest.ts";
import { ungroup } from "../keys.ts";

/** How one definition is to be computed. */
export type Strategy =
  /** A kernel of its own. */
  | { readonly kind: "apart" }
  /** Part of the kernels that read it, whatever that costs. */
  | { readonly kind: "fused" }
  /** A contraction in tiles of so many places; null: the number is left to the compiler. */
  | { readonly kind: "tiled"; readonly rows: number | null; readonly tokens: number | null }
  /** Without vectors, one place after the other. */
  | { readonly kind: "one_by_one" }
  /** A softmax in one pass over what it reduces. */
  | { readonly kind: "streamed" }
  /** Each of its reductions by itself. */
  | { readonly kind: "unstreamed" };

export const strategyNames = ["apart", "fused", "tiled", "one_by_one", "streamed", "unstreamed"] as const;

export interface NoStrategy {
  readonly title: string;
  readonly at: Span;
  readonly label: string;
  readonly help: string | null;
}
export type ReadStrategy =
  | { readonly ok: true; readonly strategy: Strategy }
  | { readonly ok: false; readonly problem: NoStrategy };

/** Places side by side that a kernel may hold. */
const mostPlaces = 64;

export function readStrategy(expr: Expr): ReadStrategy {
  const e = ungroup(expr);
  const callee = e.kind === "call" ? ungroup(e.callee) : e;
  const name = callee.kind === "name" ? strategyNames.find((n) => n === callee.text) : undefined;
  if (name === undefined) {
    const near = callee.kind === "name" ? closest(callee.text, strategyNames) : null;
    const title = callee.kind === "name" ? `there is no strategy \`${callee.text}\`` : "this is no strategy";
    const help = near === null ? `there is ${strategyNames.join(", ")}` : `did you mean \`${near}\`?`;
    return no(title, callee.span, "a strategy should stand here", help);
  }
  const args = e.kind === "call" ? e.args : [];
  if (name === "tiled") return tiled(args, callee.span);
  const [first] = args;
  if (first !== undefined)
    return no(`\`${name}\` takes no numbers`, first.kind === "spread" ? e.span : first.span, "leave this out", name);
  return { ok: true, strategy: { kind: name } };
}

const no = (title: string, at: Span, label: string, help: string | null): ReadStrategy => ({
  ok: false,
  problem: { title, at, label, help },
});

type Args = (Expr & { readonly kind: "call" })["args"];
function tiled(args: Args, at: Span): ReadStrategy {
  const usage = "`tiled(rows: 4, tokens: 2)`, or one of them";
  const numbers = new Map<string, number>();
  for (const arg of args) {
    if (arg.kind === "spread") return no("`tiled` takes numbers by name", at, "here", usage);
    const name = arg.name?.text ?? "";
    const value = ungroup(arg.value);
    if (name !== "rows" && name !== "tokens")
      return no(
        "`tiled` takes `rows` and `tokens`",
        arg.span,
        name === "" ? "which of them?" : "neither of them",
        usage,
      );
    if (numbers.has(name)) return no(`\`${name}\` is given twice`, arg.span, "given again here", usage);
    if (value.kind !== "number" || !Number.isInteger(value.value) || value.value < 1 || value.value > mostPlaces)
      return no(`\`${name}\` is a number from 1 to ${mostPlaces}`, arg.value.span, "this is none", usage);
    numbers.set(name, value.value);
  }
  if (numbers.size === 0) return no("`tiled` takes `rows` or `tokens`, or both", at, "none is given", usage);
  const strategy: Strategy = {
    kind: "tiled",
    rows: numbers.get("rows") ?? null,
    tokens: numbers.get("tokens") ?? null,
  };
  return { ok: true, strategy };
}
