/** What `npm run build` runs after the compiler: makes the runtimes' bundles where they are missing or their sources changed. */
import { findPackageRoot } from "../package-root.ts";
import { bundleNames, bundleRuntime } from "./bundle-runtime.ts";
import { storeBundle, storedBundle } from "./stored-bundle.ts";

const home = findPackageRoot();
for (const target of bundleNames)
  if (storedBundle(home, target) === null) storeBundle(home.folder, target, await bundleRuntime(home.folder, target));
