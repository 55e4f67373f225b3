/** The kernels of a package as WebAssembly: checked, then functions. */
import { CorruptPackageError } from "../artifact/errors.ts";
import type { KernelDecl } from "../artifact/program.ts";
import type { KernelFunction } from "./thread-main.ts";

/** Throws CorruptPackageError for what is no module, or not that of these kernels. */
export async function compileKernels(
  bytes: Uint8Array<ArrayBuffer>,
  file: string,
  kernels: readonly KernelDecl[],
): Promise<WebAssembly.Module> {
  if (!WebAssembly.validate(bytes))
    throw new CorruptPackageError(file, "it is no WebAssembly module that this engine accepts");
  const module = await WebAssembly.compile(bytes);
  const imports = WebAssembly.Module.imports(module);
  if (
    imports.length !== 1 ||
    imports[0]?.kind !== "memory" ||
    imports[0].module !== "env" ||
    imports[0].name !== "memory"
  )
    throw new CorruptPackageError(file, "it imports something else than its memory");
  const functions = new Set(
    WebAssembly.Module.exports(module)
      .filter((e) => e.kind === "function")
      .map((e) => e.name),
  );
  const missing = kernels.find((k) => !functions.has(k.name));
  if (missing !== undefined) throw new CorruptPackageError(file, `it has no kernel ${JSON.stringify(missing.name)}`);
  return module;
}

/** Functions by ordinal of the kernel. Throws CorruptPackageError where one takes another number of arguments. */
export async function kernelFunctions(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  file: string,
  kernels: readonly KernelDecl[],
): Promise<readonly KernelFunction[]> {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } }).catch((cause: unknown) => {
    throw new CorruptPackageError(file, `it cannot be instantiated: ${String(cause)}`, cause);
  });
  return kernels.map((k) => {
    const f = exports[k.name];
    const parameters = 3 + k.buffers.length + k.sizes.length;
    if (!isKernel(f) || f.length !== parameters)
      throw new CorruptPackageError(file, `kernel ${JSON.stringify(k.name)} does not take ${parameters} arguments`);
    return f;
  });
}

const isKernel = (f: unknown): f is KernelFunction => typeof f === "function";
