/** The value of a name, found when first asked for. */
import type { Equation, Expr, Item, ModelItem, Target } from "../ast/nodes.ts";
import { type Axis, indexAtom, indexToken, plainText, printAxis, sizeOf } from "../types/axis.ts";
import { withBounds } from "../types/facts.ts";
import { asConstant, indexKey, one, type Poly, sub, symbol, symbolKey, zero } from "../types/poly.ts";
import { type Element, isInteger, printValueType, type ValueType } from "../types/value-type.ts";
import { memoryOf } from "./causality.ts";
import { fail } from "./conditions.ts";
import {
  type BlockValue,
  type Body,
  type Entity,
  type EntitySource,
  lookup,
  type PartInfo,
  type Value,
} from "./context.ts";
import { newEquation } from "./equation-context.ts";
import { checkEquation, type Declared } from "./equations.ts";
import { bindIndex, rangeFrom } from "./indices.ts";
import { checkInterpolation } from "./interpolation.ts";
import { ungroup } from "./keys.ts";
import { leftOf } from "./left-side.ts";
import { addHover, declareSymbol, spanKey } from "./recorder.ts";
import { sizeNames } from "./signatures.ts";
import { typeFrom } from "./sizes.ts";
import { integerValue, makeValue, namedInteger, placeAtom, renameWithBounds, unknownValue } from "./values.ts";

export function define(entity: Entity, body: Body): Value {
  if (entity.state === "done" && entity.value !== null) return entity.value;
  if (entity.state === "busy") {
    if (entity.value !== null) return entity.value;
    fail(body, "DS0109", {
      title: `\`${entity.name}\` is defined by itself`,
      at: entity.span,
      label: "its definition leads back to it",
      help: "a recurrence runs along a static axis: `h[0] := …`, `h[l + 1] := f(h[l])`",
    });
    return unknownValue(entity.span);
  }
  entity.state = "busy";
  const value = valueFor(entity, entity.source, body);
  entity.value = value;
  entity.state = "done";
  noteDetail(entity, value, body);
  return value;
}

function noteDetail(entity: Entity, value: Value, body: Body): void {
  const { recorder } = body.shared;
  const detail = value.element.kind === "unknown" || value.element.kind === "block" ? "" : printValueType(value);
  const known = recorder.symbols.get(spanKey(entity.span));
  if (known !== undefined && known.detail === "" && detail !== "") declareSymbol(recorder, { ...known, detail });
  if (detail !== "" && !body.quiet) addHover(recorder, entity.span, `${entity.name}: ${detail}`);
}

function valueFor(entity: Entity, source: EntitySource, body: Body): Value {
  const { span } = entity;
  const eq = newEquation(body, span);
  switch (source.kind) {
    case "dim":
      return integerValue(symbol(entity.name), span, true, { kind: "integer", word: "dim" });
    case "runtime":
      return integerValue(symbol(entity.name), span, true, { kind: "integer", word: "dim" });
    case "argument":
      return declaredValue(entity, typeFrom(source.param.type, eq), false, body);
    case "param":
    case "field":
      return declaredValue(entity, typeFrom(source.decl.type, eq), true, body, source.decl.type.nullable !== null);
    case "weight":
      checkInterpolation([...source.decl.spellings, ...source.decl.copies], [], body);
      return makeValue(typeFrom(source.decl.type, eq), span);
    case "state":
      return stateValue(entity, typeFrom(source.decl.type, eq), body);
    case "slot": {
      const slot = newEquation(body, span, true);
      const value = body.shared.rules.infer(source.decl.value, slot);
      for (let i = 0; i < slot.obligations.length; i += 1) slot.obligations[i]?.();
      if (value.block === null && value.element.kind !== "unknown") {
        fail(body, "DS0227", {
          title: "a slot names a block",
          at: source.decl.value.span,
          label: `this is ${printValueType(value)}`,
          help: `\`block ${entity.name} = swiglu(..)\``,
        });
      }
      return value;
    }
    case "part":
      return partValue(entity, source, body);
    case "definition":
      return definitionValue(entity, source, body);
    default:
      return unknownValue(span);
  }
}

