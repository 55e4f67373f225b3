/** Names that no kernel uses, so that emitted names are the names of the IR. */

import { isElem, readType } from "./elem.ts";
import { builtins } from "./kernel.ts";
import { isOp } from "./ops.ts";

/** Words of the text form, WGSL, C, C++ and CUDA, and functions that these have everywhere. */
const words: ReadonlySet<string> = new Set(
  `abs abstract active alias alignas alignof all any array as asm asm_fragment assert async atomic atomicLoad
  atomicStore atomicXor attribute auto await barrier become bitcast bool break case cast catch char clamp class
  co_await co_return co_yield coherent column_major common compile compile_fragment concept const const_assert
  const_cast consteval constexpr constinit continue continuing cos countLeadingZeros crate debugger decltype default
  delete demote demote_to_helper diagnostic discard do dot dot4I8Packed double dynamic_cast else enable end enum exp
  explicit export extends extern external extractBits fallthrough false filter final finally float floor fn for frag
  frag_load frag_store friend from func fxgroup get global goto groupshared half highp if impl implements import in
  inf inline instanceof int interface inverseSqrt kernel lane layout let local log long loop lowp macro macro_rules
  main mat2x2 match max mediump meta min mma mod module move mut mutable namespace nan new nil noexcept noinline
  nointerpolation non_coherent noncoherent noperspective NULL null nullptr of operator out over override package
  packoffset param partial passthrough patch pixelfragment pow precise precision premerge priv private protected ptr
  pub public read readonly reduce ref reg regardless register reinterpret_cast require requires reserved resource
  restrict result return sampler Self self set shared short signed sin size sizeof smooth snorm sqrt static
  static_assert static_cast std step storage storageBarrier struct subgroupAdd subgroupMax subgroupMin
  subgroupShuffleXor subroutine super switch target template texture this thread thread_local throw trait true try
  type typedef typeid typename typeof undef uniform union unless unorm unpack2x16float unroll unsafe unsigned unsized
  update use using var varying vec2 vec2f vec2h vec2i vec2u vec3 vec4 vec4f vec4h vec4i vec4u virtual void
  volatile wgsl where while with workgroup workgroupBarrier write writeonly xor yield`.split(/\s+/),
);
export const isReserved = (name: string): boolean =>
  words.has(name) || isOp(name) || isElem(name) || readType(name) !== null || builtins.includes(name);
export const isIdentifier = (name: string): boolean => /^[A-Za-z][A-Za-z0-9_]*$/.test(name) && !name.includes("__");
