/** Parts of the runtime that few programs want: fetched by those that do. */
import type { Program } from "../artifact/program.ts";
import type { Formats } from "./stored/formats.ts";
import type { Tables } from "./tables/tables.ts";

export interface Features {
  readonly formats: Formats | null;
  readonly tables: Tables | null;
}

export async function featuresOf({ decoders = [], tables = [] }: Program): Promise<Features> {
  return {
    formats: decoders.length === 0 ? null : (await import("./stored/formats.ts")).formats,
    tables: tables.length === 0 ? null : (await import("./tables/tables.ts")).tables,
  };
}