/** Parameters, arguments and config fields: integers are symbols, run-time integers are values of their name. */
function declaredValue(entity: Entity, type: ValueType, isStatic: boolean, body: Body, nullable = false): Value {
  const { span } = entity;
  if (type.element.kind === "block") {
    const block: BlockValue = { kind: "opaque", name: entity.name, signature: type.element.signature, span };
    return { ...makeValue(type, span, { isStatic: true }), block };
  }
  const known = isStatic || type.element.kind === "text" || isSize(type.element);
  if (type.axes.length === 0 && isInteger(type.element)) {
    if (known) {
      const element: Element = type.element;
      if (element.kind === "integer" && element.word !== "dim") {
        // An `int` may be negative; a `dim` is at least 1, which is what symbols are without bounds.
        body.facts = withBounds(body.facts, symbolKey(entity.name), { lower: null, upper: null });
        body.pathFacts = withBounds(body.pathFacts, symbolKey(entity.name), { lower: null, upper: null });
      }
      return makeValue(type, span, { poly: symbol(entity.name), isStatic: true });
    }
    return makeValue(type, span, { poly: namedInteger(body, entity.name, type.element) });
  }
  void nullable;
  return makeValue(type, span, { isStatic: known });
}

const isSize = (e: Element): boolean => e.kind === "integer" && (e.word === "dim" || e.word === "int");

function stateValue(entity: Entity, type: ValueType, body: Body): Value {
  const [first] = type.axes;
  if (first !== undefined && first.kind !== "unknown" && memoryOf(first, body) === null) {
    fail(body, "DS0233", {
      title: "first axis of a state is not memory",
      at: entity.span,
      label: `\`${entity.name}\` starts with ${plainText(printAxis(first))}`,
      help: "a state has one row a token, `[S, …]`, or one for m tokens, `[S div m, …]`, where positions are `in S`",
    });
    return unknownValue(entity.span);
  }
  if (first === undefined) {
    fail(body, "DS0233", {
      title: "first axis of a state is not memory",
      at: entity.span,
      label: "a state is one row a token",
      help: `\`state ${entity.name} : [S, …]\``,
    });
  }
  const memory = first === undefined ? null : memoryOf(first, body);
  if (memory !== null) body.info.remembers.add(memory.memory);
  return makeValue(type, entity.span);
}

function partValue(entity: Entity, source: EntitySource & { kind: "part" }, body: Body): Value {
  const { decl } = source;
  const eq = newEquation(body, decl.span, true);
  let family: PartInfo["family"] = null;
  const [item, ...more] = decl.subscript?.items ?? [];
  if (item !== undefined) {
    const inner = ungroup(item);
    const ranged = inner.kind === "binary" && inner.op === "in";
    const name = ranged ? ungroup(inner.left) : inner;
    if (!ranged || name.kind !== "name" || more.length > 0) {
      fail(body, "DS0212", {
        title: "a family says over what it runs",
        at: decl.subscript?.span ?? decl.span,
        label: "one index with its range should stand here",
        help: `\`part ${entity.name}[e in E] : …\``,
      });
    } else {
      const axis: Axis = rangeFrom(inner.right, eq);
      const info = bindIndex(name, "left", eq);
      info.isStatic = true;
      info.axis = axis;
      const size = sizeOf(axis);
      if (size !== null) {
        const bounds = { lower: zero, upper: sub(size, one) };
        body.facts = withBounds(body.facts, indexKey(indexToken(info.token)), bounds);
      }
      family = { index: name.text, axis };
      declareSymbol(body.shared.recorder, {
        name: name.text,
        kind: "index",
        span: name.span,
        scope: decl.span,
        doc: null,
        detail: `in ${plainText(printAxis(axis))}`,
      });
    }
  }
  if (decl.at !== null) checkInterpolation([decl.at], family === null ? [] : [family.index], body);
  const value = body.shared.rules.infer(decl.block, eq);
  for (let i = 0; i < eq.obligations.length; i += 1) eq.obligations[i]?.();
  if (value.block === null) {
    if (value.element.kind !== "unknown") {
      fail(body, "DS0227", {
        title: "a part is a block",
        at: decl.block.span,
        label: `this is ${printValueType(value)}`,
      });
    }
    return unknownValue(entity.span);
  }
  body.parts.set(entity.name, {
    decl,
    block: value.block,
    family,
    dims: new Map(),
    args: new Map(),
    fixed: fixedSizes(value.block),
  });
  return unknownValue(entity.span);
}

