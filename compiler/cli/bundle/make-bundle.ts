/** What is bundled when dsc is built: the runtime of each target and pages, which it hands on, and its own command line. */
import { bundleCommandLine } from "./bundle-command-line.ts";
import { bundlePage, pageNames } from "./bundle-page.ts";
import { type Bundle, bundleRuntime, runtimeNames } from "./bundle-runtime.ts";

const commandLine = "cli";

export const bundleNames: readonly string[] = [...runtimeNames, ...pageNames, commandLine];

/** `name`: of a target that there is a runtime for, of a page, or of the command line. */
export function makeBundle(folder: string, name: string): Promise<Bundle> {
  if (name === commandLine) return bundleCommandLine(folder);
  return pageNames.includes(name) ? bundlePage(folder, name) : bundleRuntime(folder, name);
}
