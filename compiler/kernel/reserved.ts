/** Names that no kernel uses, so that emitted names are the names of the IR. */

import { isElem, readType } from "./elem.ts";
import { builtins } from "./kernel.ts";
import { isOp } from "./ops.ts";

/** Words of the text form, WGSL, C, C++ and CUDA, and functions that these have everywhere. */
const words: ReadonlySet<string> = new Set(
  `abs active alias alignas alignof array as asm assert atomic auto barrier bitcast bool break case catch char class clamp
  const continue default delete diagnostic discard do dot double else enable end enum exp explicit export extern false float
  floor fn for frag frag_load frag_store friend from func global goto half if import in inf inline int kernel lane let local
  log long loop main mat2x2 max min mma mod module mut mutable namespace nan new operator out over override param pow
  private protected ptr public read reduce ref reg register requires reserved result return self set shared short signed
  sin cos size sizeof sampler sqrt static step storage struct switch target template texture this thread throw true try
  type typedef typename undef uniform union unless unroll unsigned update using var vec2 vec3 vec4 virtual void volatile
  where while with workgroup write xor yield`.split(/\s+/),
);
export const isReserved = (name: string): boolean =>
  words.has(name) || isOp(name) || isElem(name) || readType(name) !== null || builtins.includes(name);
export const isIdentifier = (name: string): boolean => /^[A-Za-z][A-Za-z0-9_]*$/.test(name) && !name.includes("__");
