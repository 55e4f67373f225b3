import type { PackageRoot } from "./package-root.ts";
import type { Terminal } from "./terminal.ts";

/** What a command is given besides its line. */
export interface Surroundings {
  readonly terminal: Terminal;
  readonly home: PackageRoot;
}
