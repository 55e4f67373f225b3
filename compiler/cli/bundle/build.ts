/** What `npm run build` runs after the compiler: makes bundles where they are missing or their sources changed. */
import { findPackageRoot } from "../package-root.ts";
import { bundleNames, makeBundle } from "./make-bundle.ts";
import { storeBundle, storedBundle } from "./stored-bundle.ts";

const home = findPackageRoot();
for (const name of bundleNames)
  if (storedBundle(home, name) === null) storeBundle(home.folder, name, await makeBundle(home.folder, name));
