/** What a path of `numerics` and `schedule` names: `layer.attn.k`, families without an index, entries by their names. */
import type { Block, Expr, Fn, Name } from "../../ast/nodes.ts";
import { coverSpans, type Span } from "../../diagnostics/source.ts";
import { closest } from "../../diagnostics/suggest.ts";
import type { BlockArg, BlockValue, Entity, PathInfo } from "../context.ts";
import { lookup } from "../context.ts";
import { ungroup } from "../keys.ts";
import type { ModelPath } from "../model.ts";
import { childrenOf } from "../sums.ts";

export type Found =
  | { readonly kind: "value"; readonly entities: readonly Entity[] }
  /** It names something, but no value. */
  | { readonly kind: "other"; readonly says: string }
  /** It leads into what could not be read, which has been said. */
  | { readonly kind: "unknown" }
  | { readonly kind: "nothing"; readonly at: Span; readonly help: string | null; readonly replacement: string | null };

type Declared = (decl: Fn | Block) => { readonly paths: readonly PathInfo[] };

/** A declaration in place, on one of its paths. */
interface Place {
  readonly info: PathInfo;
  /** What fills the parameters of its block, and where that is written. */
  readonly args: ReadonlyMap<string, BlockArg>;
  readonly home: Place | null;
  /** Entries of the model, at its top. */
  readonly entries: ReadonlyMap<string, PathInfo>;
}
const none: ReadonlyMap<string, never> = new Map<string, never>();

export function findPath(path: readonly Name[], models: readonly ModelPath[], declared: Declared): Found {
  let places = models.map(
    ({ info, entries }): Place => ({
      info,
      args: none,
      home: null,
      entries: new Map([...entries].map(([name, entry]) => [name, entry.info])),
    }),
  );
  if (places.length === 0) return { kind: "unknown" };
  for (const [i, step] of path.entries()) {
    const steps = places.map((place) => next(step.text, place, declared));
    const entities = steps.flatMap(({ entity }) => (entity === null ? [] : [entity]));
    const inner = steps.flatMap((s) => s.inner);
    if (entities.length === 0 && inner.length === 0) return nothing(path, i, places, declared);
    if (i === path.length - 1) {
      if (entities.some(isValue)) return { kind: "value", entities: entities.filter(isValue) };
      const what = entities[0]?.source.kind ?? "entry";
      return { kind: "other", says: what === "part" ? "a part" : what === "entry" ? "an entry" : `a ${what}` };
    }
    if (inner.length === 0 && entities.some((e) => e.source.kind === "part" || e.source.kind === "broken"))
      return { kind: "unknown" };
    if (inner.length > 0) places = inner;
    else return nothing(path, i + 1, [], declared);
  }
  return { kind: "other", says: "nothing" };
}

const isValue = ({ source }: Entity): boolean =>
  source.kind === "definition" || source.kind === "weight" || source.kind === "state";

interface Step {
  readonly entity: Entity | null;
  readonly inner: readonly Place[];
}

function next(name: string, place: Place, declared: Declared): Step {
  const { info, entries } = place;
  const entry = entries.get(name);
  if (entry !== undefined) return { entity: null, inner: [{ info: entry, args: none, home: place, entries: none }] };
  const entity = info.body.scope.names.get(name) ?? null;
  const part = info.body.parts.get(name);
  if (part !== undefined) return { entity, inner: blocksOf(part.block, place, declared, 0) };
  return { entity, inner: entity === null ? [] : functionsIn(entity, place, declared) };
}

const mostDepth = 32;
/** Places of the blocks that a value may be: conditions are not decided here. */
function blocksOf(value: BlockValue, home: Place, declared: Declared, depth: number): readonly Place[] {
  if (depth > mostDepth) return [];
  switch (value.kind) {
    case "none":
      return [];
    case "block":
      return declared(value.decl).paths.map((info) => ({ info, args: value.args, home, entries: none }));
    case "choice":
      return [value.yes, value.no].flatMap((v) => blocksOf(v, home, declared, depth + 1));
    case "opaque": {
      const given = home.args.get(value.name)?.value.block ?? null;
      if (given !== null && home.home !== null) return blocksOf(given, home.home, declared, depth + 1);
      const slot = home.info.body.scope.names.get(value.name)?.value?.block ?? null;
      return slot === null || slot.kind === "opaque" ? [] : blocksOf(slot, home, declared, depth + 1);
    }
    default:
      return value satisfies never;
  }
}

/** Functions that a definition calls: what they define goes by the name of the definition, `p.m` for the m of softmax. */
function functionsIn({ source }: Entity, place: Place, declared: Declared): readonly Place[] {
  if (source.kind !== "definition") return [];
  const found = new Set<Fn>();
  const visit = (e: Expr): void => {
    const callee = e.kind === "call" ? ungroup(e.callee) : null;
    const entity = callee?.kind === "name" ? lookup(place.info.body.scope, callee.text) : null;
    if (entity?.source.kind === "fn") found.add(entity.source.decl);
    for (const child of childrenOf(e)) visit(child);
  };
  for (const equation of source.equations) visit(equation.value);
  return [...found].flatMap((fn) =>
    declared(fn).paths.map((info) => ({ info, args: none, home: place, entries: none })),
  );
}

function nothing(path: readonly Name[], i: number, places: readonly Place[], declared: Declared): Found {
  const [first, step] = [path[0], path[i]];
  if (first === undefined || step === undefined) return { kind: "other", says: "nothing" };
  const names = new Set(places.flatMap(namesIn));
  const before = path.slice(0, i).map((n) => n.text);
  // `hidden` for `forward.hidden`: what an entry defines goes by its name.
  const inEntries = places.flatMap(({ entries }) =>
    [...entries].flatMap(([entry, info]) => {
      const inside: Place = { info, args: none, home: null, entries: none };
      return next(step.text, inside, declared).entity === null ? [] : [`${entry}.${step.text}`];
    }),
  );
  const near = inEntries[0] ?? closest(step.text, names);
  if (near !== null && near !== undefined) {
    const rest = path.slice(i + 1).map((n) => n.text);
    const help = `did you mean \`${[...before, near, ...rest].join(".")}\`?`;
    return { kind: "nothing", at: step.span, help, replacement: near };
  }
  const listed = [...names].sort();
  const shown = `${listed.slice(0, 12).join(", ")}${listed.length > 12 ? ", …" : ""}`;
  const where = before.length === 0 ? "the model" : `\`${before.join(".")}\``;
  const help = listed.length === 0 ? `${where} has nothing in it` : `${where} has ${shown}`;
  return { kind: "nothing", at: step.span, help, replacement: null };
}

const namesIn = ({ info, entries }: Place): readonly string[] => [
  ...entries.keys(),
  ...[...info.body.scope.names.values()].filter((e) => isValue(e) || e.source.kind === "part").map((e) => e.name),
];

export const pathText = (path: readonly Name[]): string => path.map((n) => n.text).join(".");
export function pathSpan(path: readonly Name[], otherwise: Span): Span {
  const [first, last] = [path[0], path.at(-1)];
  return first === undefined || last === undefined ? otherwise : coverSpans(first.span, last.span);
}
