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

/** Of a file whose hash is another. */
export const damaged = (file: string): CorruptPackageError =>
  new CorruptPackageError(file, "its bytes are not those that were compiled");
