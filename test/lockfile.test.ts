/**
 * The lockfile must serve every platform and every registry: a package for another platform that is missing from it makes
 * `npm ci` fail there, and a download address would tie it to the place where it was made.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface LockedPackage {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock: { readonly packages: Readonly<Record<string, LockedPackage>> } = JSON.parse(
  readFileSync(new URL("../package-lock.json", import.meta.url), "utf8"),
);
const locked = Object.entries(lock.packages).filter(([path]) => path !== "");

test("every locked package has a hash and no download address", () => {
  const wrong = locked.filter(([, entry]) => entry.integrity === undefined || entry.resolved !== undefined);
  expect(wrong.map(([path]) => path)).toEqual([]);
});

test("the optional packages of every platform are locked", () => {
  const missing = locked.flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).filter(
      (name) => !(`node_modules/${name}` in lock.packages) && !(`${path}/node_modules/${name}` in lock.packages),
    ),
  );
  expect(missing).toEqual([]);
});