/** Sizes of a block's header that its weights have. */
function fixedSizes(block: BlockValue): ReadonlySet<string> {
  if (block.kind !== "block") return new Set();
  const found = new Set<string>();
  const visit = (items: readonly (Item | ModelItem)[]): void => {
    for (const item of items) {
      if (item.kind === "weight") for (const name of sizeNames([item.type]).keys()) found.add(name);
      if (item.kind === "if") {
        visit(item.then);
        visit(item.else ?? []);
      }
    }
  };
  visit(block.decl.items);
  return found;
}

/** One or several equations: cases, steps of a recurrence, or just a definition. */
function definitionValue(entity: Entity, source: EntitySource & { kind: "definition" }, body: Body): Value {
  const eq = newEquation(body, entity.span);
  const declaredType = source.declared === null ? null : typeFrom(source.declared.type, eq);
  const declaredAt = source.declared?.type.span ?? entity.span;
  if (source.equations.length === 0) {
    if (source.declared !== null) {
      fail(body, "DS0111", {
        title: `result \`${entity.name}\` is never defined`,
        at: source.declared.name.span,
        label: "no equation defines it",
        help: `\`${entity.name} := …\``,
      });
    }
    return declaredType === null ? unknownValue(entity.span) : makeValue(declaredType, entity.span);
  }
  const shapes = source.equations.map((equation) => ({ equation, target: targetOf(equation, entity.name) }));
  const steps = shapes.filter((s) => hasStep(s.target));
  const bases = shapes.filter((s) => !hasStep(s.target));
  const cases = caseCount(bases.map((s) => s.target));
  let base = null as Value | null;
  const declaredFor = (target: Target): Declared | null =>
    target.name.text !== entity.name
      ? declaredElsewhere(target, body)
      : {
          type: declaredType,
          span: declaredAt,
          cases,
          provisional: (value) => {
            entity.value = { ...(base ?? value), axes: withStep(base, value, target) };
          },
        };
  if (steps.length > 0)
    noteRuntimeRecurrence(
      entity,
      steps.map((s) => s.target),
      body,
    );
  for (const { equation, target } of [...bases, ...steps]) {
    const index = equation.targets.indexOf(target);
    const values = checkEquation(equation, body, declaredFor);
    const value = values[index];
    if (value === undefined) continue;
    if (base === null) {
      base = value;
      entity.body = bodyOf(equation, target, body, value);
    } else if (hasStep(target))
      base = { ...base, axes: value.axes.length === base.axes.length ? stepped(base, value, target) : base.axes };
  }
  if (shapes.length > 1 || cases > 0)
    checkCover(
      entity,
      shapes.map((s) => s.target),
      declaredType,
      body,
    );
  return base ?? unknownValue(entity.span);
}

export const targetOf = (equation: Equation, name: string): Target => {
  const target = equation.targets.find((t) => t.name.text === name) ?? equation.targets[0];
  return target ?? { name: { text: name, span: equation.span }, subscript: null, span: equation.span };
};

