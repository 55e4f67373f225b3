/** The modules of a package: one for each ability of an engine that a runtime chooses by, and the plain one as text for people. */
import type { ModuleWriter, PackageTarget } from "../../compiler/driver/package-target.ts";
import { inOneLine } from "../c-like/statements.ts";
import { loadBinaryen } from "./binaryen.ts";
import { type ModuleVariant, WasmModules } from "./module.ts";

const allVariants: readonly ModuleVariant[] = [
  { relaxed: false, shared: false },
  { relaxed: true, shared: false },
  { relaxed: false, shared: true },
  { relaxed: true, shared: true },
];

/** As the runtime looks for it. */
export const moduleName = ({ relaxed, shared }: ModuleVariant): string =>
  `${relaxed ? "relaxed" : "simd"}${shared ? "-threads" : ""}.wasm`;

/** `engine`: the name of the one module that it takes. */
export async function wasmWriter(engine?: string): Promise<ModuleWriter> {
  const variants = allVariants.filter((variant) => engine === undefined || moduleName(variant) === engine);
  const making = new WasmModules(await loadBinaryen(), variants);
  const about: string[] = [];
  return {
    add: (k) => {
      making.add(k);
      about.push(`;; ${k.name}: ${inOneLine(k.source)}\n`);
    },
    finish: () => {
      const made = making.finish((m, variant) => ({
        name: moduleName(variant),
        content: m.emitBinary(),
        text: variant.relaxed || variant.shared || engine !== undefined ? null : m.emitText(),
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
