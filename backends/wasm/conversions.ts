/** Conversions between elems, lane by lane. Codes pass through f32, narrow integers through i32. */
import { type Elem, elems, type Type, typeName } from "../../compiler/kernel/elem.ts";
import type { Ref } from "./binaryen.ts";
import { decoded, encoded } from "./codes.ts";
import type { Address, Frame, Parts } from "./frame.ts";
import { i8ToI16, loadI8AsI16, loadWidened, narrowed, type Packed, packed, widened } from "./narrow.ts";
import { splatI32 } from "./simd.ts";

const isPacked = (elem: Elem): elem is Packed => elem !== "bool" && !elems[elem].computes;

/** A load that widens on the way; null where there is none for it. */
export function convertedLoad(f: Frame, from: Type, to: Type, { pointer, offset }: Address): Parts | null {
  if (!isPacked(from.elem)) return null;
  if (from.elem === "i8" && to.elem === "i16") return loadI8AsI16(f, from.width, pointer, offset);
  return fromLanes(f, from, to, loadWidened(f, from.elem, from.width, pointer, offset));
}

export function convertedFrom(f: Frame, from: Type, to: Type, parts: Parts): Parts {
  if (from.elem === to.elem) return parts;
  if (from.width === 1) return [convertedScalar(f, from, to, parts[0] ?? 0)];
  if (from.elem === "i8" && to.elem === "i16") return i8ToI16(f, parts, from.width);
  if (from.elem === "i16" && to.elem === "i8") return narrowed(f, parts, 2);
  return fromLanes(f, from, to, isPacked(from.elem) ? widened(f, from.elem, parts, from.width) : parts);
}

/** From lanes of 32 bits that hold `from`. */
function fromLanes(f: Frame, from: Type, to: Type, lanes: Parts): Parts {
  const { i32x4, f32x4 } = f.m;
  const { elem } = from;
  if (elem === "f16" || elem === "bf16") {
    const floats = lanes.map((x) => decoded(f, elem, x));
    return to.elem === "f32" ? floats : fromLanes(f, { ...from, elem: "f32" }, to, floats);
  }
  switch (to.elem) {
    case "f32":
      return lanes.map((x) => (elem === "u32" ? f32x4.convert_i32x4_u(x) : f32x4.convert_i32x4_s(x)));
    case "u32":
      return elem === "f32" ? lanes.map((x) => i32x4.trunc_sat_f32x4_u(x)) : lanes;
    case "i32":
      return elem === "f32" ? lanes.map((x) => i32x4.trunc_sat_f32x4_s(x)) : lanes;
    case "i8":
    case "i16": {
      const [low, high] = to.elem === "i8" ? [-128, 127] : [-32768, 32767];
      const bounded = (x: Ref): Ref =>
        i32x4.max_s(i32x4.min_s(i32x4.trunc_sat_f32x4_s(x), splatI32(f, high)), splatI32(f, low));
      return packed(f, to.elem, elem === "f32" ? lanes.map(bounded) : lanes);
    }
    case "f16":
    case "bf16": {
      const code = to.elem;
      if (elem !== "f32") return fromLanes(f, { ...from, elem: "f32" }, to, exactFloats(f, from, to, lanes));
      return packed(
        f,
        code,
        lanes.map((x) => encoded(f, code, x)),
      );
    }
    case "bool":
    case "i64":
      return f.refuse(`${typeName(from)} as ${typeName(to)}`);
    default:
      return to.elem satisfies never;
  }
}

/** Rounding to f32 first is no second rounding where the integer is exact in f32, or so large that an f16 saturates. */
function exactFloats(f: Frame, from: Type, to: Type, lanes: Parts): Parts {
  if (to.elem === "bf16" && elems[from.elem].bytes === 4)
    return f.refuse(`${typeName(from)} as bf16, which would be rounded twice`);
  return fromLanes(f, from, { ...from, elem: "f32" }, lanes);
}

function asI64(f: Frame, from: Type, value: Ref): Ref {
  const { i64 } = f.m;
  if (from.elem === "u32") return i64.extend_u(value);
  if (!elems[from.elem].float) return i64.extend_s(value);
  return i64.trunc_s_sat.f32(convertedScalar(f, from, { ...from, elem: "f32" }, value));
}
function fromI64(f: Frame, to: Type, value: Ref): Ref {
  if (to.elem === "f32") return f.m.f32.convert_s.i64(value);
  if (elems[to.elem].float) return f.refuse(`i64 as ${typeName(to)}, which would be rounded twice`);
  return convertedScalar(f, { ...to, elem: "i32" }, to, f.m.i32.wrap(value));
}

/** Of codes and of what is to be bounded: as one of four lanes. */
function convertedScalar(f: Frame, from: Type, to: Type, value: Ref): Ref {
  const { i32, f32, i32x4, f32x4 } = f.m;
  const [a, b] = [from.elem, to.elem];
  if (a === b) return value;
  const whole = (e: Elem): boolean => !elems[e].float;
  if (b === "i64") return asI64(f, from, value);
  if (a === "i64") return fromI64(f, to, value);
  if (a === "bf16" && b === "f32") return f32.reinterpret(i32.shl(value, i32.const(16)));
  if (a === "f32" && b === "i32") return i32.trunc_s_sat.f32(value);
  if (a === "f32" && b === "u32") return i32.trunc_u_sat.f32(value);
  if (whole(a) && b === "f32") return a === "u32" ? f32.convert_u.i32(value) : f32.convert_s.i32(value);
  if (whole(a) && b === "i8") return i32.extend8_s(value);
  if (whole(a) && b === "i16") return i32.extend16_s(value);
  if (whole(a) && (b === "i32" || b === "u32")) return value;
  const lanes = a === "f32" ? f32x4.splat(value) : i32x4.splat(value);
  const [part = 0] = fromLanes(f, { elem: a, width: 4 }, { elem: b, width: 4 }, [lanes]);
  switch (b) {
    case "f32":
      return f32x4.extract_lane(part, 0);
    case "i32":
    case "u32":
    case "bool":
      return i32x4.extract_lane(part, 0);
    case "i8":
      return f.m.i8x16.extract_lane_s(part, 0);
    case "i16":
      return f.m.i16x8.extract_lane_s(part, 0);
    case "f16":
    case "bf16":
      return f.m.i16x8.extract_lane_u(part, 0);
    default:
      return b satisfies never;
  }
}
