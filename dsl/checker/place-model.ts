/** The last steps for a model: its config bound, what was left to sizes decided, its blocks in place, its tensors mapped. */
import type { Axis } from "../types/axis.ts";
import { plainAxis, plainText } from "../types/axis.ts";
import type { Bounds, Facts } from "../types/facts.ts";
import { constant, type Poly, printPoly } from "../types/poly.ts";
import { type BoundConfig, bindConfig, type ConfigText } from "./config.ts";
import type { Deferred, Shared } from "./context.ts";
import { substitutePoly } from "./headers.ts";
import type { PlacedWeight } from "./instances/build.ts";
import { instantiate } from "./instances.ts";
import type { CheckedModel, ModelPath } from "./model.ts";
import { report, spanKey } from "./recorder.ts";
import type { ModelInstance } from "./result.ts";
import { judge } from "./use.ts";
import { checkSharedTensors, checkWeights, type ListingText, type StorageFormat } from "./weights.ts";

export interface PlaceOptions {
  readonly config?: ConfigText;
  readonly settings?: ReadonlyMap<string, string>;
  readonly weights?: ListingText;
}

export interface PlacedModel {
  readonly model: ModelInstance;
  readonly path: ModelPath;
  readonly config: BoundConfig;
  readonly weights: readonly PlacedWeight[];
}

export function placeModel(checked: CheckedModel, options: PlaceOptions, shared: Shared): PlacedModel | null {
  const { recorder } = shared;
  const before = recorder.diagnostics.length;
  const config = bindConfig(checked, options.config, options.settings ?? new Map(), recorder);
  if (config.path === null) return null;
  decideDeferred(config.path, config, shared);
  if (recorder.diagnostics.slice(before).some((d) => d.severity === "error") && options.config !== undefined)
    return null;
  const instances = instantiate(checked, config, shared);
  if (instances === null) return null;
  checkSharedTensors(instances.weights, recorder);
  if (options.weights !== undefined) {
    const ignores = config.path.items.flatMap(({ item, ancestor }) =>
      item.kind === "ignore" ? [{ item, prefix: ancestor.prefix }] : [],
    );
    checkWeights(options.weights, instances.weights, ignores, storageOf(config.path, shared), recorder);
  }
  return { model: instances.model, path: config.path, config, weights: instances.weights };
}

/** What blocks left to their sizes is decided with the config's numbers; what hangs on run-time sizes is said. */
function decideDeferred(path: ModelPath, config: BoundConfig, shared: Shared): void {
  const bindings = new Map<string, Axis>();
  for (const name of path.body.scope.names.keys()) {
    const value = config.scope.value(name);
    if (typeof value === "bigint") bindings.set(name, plainAxis(constant(value)));
  }
  const map = (p: Poly): Poly => substitutePoly(p, bindings);
  const seen = new Set<string>();
  const entries = [...path.entries.values()].flatMap((e) => e.info.deferred);
  for (const deferred of new Set([...path.info.deferred, ...entries])) {
    const poly = map(deferred.poly);
    const answer = judge(deferred.kind, poly, mapFacts(deferred.facts, map));
    if (answer === "yes") continue;
    if (answer === "no") {
      report(shared.recorder, deferred.code, {
        title: titleOf(deferred),
        at: deferred.span,
        label: deferred.text,
        secondary: deferred.origin === null ? [] : [{ span: deferred.origin, text: "asked for here" }],
      });
      continue;
    }
    const text = `not proved: ${deferred.text} (${deferred.kind === "integral" ? `${plainText(printPoly(poly))} is whole` : `${plainText(printPoly(poly))} >= 0`})`;
    if (seen.has(text)) continue;
    seen.add(text);
    shared.recorder.unproved.set(`${spanKey(deferred.span)} ${text}`, { span: deferred.span, text });
  }
}

const titleOf = (deferred: Deferred): string =>
  deferred.code === "DS0205"
    ? "a size does not divide"
    : deferred.code === "DS0123"
      ? "a condition on parameters fails"
      : "read may be outside";

function mapFacts(facts: Facts, map: (p: Poly) => Poly): Facts {
  const bounds = new Map<string, Bounds>();
  for (const [key, { lower, upper }] of facts.bounds) {
    bounds.set(key, { lower: lower === null ? null : map(lower), upper: upper === null ? null : map(upper) });
  }
  return { bounds, nonNegative: facts.nonNegative.map(map), integral: facts.integral.map(map) };
}

/** Companions of a storage format: the tensors its block reads beside the one it is asked for. */
function storageOf(path: ModelPath, shared: Shared): readonly StorageFormat[] {
  return path.items.flatMap(({ item }): readonly StorageFormat[] => {
    if (item.kind !== "storage") return [];
    const callee = item.block.kind === "call" ? item.block.callee : item.block;
    const entity =
      callee.kind === "name"
        ? (path.body.scope.names.get(callee.text) ?? path.body.scope.parent?.names.get(callee.text))
        : undefined;
    if (entity?.source.kind !== "block") return [];
    const [first] = shared.rules.declared(entity.source.decl).paths;
    const companions = (first?.weights ?? [])
      .flatMap((w) => w.decl.spellings.map((s) => s.value))
      .filter((s) => s !== "{name}");
    return [{ scalar: item.scalar.text, companions, span: item.span }];
  });
}
