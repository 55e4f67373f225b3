/** Parts of the runtime that few programs want: fetched by those that do. */
import { CorruptPackageError } from "../artifact/errors.ts";
import type { Program } from "../artifact/program.ts";
import { programFile } from "../artifact/read-value.ts";
import type { Formats } from "./stored/formats.ts";
import type { Tables } from "./tables/tables.ts";

export interface Features {
  readonly formats: Formats | null;
  readonly tables: Tables | null;
}

/** What loads a part of the runtime; null where a package comes without. */
export type Part<T> = (() => Promise<T>) | null;

export interface FeatureParts {
  readonly formats: Part<{ readonly formats: Formats }>;
  readonly tables: Part<{ readonly tables: Tables }>;
}

/** Throws CorruptPackageError where the package lacks one of them. */
export async function featuresOf({ decoders = [], tables = [] }: Program, parts: FeatureParts): Promise<Features> {
  return {
    formats: decoders.length === 0 ? null : (await partOf(parts.formats)).formats,
    tables: tables.length === 0 ? null : (await partOf(parts.tables)).tables,
  };
}

/** Of what a program plays with. Throws CorruptPackageError. */
export function partOf<T>(load: Part<T>): Promise<T> {
  if (load === null) throw new CorruptPackageError(programFile, "the package has not all that it is played with");
  return load();
}
