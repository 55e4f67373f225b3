/** What `npm run build` runs after the compiler: makes the runtime's bundle where it is missing or its sources changed. */
import { findPackageRoot } from "../package-root.ts";
import { bundleRuntime } from "./bundle-runtime.ts";
import { storeBundle, storedBundle } from "./stored-bundle.ts";

const home = findPackageRoot();
if (storedBundle(home) === null) storeBundle(home.folder, await bundleRuntime(home.folder));
