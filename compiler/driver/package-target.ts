/** What a backend gives to those who compile for it. */

import type { Kernel } from "../kernel/kernel.ts";
import type { PackageFile } from "../package/package-file.ts";
import type { CompileTarget } from "./compile.ts";

export interface PackageTarget {
  readonly target: CompileTarget;
  /** The modules of lowered kernels, as a package's runtime looks for them, and the same as text. */
  readonly moduleFiles: (kernels: readonly Kernel[]) => Promise<readonly PackageFile[]>;
}
