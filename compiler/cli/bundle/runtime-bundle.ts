/** The runtime that packages carry: as it was bundled when dsc was built; in a checkout made anew when its sources changed. */
import { exitCodes } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import type { PackageRoot } from "../package-root.ts";
import { type BundleFile, bundleRuntime } from "./bundle-runtime.ts";
import { storeBundle, storedBundle } from "./stored-bundle.ts";

export async function runtimeBundle(home: PackageRoot, target: string): Promise<readonly BundleFile[] | Failure> {
  const stored = storedBundle(home, target);
  if (stored !== null) return stored;
  try {
    const bundle = await bundleRuntime(home.folder, target);
    storeBundle(home.folder, target, bundle);
    return bundle.files;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return new Failure(
      exitCodes.cannotReadOrWrite,
      "the runtime that packages carry is missing, or older than its sources",
      `\`npm run build\` in the folder of dsc makes it; it could not be made now: ${why.split("\n")[0] ?? ""}`,
    );
  }
}