/** Another target of the same equation is defined by it too; its own declared type counts. */
function declaredElsewhere(target: Target, body: Body): Declared | null {
  const other = body.scope.names.get(target.name.text);
  if (other === undefined || other.source.kind !== "definition" || other.source.declared === null) return null;
  const eq = newEquation(body, target.span);
  return {
    type: typeFrom(other.source.declared.type, eq),
    span: other.source.declared.type.span,
    cases: 1,
    provisional: () => {},
  };
}

const stepPlace = (target: Target): number =>
  (target.subscript?.items ?? []).findIndex((item) => {
    const inner = ungroup(item);
    const subject = inner.kind === "binary" && inner.op === "in" ? ungroup(inner.left) : inner;
    return subject.kind === "binary" && subject.op === "+";
  });
const hasStep = (target: Target): boolean => stepPlace(target) >= 0;

function withStep(base: Value | null, value: Value, target: Target): readonly Axis[] {
  const place = stepPlace(target);
  const axis = value.axes[0] ?? { kind: "unknown", restriction: null };
  if (base === null) return value.axes;
  return base.axes.map((old, i) => (i === place ? axis : old));
}

function stepped(base: Value, value: Value, target: Target): readonly Axis[] {
  const place = stepPlace(target);
  return base.axes.map((axis, i) => (i === place ? (value.axes[i] ?? axis) : axis));
}

const isRunTime = (name: string, body: Body): boolean =>
  body.tokens.has(name) || body.memories.has(name) || lookup(body.scope, name)?.kind === "runtime";

/** DS0236: along a run-time axis nothing can be unrolled. */
function noteRuntimeRecurrence(entity: Entity, targets: readonly Target[], body: Body): void {
  for (const target of targets) {
    const item = target.subscript?.items[stepPlace(target)];
    const inner = item === undefined ? null : ungroup(item);
    if (inner?.kind !== "binary" || inner.op !== "in" || item === undefined) continue;
    const range = ungroup(inner.right);
    if (range.kind !== "name" || !isRunTime(range.text, body)) continue;
    fail(body, "DS0236", {
      title: "recurrence along a run-time axis",
      at: item.span,
      label: `\`${range.text}\` is known only when the model runs`,
      secondary: [{ span: entity.span, text: "the recurrence" }],
      help: "what one token leaves for the next is a `state`",
    });
  }
}

/** For an integer tensor whose subscripts are plain indices: its value in terms of its places. */
function bodyOf(equation: Equation, target: Target, body: Body, value: Value): Poly | null {
  if (value.axes.length === 0 || equation.targets.length !== 1 || !isInteger(value.element)) return null;
  const saved = body.facts;
  const quiet = body.quiet;
  body.quiet = true;
  const eq = newEquation(body, equation.span);
  const left = leftOf(target, eq);
  const by = new Map<string, Poly>();
  let plain = true;
  left.items.forEach((item, i) => {
    if (item.kind === "index") by.set(item.info.token, placeAtom(i));
    else if (item.kind === "tuple") {
      item.items.forEach((part, k) => {
        if (part.kind === "index") by.set(part.info.token, indexAtom(`#${i}.${k}`));
        else plain = false;
      });
    } else plain = false;
  });
  const poly =
    plain && left.items.length === value.axes.length ? body.shared.rules.infer(equation.value, eq).poly : null;
  const result = poly === null ? null : renameWithBounds(body, poly, by);
  body.quiet = quiet;
  body.facts = saved;
  return result;
}

/** Literal subscripts of a target, by place (`1.0` inside a tuple). */
function literalsOf(target: Target): ReadonlyMap<string, bigint> {
  const found = new Map<string, bigint>();
  const visit = (item: Expr, place: string): void => {
    const inner = ungroup(item);
    if (inner.kind === "number" && /^\d+$/.test(inner.text)) found.set(place, BigInt(inner.text));
    if (inner.kind === "tuple") for (const [i, part] of inner.items.entries()) visit(part, `${place}.${i}`);
  };
  for (const [i, item] of (target.subscript?.items ?? []).entries()) visit(item, String(i));
  return found;
}

