/** What packages carry besides what is compiled: the runtime of each target, and the page. */
import { bundlePage } from "./bundle-page.ts";
import { type Bundle, bundleRuntime, runtimeNames } from "./bundle-runtime.ts";

export const pageBundle = "page";
export const bundleNames: readonly string[] = [...runtimeNames, pageBundle];

/** `name`: of a target that there is a runtime for, or `pageBundle`. */
export const makeBundle = (folder: string, name: string): Promise<Bundle> =>
  name === pageBundle ? bundlePage(folder) : bundleRuntime(folder, name);
