/** What a backend gives to those who plan and compile for it. */

import type { Program } from "../../runtime/artifact/program.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { PackageFile } from "../package/package-file.ts";
import type { Compiled, CompileTarget } from "./compile.ts";

export interface PlanTarget {
  readonly target: CompileTarget;
  /** A kernel, as it was scheduled, as people read it there. */
  readonly textOf: (kernel: Kernel) => Promise<string>;
}

/** What becomes of a program's kernels. */
export interface Emitted {
  /** With what the target's runtime wants to know of its kernels. */
  readonly program: Program;
  /** What that runtime reads, and what is there for people alone; with names inside of `kernels/`. */
  readonly modules: readonly PackageFile[];
  readonly texts: readonly PackageFile[];
}

export interface EngineHost {
  readonly cores: number;
  /** Null where nobody says how many. */
  readonly threads: number | null;
}

export interface PackageTarget extends PlanTarget {
  /** What this process runs packages with, as far as modules hang on that. */
  readonly engine: (host: EngineHost) => string;
  /** The kernels are those that `lower` has proved. `engine`: for what says this of itself alone, and without texts; without it for all. */
  readonly emit: (compiled: Pick<Compiled, "program" | "kernels" | "scheduled">, engine?: string) => Promise<Emitted>;
  /** The same, of a program that stays as it is, from kernels as they come; where that takes long enough to be done beside planning. */
  readonly writer?: (engine?: string) => Promise<ModuleWriter>;
}

export interface ModuleWriter {
  readonly add: (kernel: Kernel) => void;
  /** Of all of them, in the order of their coming. */
  readonly finish: () => Pick<Emitted, "modules" | "texts">;
  /** Called last in any case. */
  readonly dispose: () => void;
}
