/** What dsc hands on besides what it compiles: the runtime of each target, and pages. */
import { bundlePage, pageNames } from "./bundle-page.ts";
import { type Bundle, bundleRuntime, runtimeNames } from "./bundle-runtime.ts";

export const bundleNames: readonly string[] = [...runtimeNames, ...pageNames];

/** `name`: of a target that there is a runtime for, or of a page. */
export const makeBundle = (folder: string, name: string): Promise<Bundle> =>
  pageNames.includes(name) ? bundlePage(folder, name) : bundleRuntime(folder, name);
