/** The directives of one compilation, while it goes from phase to phase: what they say of a node, and whether they are followed. */
import type { FamilyRun, FormatRule } from "../elaborate/context.ts";
import type { Elaborated } from "../elaborate/elaborate.ts";
import { pathOf } from "../elaborate/unit.ts";
import type { Graph } from "../graph/node.ts";
import { isComputed, nodesOf } from "../graph/walk.ts";
import type { Report } from "../passes/pass.ts";
import { DirectiveError } from "./directive-error.ts";
import type { CallKind, Directives, StorageRule, StrategyRule } from "./directives.ts";
import { phaseFor } from "./phase-calls.ts";
import { noStrategies, placeRules, type StrategyOf } from "./placed-rules.ts";
import { narrowRule } from "./read-directives.ts";

export class Rules {
  readonly #directives: Directives;
  readonly #kinds: readonly CallKind[];
  #runs: ReadonlyMap<string, FamilyRun> = new Map();
  /** Rules of definitions that some phase computes, with why a phase has no kernel for one. */
  readonly #missed = new Map<StrategyRule, string>();
  readonly #followed = new Set<StrategyRule>();
  /** `kinds`: the phases of the model. */
  constructor(directives: Directives, kinds: readonly CallKind[]) {
    this.#directives = directives;
    this.#kinds = kinds;
  }

  /** What is narrower than f32, by path. */
  readonly format = (path: string): FormatRule | null => narrowRule(this.#directives.formats.get(path));
  /** Of any value, by the label of its node. */
  readonly storageOf = (label: string): StorageRule | null =>
    this.#directives.formats.get(pathOf(label, this.#runs)) ?? null;

  /** Strategies for a phase of the program: its result, and the tokens that it is planned for. */
  place(of: Elaborated, result: string, tokens: number): StrategyOf {
    const { strategies } = this.#directives;
    this.#runs = new Map([...this.#runs, ...of.runs]);
    if (strategies.length === 0) return noStrategies;
    const labels = { pathOf: (label: string) => pathOf(label, of.runs), aliases: of.aliases };
    const placed = placeRules(strategies, phaseFor(this.#kinds, result, tokens), of.graph, labels);
    for (const rule of placed.met)
      if (!this.#missed.has(rule)) this.#missed.set(rule, "passes before it have put it into others");
    return placed.of;
  }

  /** Notes which rules the kernels of a phase obey: each node of the graph is one. */
  met(graph: Graph, strategy: StrategyOf, reports: readonly Report[]): void {
    const names = new Set(nodesOf(graph).flatMap((n) => (isComputed(n) ? [n.name] : [])));
    for (const name of names) {
      const rule = strategy(name);
      if (rule !== null) this.#followed.add(rule);
    }
    for (const { pass, node, decision } of reports) {
      for (const [, name = ""] of decision.matchAll(/%([\w.]+)/g)) {
        const rule = names.has(name) ? null : strategy(name);
        if (rule !== null) this.#missed.set(rule, `${pass} has put it into %${node}: ${decision}`);
      }
    }
  }

  /** Rules of definitions that no phase computes. */
  get unmet(): readonly StrategyRule[] {
    return this.#directives.strategies.filter((rule) => !this.#missed.has(rule));
  }

  /** Throws for a rule that no phase could follow, though it computes the definition. */
  settle(): void {
    for (const [rule, why] of this.#missed)
      if (rule.strategy.kind !== "fused" && !this.#followed.has(rule)) throw new DirectiveError(why, rule.at);
  }
}
