/** Block values: which block one is with what a frame knows, and whether two members of a family are the same block. */
import type { Expr } from "../../dsl/ast/nodes.ts";
import type { BlockValue, Static } from "../../dsl/checker/context.ts";
import { ungroup } from "../../dsl/checker/keys.ts";
import { ElaborationError, type Frame, type PlacedBlock } from "./context.ts";
import type { Setting } from "./enter.ts";
import { outside } from "./labels.ts";
import { mentions } from "./mentions.ts";

/** The block that a value is with what the frame knows. */
export function resolve(value: BlockValue, home: Frame): { block: BlockValue & { kind: "block" }; home: Frame } | null {
  switch (value.kind) {
    case "none":
      return null;
    case "block":
      return { block: value, home };
    case "opaque": {
      const placed = blockNamed(value.name, home);
      return placed === null ? null : resolve(placed.value, placed.home);
    }
    case "choice": {
      const condition = home.unit.rules.evaluate(value.condition, outside(home));
      if (condition.kind !== "static") throw new ElaborationError("which block this is must be known", value.span);
      return resolve(condition.value === true ? value.yes : value.no, home);
    }
    default:
      return value satisfies never;
  }
}

function blockNamed(name: string, home: Frame): PlacedBlock | null {
  for (let at: Frame | null = home; at !== null; at = at.outer) {
    const known = at.blocks.get(name);
    if (known !== undefined) return known;
    const slot = at.info.body.scope.names.get(name);
    if (slot?.value?.block != null) return { value: slot.value.block, home: at };
  }
  return null;
}

/** The frame with indices known: the member of a family. */
export const knowing = (frame: Frame, known: ReadonlyMap<string, Static>): Frame =>
  known.size === 0 ? frame : { ...frame, known: new Map([...frame.known, ...known]) };

export const settingsOf = (block: BlockValue & { kind: "block" }): ReadonlyMap<string, Setting> =>
  new Map([...block.args].map(([name, arg]) => [name, { block: arg.value.block, expr: arg.expr }]));

/** What a block is, its tensors aside: equal for members that can share kernels. */
export function blockKey(value: BlockValue, home: Frame): string {
  const resolved = resolve(value, home);
  if (resolved === null) return "null";
  const { block } = resolved;
  const args = [...block.args].map(([name, arg]) => {
    if (arg.value.block !== null) return `${name}=${blockKey(arg.value.block, resolved.home)}`;
    return arg.expr === null ? name : `${name}=${argumentKey(arg.expr, resolved.home)}`;
  });
  return `${block.decl.name.text}@${block.decl.span.source.path}(${args.join(",")})`;
}

/** Equal for members whose parameter has one value; what is no number is the text that it comes from. */
function argumentKey(expr: Expr, home: Frame): string {
  const e = ungroup(expr);
  const eq = outside(home);
  if (e.kind === "conditional") {
    const condition = home.unit.rules.evaluate(e.condition, eq);
    if (condition.kind === "static") return argumentKey(condition.value === true ? e.then : e.else, home);
  }
  const value = home.unit.rules.evaluate(e, eq);
  if (value.kind === "size") return value.dim.key;
  const known =
    value.kind === "static" ? value.value : home.label === "" ? home.unit.staticIn(e, home.known) : undefined;
  if (known !== undefined) return JSON.stringify(known, numberText);
  const members = [...home.known].filter(([index]) => mentions(e, index)).map(([index, at]) => `${index}=${at}`);
  return [spanKeyOf(e), ...members].join(" ");
}
/** What JSON has no number for, as text. */
const numberText = (_: string, v: unknown): unknown =>
  typeof v === "bigint" ? `${v}n` : typeof v === "number" && !Number.isFinite(v) ? String(v) : v;
const spanKeyOf = (e: Expr): string => `${e.span.source.path}:${e.span.start}`;
