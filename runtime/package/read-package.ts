/** The files of a package, as far as a call of `load` needs them. */
import { ReadError } from "../artifact/errors.ts";
import type { Program } from "../artifact/program.ts";
import { readProgram } from "../artifact/read-program.ts";
import { programFile } from "../artifact/read-value.ts";
import { type Hash, hashBytes } from "../session/hash.ts";
import type { Host } from "../session/host.ts";
import type { ReadOptions } from "../weights/byte-source.ts";

export interface ProgramFile {
  readonly program: Program;
  readonly hash: Hash;
}

export interface PackageFiles {
  /** The folder of the package. */
  readonly base: URL;
  readonly host: Host;
  readonly options: ReadOptions;
}

/** Throws ReadError, VersionError, CorruptPackageError. */
export async function readProgramFile({ base, host, options }: PackageFiles): Promise<ProgramFile> {
  const bytes = await host.readFile(new URL(programFile, base), options);
  if (bytes === null) throw new ReadError(`the package has no ${programFile}`);
  return { program: readProgram(bytes), hash: hashBytes(bytes) };
}

export interface KernelFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Name inside of the package. */
  readonly file: string;
  readonly simd: "baseline" | "relaxed";
  readonly threads: number;
}

/** The best of the modules that are there: with threads if they are wanted, else without. */
export async function readKernels(
  { base, host, options }: PackageFiles,
  simd: "baseline" | "relaxed",
  threads: number,
): Promise<KernelFile> {
  for (const count of threads > 1 ? [threads, 1] : [1])
    for (const kind of simd === "relaxed" ? (["relaxed", "baseline"] as const) : (["baseline"] as const)) {
      const file = `kernels/${kind === "relaxed" ? "relaxed" : "simd"}${count > 1 ? "-threads" : ""}.wasm`;
      const bytes = await host.readFile(new URL(file, base), options);
      if (bytes !== null) return { bytes, file, simd: kind, threads: count };
    }
  throw new ReadError("the package has no kernels/simd.wasm");
}
