/** What a backend gives to those who plan and compile for it. */

import type { Kernel } from "../kernel/kernel.ts";
import type { PackageFile } from "../package/package-file.ts";
import type { CompileTarget } from "./compile.ts";

export interface PlanTarget {
  readonly target: CompileTarget;
  /** A lowered kernel as people read it there. */
  readonly textOf: (kernel: Kernel) => Promise<string>;
}

export interface PackageTarget extends PlanTarget {
  /** The modules of lowered kernels, as a package's runtime looks for them, and the same as text. */
  readonly moduleFiles: (kernels: readonly Kernel[]) => Promise<readonly PackageFile[]>;
}
