/** The part of binaryen that spelling sees. The package takes over half a second to load, so only compiling loads it. */
import type binaryen from "binaryen";

export type Module = binaryen.Module;
/** Its type declarations show `Function` on modules, where it is not. */
export type Binaryen = typeof binaryen & Pick<Module, "Function">;
/** An expression of a module. It may stand in one place only. */
export type Ref = binaryen.ExpressionRef;
/** A type of WebAssembly values: i32, f32 or v128. */
export type WasmType = binaryen.Type;

export const loadBinaryen = async (): Promise<Binaryen> => (await import("binaryen")).default as Binaryen;
