/** The files of a package, as far as a call of `load` needs them. */
import { CorruptPackageError, ReadError } from "../artifact/errors.ts";
import { type Hash, hashBytes, hashText } from "../artifact/hash.ts";
import type { Program } from "../artifact/program.ts";
import { readProgram } from "../artifact/read-program.ts";
import { programFile } from "../artifact/read-value.ts";
import type { Host } from "../session/host.ts";
import type { ReadOptions } from "../weights/byte-source.ts";

export interface ProgramFile {
  readonly program: Program;
  readonly hash: Hash;
}

export interface PackageFiles {
  /** The folder of the package. */
  readonly base: URL;
  /** `hashText` of the program, as the package's entry has it; null where nobody says. */
  readonly expected: string | null;
  readonly host: Host;
  readonly options: ReadOptions;
}

/** Throws ReadError, VersionError, CorruptPackageError. */
export async function readProgramFile({ base, expected, host, options }: PackageFiles): Promise<ProgramFile> {
  const bytes = await host.readFile(new URL(programFile, base), options);
  if (bytes === null) throw new ReadError(`the package has no ${programFile}`);
  // First what can be said of it: a program of another format is not a damaged one.
  const program = readProgram(bytes);
  const hash = hashBytes(bytes);
  if (expected !== null && hashText(hash) !== expected) throw damaged(programFile);
  return { program, hash };
}

const damaged = (file: string): CorruptPackageError =>
  new CorruptPackageError(file, "its bytes are not those that were compiled");

export interface KernelFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Name inside of the package. */
  readonly file: string;
  readonly simd: "baseline" | "relaxed";
  readonly threads: number;
}

/** The best of the modules that are there: with threads if they are wanted, else without. Throws ReadError, CorruptPackageError. */
export async function readKernels(
  { base, host, options }: PackageFiles,
  { modules }: Program,
  simd: "baseline" | "relaxed",
  threads: number,
): Promise<KernelFile> {
  for (const count of threads > 1 ? [threads, 1] : [1])
    for (const kind of simd === "relaxed" ? (["relaxed", "baseline"] as const) : (["baseline"] as const)) {
      const file = `kernels/${kind === "relaxed" ? "relaxed" : "simd"}${count > 1 ? "-threads" : ""}.wasm`;
      const bytes = await host.readFile(new URL(file, base), options);
      if (bytes === null) continue;
      if (modules !== undefined && modules[file] !== hashText(hashBytes(bytes))) throw damaged(file);
      return { bytes, file, simd: kind, threads: count };
    }
  throw new ReadError("the package has no kernels/simd.wasm");
}