function caseCount(targets: readonly Target[]): number {
  let most = 0n;
  for (const target of targets) for (const value of literalsOf(target).values()) if (value >= most) most = value + 1n;
  return most > 1_000_000n ? 0 : Number(most);
}

/** Several equations of one name must define each element exactly once. */
function checkCover(entity: Entity, targets: readonly Target[], declared: ValueType | null, body: Body): void {
  const secondary = targets.slice(0, -1).map((t) => ({ span: t.span, text: "also defined here" }));
  const bad = (at: Target, title: string, label: string): void =>
    fail(body, "DS0216", { title, at: at.span, label, secondary: secondary.slice(0, 3) });
  const places = new Set(targets.flatMap((t) => [...literalsOf(t).keys()]));
  const steps = targets.filter(hasStep);
  const [last] = targets.slice(-1);
  if (last === undefined) return;
  const seen = new Map<string, Target>();
  const bases = targets.filter((t) => !hasStep(t));
  for (const target of bases) {
    const literals = literalsOf(target);
    if ([...places].some((p) => !literals.has(p)) && bases.length > 1) {
      bad(target, `cases of \`${entity.name}\` overlap`, "this defines what another case defines");
      return;
    }
    const key = [...places].map((p) => String(literals.get(p))).join(",");
    if (seen.has(key)) {
      if (places.size === 0) {
        fail(body, "DS0102", {
          title: `\`${entity.name}\` is defined twice`,
          at: target.span,
          label: "defined again here",
          secondary: [{ span: seen.get(key)?.span ?? entity.span, text: "first defined here" }],
          help: "nothing is redefined: give the second a name of its own",
        });
        return;
      }
      bad(target, `cases of \`${entity.name}\` overlap`, "this case is defined twice");
      return;
    }
    seen.set(key, target);
  }
  if (steps.length > 1) {
    bad(last, `cases of \`${entity.name}\` overlap`, "two steps of one recurrence");
    return;
  }
  if (steps.length === 1) {
    const place = stepPlace(last);
    const late = bases.find((t) => [...literalsOf(t)].some(([at, value]) => at === String(place) && value !== 0n));
    if (late !== undefined) {
      bad(late, `cases of \`${entity.name}\` leave a gap`, "a recurrence starts at 0");
      return;
    }
    if (bases.length === 0) {
      bad(last, `\`${entity.name}\` has no start`, "its step needs a first row: `h[0] := …`");
      return;
    }
    return;
  }
  // Without a recurrence, literals must run through the whole of their axis.
  let expected = 1;
  for (const place of places) {
    const values = new Set(bases.map((t) => literalsOf(t).get(place)));
    const size = declaredSizeAt(place, declared);
    const count = size ?? values.size;
    expected *= count;
    for (let i = 0; i < count; i += 1) {
      if (!values.has(BigInt(i))) {
        bad(last, `cases of \`${entity.name}\` leave a gap`, `case ${i} is not defined`);
        return;
      }
    }
    if (values.size > count) {
      bad(last, `cases of \`${entity.name}\` go beyond the axis`, `it has ${count} indices`);
      return;
    }
  }
  if (places.size > 0 && seen.size !== expected)
    bad(last, `cases of \`${entity.name}\` leave a gap`, `${expected} cases are needed, here are ${seen.size}`);
}

function declaredSizeAt(place: string, declared: ValueType | null): number | null {
  const [i, k] = place.split(".").map(Number);
  const axis = i === undefined ? undefined : declared?.axes[i];
  const part = k === undefined ? axis : axis?.kind === "merged" ? axis.parts[k] : undefined;
  const size = part === undefined ? null : sizeOf(part);
  const known = size === null ? null : asConstant(size);
  return known === null || known > 1_000_000n ? null : Number(known);
}
