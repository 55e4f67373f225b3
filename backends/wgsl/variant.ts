/** What of an adapter a text makes use of. Every kernel has a text for the plainest one. */
export interface WgslVariant {
  /** `shader-f16`: f16 is a type of memory, so that half a word is stored as such. Sums stay f32. */
  readonly f16: boolean;
  /** The language feature `packed_4x8_integer_dot_product`. */
  readonly packedDot: boolean;
  /**
   * Whether every buffer starts at a multiple of its widest access, so that memory is declared as vectors. Otherwise it may start at
   * any element, as rows of a state with an odd number of elements do, and is read by words.
   */
  readonly wholeVectors: boolean;
  /**
   * Loops whose turns have at most so many statements together say how many turns they have, where the kernel does; bounds of longer
   * ones are what a call gives. Some drivers write a loop of known length out, however long it is, and take minutes over a kernel.
   */
  readonly knownWork: number;
}
export const plainVariant: WgslVariant = { f16: false, packedDot: false, wholeVectors: true, knownWork: 64 };
