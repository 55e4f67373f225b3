/** The state of one elaboration, and frames that stand outside of any model. */
import type { Block, Expr, Fn, Law } from "../../dsl/ast/nodes.ts";
import type { DeclInfo, Static } from "../../dsl/checker/context.ts";
import { Builder } from "../graph/builder.ts";
import type { Dim } from "../graph/dim.ts";
import type { Append } from "../graph/node.ts";
import { numberOfDim } from "./arithmetic.ts";
import { call } from "./call.ts";
import type { FamilyRun, FormatRule, Memory, Rules, Unit } from "./context.ts";
import { define } from "./define.ts";
import { evaluate } from "./evaluate.ts";
import { Names } from "./index-variable.ts";

const rules: Rules = { evaluate, call, define };

export interface UnitOptions {
  readonly declared: (decl: Fn | Block | Law) => DeclInfo;
  /** Numbers of sizes that the config fixes; filled in while the model is read. */
  readonly numbers: Readonly<Record<string, number>>;
  readonly memories?: readonly Memory[];
  readonly config?: (expr: Expr) => Static | undefined;
  readonly staticIn?: (expr: Expr, known: ReadonlyMap<string, Static>) => Static | undefined;
  readonly keep?: (label: string) => boolean;
  readonly prefixOf?: (decl: object) => string;
  /** By path. */
  readonly format?: (path: string) => FormatRule | null;
}

/** The path of a definition as the text has it: `layer.attn.k` for `layer3.attn.k`. Inner families first: they are called by what is around. */
export function pathOf(label: string, runs: ReadonlyMap<string, FamilyRun>): string {
  let [best, family] = ["", ""];
  for (const [own, run] of runs) {
    const isAround = label === own || label.startsWith(`${own}.`);
    if (isAround && own !== run.family && own.length > best.length) [best, family] = [own, run.family];
  }
  return best === "" ? label : pathOf(`${family}${label.slice(best.length)}`, runs);
}

export function newUnit(options: UnitOptions): Unit {
  const pending: ((() => void) | null)[] = [];
  const effects: Append[][] = [[]];
  const runs = new Map<string, FamilyRun>();
  return {
    builder: new Builder(),
    names: new Names(),
    rules,
    declared: options.declared,
    numbers: options.numbers,
    number: (size: Dim) => numberOfDim(size, options.numbers),
    config: options.config ?? (() => undefined),
    staticIn: options.staticIn ?? (() => undefined),
    weights: new Map(),
    effects,
    memories: options.memories ?? [],
    prefixOf: options.prefixOf ?? (() => ""),
    runs,
    keep: (label) => options.keep?.(pathOf(label, runs)) ?? false,
    format: (label) => options.format?.(pathOf(label, runs)) ?? null,
    aliases: new Map(),
    places: new Map(),
    pending,
    settle: () => {
      for (let next = pending.pop(); next != null; next = pending.pop()) next();
      // Writes stand in the order of their states, whichever was asked for first.
      effects.at(-1)?.sort((a, b) => a.state.id - b.state.id);
    },
  };
}
