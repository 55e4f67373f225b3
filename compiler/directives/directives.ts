/** What the text says of how values are kept and computed, by paths of definitions: data that compilation is handed. */
import type { StoredFormat } from "../../dsl/checker/directives/numerics.ts";
import type { Strategy } from "../../dsl/checker/directives/strategies.ts";
import { positionAt, type Span } from "../../dsl/diagnostics/source.ts";

export interface Directives {
  /** How values are kept, by path. */
  readonly formats: ReadonlyMap<string, StorageRule>;
  /** For each path at most one a kind of calls, and one for all. */
  readonly strategies: readonly StrategyRule[];
}

export interface StorageRule {
  readonly format: StoredFormat;
  readonly at: Span;
}

export interface StrategyRule {
  readonly path: string;
  readonly strategy: Strategy;
  /** The calls that it is for; null: all. */
  readonly calls: CallKind | null;
  readonly at: Span;
}

/** Calls that a phase of the model is for. */
export interface CallKind {
  readonly phase: string;
  readonly results: readonly string[];
  /** How many tokens, both ends included. */
  readonly from: number;
  readonly to: number;
}

/** `models/x.ds:12:3` */
export function placeText({ source, start }: Span): string {
  const { line, column } = positionAt(source, start);
  return `${source.path}:${line}:${column}`;
}

/** As a schedule has it. */
export function strategyText(s: Strategy): string {
  if (s.kind !== "tiled") return s.kind;
  const numbers = [
    ["rows", s.rows],
    ["tokens", s.tokens],
  ] as const;
  return `tiled(${numbers.flatMap(([name, n]) => (n === null ? [] : [`${name}: ${n}`])).join(", ")})`;
}
