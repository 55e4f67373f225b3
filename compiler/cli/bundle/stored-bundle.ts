/** A bundle in `dist/bundle/` of dsc, by name: whether it is there and of these sources, and how it gets there. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PackageRoot } from "../package-root.ts";
import { type Bundle, type BundleFile, hashOf } from "./bundle-runtime.ts";

/** What the bundle was made of and what it holds: the last file that is written. */
interface Listing {
  readonly inputs: Readonly<Record<string, string>>;
  readonly files: readonly string[];
}

const place = (folder: string, name: string): string => join(folder, "dist", "bundle", name);
const listingName = "bundle.json";

/**
 * Null where it is missing, or older than the sources beside it. A source that is not there is not asked for: an installed
 * dsc may come without.
 */
export function storedBundle({ folder }: PackageRoot, name: string): readonly BundleFile[] | null {
  const own = place(folder, name);
  const listing = readListing(join(own, listingName));
  if (listing === null) return null;
  for (const [path, hash] of Object.entries(listing.inputs)) {
    const source = join(folder, path);
    if (existsSync(source) && hashOf(readFileSync(source)) !== hash) return null;
  }
  const missing = listing.files.some((name) => !existsSync(join(own, name)));
  if (missing) return null;
  return listing.files.map((name) => ({ name, content: readFileSync(join(own, name)) }));
}

/** Each file appears whole, the listing last: whoever reads meanwhile finds the old bundle, or none. What is old goes. */
export function storeBundle(folder: string, name: string, { files, inputs }: Pick<Bundle, "files" | "inputs">): void {
  const own = place(folder, name);
  mkdirSync(own, { recursive: true });
  const listing: Listing = { inputs, files: files.map(({ name }) => name) };
  const last = { name: listingName, content: new TextEncoder().encode(`${JSON.stringify(listing, null, 2)}\n`) };
  for (const { name, content } of [...files, last]) {
    const file = join(own, name);
    const draft = join(dirname(file), `.${name}-${process.pid}.tmp`);
    writeFileSync(draft, content, { mode: isScript(content) ? 0o755 : 0o644 });
    renameSync(draft, file);
  }
  const wanted = new Set([...listing.files, listingName]);
  for (const name of readdirSync(own))
    if (!wanted.has(name) && !name.endsWith(".tmp")) rmSync(join(own, name), { force: true });
}

/** What says itself what runs it. */
const isScript = ([first, second]: Uint8Array): boolean => first === 0x23 && second === 0x21;

function readListing(file: string): Listing | null {
  try {
    const listing: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isListing(listing) ? listing : null;
  } catch {
    return null;
  }
}

const isListing = (x: unknown): x is Listing =>
  typeof x === "object" && x !== null && "inputs" in x && "files" in x && Array.isArray(x.files);
