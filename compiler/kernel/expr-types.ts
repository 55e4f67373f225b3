/** Whether the types around one expression fit (invariants 1 to 3). */
import { type Elem, holds, i64, sameType, type Type, typeName, typeOf } from "./elem.ts";
import { resultType } from "./expr.ts";
import type { BufferAccess, Dot, Expr, Load } from "./kernel.ts";
import { type Op, ops } from "./ops.ts";
import type { Problem } from "./problem.ts";

export interface Place {
  readonly space: "buffer" | "shared" | "register";
  /** Of an element, or of one register. */
  readonly type: Type;
  readonly access: BufferAccess | null;
  readonly inPieces: boolean;
}
interface Known {
  readonly names: ReadonlyMap<string, Type>;
  readonly places: ReadonlyMap<string, Place>;
}

const wrong = (message: string): Problem => ({ rule: 2, message });
const types = (es: readonly Expr[]): string => es.map((e) => typeName(e.type)).join(", ");
const bits: ReadonlySet<Elem> = new Set(["f32", "i32", "u32"]);

/** The types of its children are taken as checked. */
export function checkExpr(e: Expr, known: Known): Problem | null {
  switch (e.kind) {
    case "const":
      return checkConst(e);
    case "wide":
      return sameType(e.type, i64) && BigInt.asIntN(64, e.value) === e.value ? null : wrong(`${e.value} is no i64`);
    case "name": {
      const type = known.names.get(e.name);
      if (type === undefined) return { rule: 1, message: `${e.name} is not declared here` };
      return sameType(type, e.type) ? null : wrong(`${e.name} is ${typeName(type)}, not ${typeName(e.type)}`);
    }
    case "op":
      return checkOp(e);
    case "convert": {
      const fits = e.arg.type.elem !== "bool" && e.type.elem !== "bool" && e.arg.type.width === e.type.width;
      return fits ? null : wrong(`${typeName(e.arg.type)} as ${typeName(e.type)}`);
    }
    case "bitcast": {
      const fits = bits.has(e.arg.type.elem) && bits.has(e.type.elem) && e.arg.type.width === e.type.width;
      return fits ? null : wrong(`the bits of ${typeName(e.arg.type)} as ${typeName(e.type)}`);
    }
    case "splat": {
      const fits = e.type.elem === e.arg.type.elem && e.type.width % e.arg.type.width === 0;
      return fits && e.type.width > e.arg.type.width ? null : wrong(`splat of ${typeName(e.arg.type)}`);
    }
    case "extract": {
      const fits = sameType(e.type, typeOf(e.arg.type.elem)) && e.lane < e.arg.type.width && e.arg.type.width > 1;
      return fits ? null : wrong(`lane ${e.lane} of ${typeName(e.arg.type)}`);
    }
    case "fold": {
      const { elem, width } = e.arg.type;
      const fits = width > 1 && (elem === "f32" || elem === "i32") && sameType(e.type, typeOf(elem));
      return fits ? null : wrong(`fold of ${typeName(e.arg.type)}`);
    }
    case "load":
      return checkLoad(e, known);
    case "dot":
      return checkDot(e);
    default:
      return e satisfies never;
  }
}

function checkConst(e: Extract<Expr, { kind: "const" }>): Problem | null {
  const { elem, width } = e.type;
  const last = e.value + (e.step ?? 0) * (width - 1);
  if (e.step !== undefined && (elem !== "i32" || width === 1)) return wrong(`a step in ${typeName(e.type)}`);
  return holds(elem, e.value) && holds(elem, last) ? null : wrong(`${e.value} is no ${elem}`);
}

function checkOp(e: Extract<Expr, { kind: "op" }>): Problem | null {
  const info: Op = ops[e.op];
  const bad = (): Problem => wrong(`${e.op} of ${types(e.args)}`);
  if (e.args.length !== info.arity) return bad();
  const data = e.op === "select" ? e.args.slice(1) : e.args;
  const [first] = data;
  if (first === undefined || data.some((a) => !sameType(a.type, first.type))) return bad();
  const { elem, width } = first.type;
  const defined = elem in info.on;
  const chooses = e.op !== "select" || (e.args[0]?.type.elem === "bool" && e.args[0].type.width === width);
  return defined && chooses && sameType(e.type, resultType(e.op, e.args)) ? null : bad();
}

function checkLoad(e: Load, known: Known): Problem | null {
  const place = known.places.get(e.from);
  if (place === undefined) return { rule: 1, message: `there is no memory ${e.from} here` };
  if (!sameType(e.index.type, typeOf("i32"))) return wrong(`an index of ${e.from} is ${typeName(e.index.type)}`);
  if (e.piece !== undefined && !sameType(e.piece.type, typeOf("i32")))
    return wrong(`a piece of ${e.from} is ${typeName(e.piece.type)}`);
  if (place.inPieces !== (e.piece !== undefined))
    return wrong(place.inPieces ? `${e.from} is in pieces: which one is not said` : `${e.from} is in one piece`);
  if (place.access === "write") return { rule: 3, message: `a load of ${e.from}, which is write` };
  const fits = place.space === "register" ? sameType(place.type, e.type) : place.type.elem === e.type.elem;
  return fits ? null : wrong(`${e.from} holds ${typeName(place.type)}, not ${typeName(e.type)}`);
}

function checkDot(e: Dot): Problem | null {
  const { a, b, acc } = e;
  const elem = e.group === 4 ? "i8" : "i16";
  const fits =
    (e.group === 4 || (e.group === 2 && !e.b7)) &&
    sameType(a.type, b.type) &&
    a.type.elem === elem &&
    a.type.width === acc.type.width * e.group &&
    acc.type.elem === "i32" &&
    sameType(e.type, acc.type);
  return fits ? null : wrong(`dot${e.group} of ${types([a, b, acc])}`);
}
