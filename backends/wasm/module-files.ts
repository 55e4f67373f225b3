/** The modules of a package: one for each ability of an engine that a runtime chooses by, and the plain one as text for people. */
import type { ModuleWriter, PackageTarget } from "../../compiler/driver/package-target.ts";
import { inOneLine } from "../c-like/statements.ts";
import { loadBinaryen } from "./binaryen.ts";
import { WasmModules } from "./module.ts";

const allVariants = [
  { name: "simd.wasm", relaxed: false, shared: false },
  { name: "relaxed.wasm", relaxed: true, shared: false },
  { name: "simd-threads.wasm", relaxed: false, shared: true },
  { name: "relaxed-threads.wasm", relaxed: true, shared: true },
] as const;

/** `engine`: what it is able to do, `relaxed` or `simd`. */
export async function wasmWriter(engine?: string): Promise<ModuleWriter> {
  const variants = allVariants.filter(({ relaxed }) => engine === undefined || relaxed === (engine === "relaxed"));
  const making = new WasmModules(await loadBinaryen(), variants);
  const about: string[] = [];
  return {
    add: (k) => {
      making.add(k);
      about.push(`;; ${k.name}: ${inOneLine(k.source)}\n`);
    },
    finish: () => {
      const made = making.finish((m, { relaxed, shared }) => ({
        name: variants.find((v) => v.relaxed === relaxed && v.shared === shared)?.name ?? "",
        content: m.emitBinary(),
        text: relaxed || shared || engine !== undefined ? null : m.emitText(),
      }));
      return {
        modules: made.map(({ name, content }) => ({ name, content })),
        texts: made.flatMap(({ text }) =>
          text === null ? [] : [{ name: "simd.wat", content: about.join("") + text }],
        ),
      };
    },
    dispose: () => making.dispose(),
  };
}

export const wasmFiles: PackageTarget["emit"] = async ({ program, kernels }, engine) => {
  const writer = await wasmWriter(engine);
  try {
    for (const k of kernels) writer.add(k);
    return { program, ...writer.finish() };
  } finally {
    writer.dispose();
  }
};
