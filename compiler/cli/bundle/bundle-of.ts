/** What packages carry besides what is compiled: as it was bundled when dsc was built; in a checkout made anew when its sources changed. */
import { exitCodes } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import type { PackageRoot } from "../package-root.ts";
import type { BundleFile } from "./bundle-runtime.ts";
import { makeBundle } from "./make-bundle.ts";
import { storeBundle, storedBundle } from "./stored-bundle.ts";

/** `name`: of `bundleNames`. */
export async function bundleOf(home: PackageRoot, name: string): Promise<readonly BundleFile[] | Failure> {
  const stored = storedBundle(home, name);
  if (stored !== null) return stored;
  try {
    const bundle = await makeBundle(home.folder, name);
    storeBundle(home.folder, name, bundle);
    return bundle.files;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return new Failure(
      exitCodes.cannotReadOrWrite,
      `what packages carry (${name}) is missing, or older than its sources`,
      `\`npm run build\` in the folder of dsc makes it; it could not be made now: ${why.split("\n")[0] ?? ""}`,
    );
  }
}
