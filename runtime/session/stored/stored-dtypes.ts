import type { DtypeName } from "../../formats/dtypes.ts";

/** How files name the element types of the language. Published files hold e2m1 two a byte, as bytes. */
export const storedDtypes: Readonly<Record<string, readonly DtypeName[]>> = {
  e4m3: ["F8_E4M3"],
  e5m2: ["F8_E5M2"],
  e8m0: ["F8_E8M0"],
  e2m1: ["F4", "I8", "U8"],
  i8: ["I8"],
  u8: ["U8"],
};

/** Whether a file's elements are codes of the format that the text says a weight has. */
export const isOwnFormat = (format: string | undefined, dtype: DtypeName): boolean =>
  format !== undefined && dtype.startsWith("F") && (storedDtypes[format]?.includes(dtype) ?? false);
