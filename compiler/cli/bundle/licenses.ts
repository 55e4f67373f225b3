/** The licences of what a bundle is made of, in full: packages carry them on. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** `sources`: paths inside of `folder`; those of an installed package name it. The first line is what SPDX calls them all. */
export function licensesOf(folder: string, sources: readonly string[]): string {
  const packages = [...new Set(sources.flatMap((path) => packageOf(path) ?? []))].sort();
  const entries = [entry("dsc", folder), ...packages.map((name) => entry(name, join(folder, "node_modules", name)))];
  const names = [...new Set(entries.map(({ license }) => license))].sort();
  return [`SPDX-License-Identifier: ${names.join(" AND ")}\n`, ...entries.map(({ text }) => text)].join("\n");
}

interface Entry {
  readonly license: string;
  readonly text: string;
}

const packageOf = (path: string): string | null =>
  /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(path)?.[1] ?? null;

function entry(name: string, folder: string): Entry {
  const about: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((f) => /^licen[cs]e(\.\w+)?$/i.test(f));
  if (file === undefined) throw new Error(`${name} comes without the text of its licence`);
  const [version, license] = [textAt(about, "version"), textAt(about, "license")];
  const text = readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n").trimEnd();
  const line = "=".repeat(80);
  return { license, text: `${line}\n${name} ${version}: ${license}\n${line}\n\n${text}\n` };
}

function textAt(about: unknown, key: string): string {
  const value = typeof about === "object" && about !== null ? Reflect.get(about, key) : undefined;
  if (typeof value !== "string") throw new Error(`a package.json has no ${key}`);
  return value;
}
