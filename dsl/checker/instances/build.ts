/** Blocks and weights in place, each with what is below it. */
import type { StringLiteral } from "../../ast/nodes.ts";
import { spanText } from "../../diagnostics/source.ts";
import { plainText, printAxes, printAxis, sizeOf } from "../../types/axis.ts";
import { asNumber } from "../../types/poly.ts";
import { printElement, printValueType, type ValueType } from "../../types/value-type.ts";
import { firstNotRefuted } from "../choose-path.ts";
import type { PartInfo, PathInfo, Shared } from "../context.ts";
import { substituteType } from "../headers.ts";
import { report } from "../recorder.ts";
import type { BlockInstance, WeightInstance } from "../result.ts";
import { evaluateStatic } from "../static.ts";
import { showKnown, valuesIn } from "../use.ts";
import { enter } from "./enter.ts";
import { type BlockOf, blockName, countOf, type Env, mostDepth, resolve, sizeText } from "./env.ts";
import { variantsOf } from "./families.ts";
import { fillName, joinNames, type Place } from "./names.ts";

/** A weight where it stands, for the mapping to tensors. */
export interface PlacedWeight {
  readonly weight: WeightInstance;
  readonly decl: PathInfo["weights"][number]["decl"];
  readonly element: ValueType["element"];
  /** Indices in the names with the values they take; null: not known. */
  readonly indices: ReadonlyMap<string, readonly number[] | null>;
  /** The optional part it belongs to. */
  readonly optional: string | null;
  /** Alternatives that were not decided between read the same tensors rightly. */
  readonly undecided: boolean;
}

interface Builder {
  readonly part: (part: PartInfo, env: Env, place: Place) => readonly BlockInstance[];
  readonly weight: (weight: PathInfo["weights"][number], env: Env, place: Place) => WeightInstance;
}

export function builder(shared: Shared, placed: PlacedWeight[]): Builder {
  const weight: Builder["weight"] = ({ decl, type }, env, place) => {
    const bound = substituteType(type, env.bindings);
    const sizes = bound.axes.map((axis) => {
      const size = sizeOf(axis);
      return size === null ? null : asNumber(size);
    });
    const name = (literal: StringLiteral): string => joinNames(place.prefix, fillName(literal, env));
    const instance: WeightInstance = {
      name: decl.name.text,
      tensors: decl.spellings.map(name),
      copies: decl.copies.map(name),
      shape: plainText(printAxes(bound.axes)),
      sizes: sizes.every((s): s is number => s !== null) ? sizes : null,
      type: printElement(bound.element),
    };
    placed.push({
      weight: instance,
      decl,
      element: bound.element,
      indices: place.indices,
      optional: place.optional,
      undecided: place.undecided,
    });
    return instance;
  };

  const part: Builder["part"] = (info, env, place) => {
    if (place.depth > mostDepth) return [];
    const variants = variantsOf(info, env);
    const count = info.family === null ? null : countOf(info.family.axis, env);
    return variants.flatMap((variant): readonly BlockInstance[] => {
      const resolved = resolve(variant.block, variant.env);
      return resolved.flatMap(({ block, env: home, condition }) => {
        const whole = variants.length === 1 && resolved.length === 1;
        const inner: Place = {
          prefix:
            info.decl.at === null
              ? place.prefix
              : joinNames(place.prefix, fillName(info.decl.at, env, info.family?.index)),
          indices:
            info.family === null ? place.indices : new Map([...place.indices, [info.family.index, variant.members]]),
          optional: place.optional ?? (info.decl.optional === null ? null : info.decl.name.text),
          undecided: place.undecided || resolved.length > 1 || variant.undecided,
          depth: place.depth + 1,
        };
        const built = instance(info, block, home, variant.env, inner);
        if (built === null) return [];
        const text = [variant.condition, condition].filter((c) => c !== "").join(" and ");
        return [
          {
            ...built,
            family:
              info.family === null ? null : { index: info.family.index, size: sizeText(info.family.axis, env), count },
            members: whole || text === "" ? null : { condition: text, count: variant.members?.length ?? null },
            optional: info.decl.optional !== null,
          },
        ];
      });
    });
  };

  /** One block with its parameters and the sizes its call fixes. */
  const instance = (info: PartInfo, block: BlockOf, home: Env, caller: Env, place: Place): BlockInstance | null => {
    const decl = shared.rules.declared(block.decl);
    const { header } = decl;
    if (header === null) return null;
    const inner = enter(decl, block, home, info, caller);
    const path = firstNotRefuted(decl.paths, inner.scope);
    for (const require of path?.requires ?? []) {
      if (evaluateStatic(require.condition, inner.scope) !== false) continue;
      const isWhere = require.kind === "where";
      report(shared.recorder, isWhere ? "DS0123" : "DS0124", {
        title: isWhere ? "a condition on parameters fails" : "this block does not have that feature",
        at: info.decl.block.span,
        label: `\`${block.decl.name.text}\` is used, ${valuesIn(require.condition, inner.scope)}`,
        secondary: [{ span: require.condition.span, text: "this must hold" }],
      });
    }
    const params = header.settings.map((setting) => {
      const known = inner.scope.value(setting.name);
      const axis = inner.bindings.get(setting.name);
      const passed = inner.block(setting.name);
      const value =
        passed !== null
          ? blockName(passed.value, passed.env)
          : axis !== undefined && axis.kind !== "plain"
            ? plainText(printAxis(axis))
            : known !== undefined
              ? showKnown(known)
              : axis === undefined
                ? writtenArgument(block, setting.name)
                : plainText(printAxis(axis));
      return { name: setting.name, value };
    });
    const show = (type: ValueType): string => printValueType(substituteType(type, inner.bindings));
    const inputs = header.params.map((p) => `${p.name}: ${show(p.type)}`).join(", ");
    const outputs = header.results.map((r) => `${r.name}: ${show(r.type)}`).join(", ");
    return {
      name: info.decl.name.text,
      block: block.decl.name.text,
      doc: block.decl.doc,
      family: null,
      members: null,
      optional: false,
      params,
      signature: `${inputs} -> ${header.results.length === 1 ? outputs : `(${outputs})`}`,
      weights: path === null ? [] : path.weights.map((w) => weight(w, inner, place)),
      states:
        path === null
          ? []
          : path.states.map((s) => ({
              name: s.decl.name.text,
              shape: printValueType(substituteType(s.type, inner.bindings)),
            })),
      parts: path === null ? [] : path.parts.flatMap((p) => part(p, inner, place)),
    };
  };
  return { part, weight };
}

function writtenArgument(block: BlockOf, name: string): string {
  const expr = block.args.get(name)?.expr ?? null;
  if (expr === null) return "default";
  return expr.kind === "name" ? expr.text : spanText(expr.span); // what `..` took has the span of the `..`
}
