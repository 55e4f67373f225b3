/** The modules of a package: one for each ability of an engine that a runtime chooses by, and the plain one as text for people. */
import type { PackageTarget } from "../../compiler/driver/package-target.ts";
import { inOneLine } from "../c-like/statements.ts";
import { wasmModules } from "./module.ts";

const allVariants = [
  { name: "simd.wasm", relaxed: false, shared: false },
  { name: "relaxed.wasm", relaxed: true, shared: false },
  { name: "simd-threads.wasm", relaxed: false, shared: true },
  { name: "relaxed-threads.wasm", relaxed: true, shared: true },
] as const;

/** `engine`: what it is able to do, `relaxed` or `simd`. */
export const wasmFiles: PackageTarget["emit"] = async ({ program, kernels }, engine) => {
  const variants = allVariants.filter(({ relaxed }) => engine === undefined || relaxed === (engine === "relaxed"));
  const made = await wasmModules(kernels, variants, (m, { relaxed, shared }) => ({
    bytes: m.emitBinary(),
    text: relaxed || shared || engine !== undefined ? null : m.emitText(),
  }));
  const modules = made.map(({ bytes }, i) => ({ name: variants[i]?.name ?? "", content: bytes }));
  const about = kernels.map((k) => `;; ${k.name}: ${inOneLine(k.source)}\n`).join("");
  const texts = made.flatMap(({ text }) => (text === null ? [] : [{ name: "simd.wat", content: `${about}${text}` }]));
  return { program, modules, texts };
};
