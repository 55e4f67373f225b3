/** All files of a package, from what was compiled. The same input gives the same bytes: no clock, no path of the machine. */
import { hashBytes, hashText } from "../../runtime/artifact/hash.ts";
import type { Program } from "../../runtime/artifact/program.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { printKernel } from "../kernel/print.ts";
import { indexScript, indexTypes } from "./index-files.ts";
import { manifestText } from "./manifest.ts";
import { type PhaseCost, packageFacts } from "./package-facts.ts";
import type { PackageFile } from "./package-file.ts";
import { pageFiles } from "./page-files.ts";
import { programText } from "./program-text.ts";
import { readmeText } from "./readme.ts";
import { runtimeExports } from "./runtime-exports.ts";
import { type RuntimeWish, runtimeFiles } from "./runtime-parts.ts";

export interface PackageParts {
  readonly program: Program;
  /** Lowered, as the modules hold them. */
  readonly kernels: readonly Kernel[];
  readonly target: string;
  readonly cost: readonly PhaseCost[];
  /** What the backend has made of the kernels, with names inside of `kernels/`: what the runtime reads, and what people do. */
  readonly modules: readonly PackageFile[];
  readonly texts: readonly PackageFile[];
  /** The runtime's bundle: scripts, `runtime.d.ts` and `LICENSES`. */
  readonly runtime: readonly PackageFile[];
  /** The page's bundle, and what the page offers to load. */
  readonly page?: { readonly files: readonly PackageFile[]; readonly weights: string | null };
  /** What the runtime is to be able to do: all of it where it is not said. */
  readonly wish?: RuntimeWish;
  /** Without what people and their editors read, for a package that is only run. */
  readonly onlyRun?: boolean;
}

const licences = "LICENSES";
const runtimeTypes = "runtime.d.ts";

/** By name. */
export function packageFiles(parts: PackageParts): readonly PackageFile[] {
  const {
    program,
    kernels,
    target,
    cost,
    modules,
    texts,
    runtime,
    page,
    wish = { text: "chat", without: [] },
    onlyRun = false,
  } = parts;
  const facts = packageFacts(program, target, cost);
  const exports = runtimeExports(textOf(runtime, runtimeTypes));
  const inKernels = ({ name, content }: PackageFile): PackageFile => ({ name: `kernels/${name}`, content });
  const compiled = modules.map(inKernels);
  const hashes = Object.fromEntries(compiled.map(({ name, content }) => [name, hashOf(content)]));
  const text = programText({ ...program, modules: hashes });
  const read = (): readonly PackageFile[] => [
    { name: "index.d.ts", content: indexTypes(facts, exports) },
    { name: "README.md", content: readmeText(facts, page !== undefined) },
    { name: "kernels/kernels.dsk", content: kernels.map(printKernel).join("\n") },
    ...texts.map(inKernels),
  ];
  const files: readonly PackageFile[] = [
    { name: "index.js", content: indexScript(facts, exports, hashOf(text)) },
    { name: "program.json", content: text },
    ...(onlyRun ? [] : read()),
    ...compiled,
    ...(page === undefined ? [] : pageFiles(facts, page.files, page.weights)),
    ...runtimeFiles(runtime, program, wish).map(({ name, content }) => ({
      name: name === licences ? name : `runtime/${name}`,
      content,
    })),
  ];
  const names = files.map(({ name }) => name);
  const manifest = { name: "package.json", content: manifestText(facts, names, licenceOf(textOf(runtime, licences))) };
  return [...files, manifest].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const hashOf = (content: PackageFile["content"]): string =>
  hashText(hashBytes(typeof content === "string" ? new TextEncoder().encode(content) : content));

function textOf(files: readonly PackageFile[], name: string): string {
  const content = files.find((file) => file.name === name)?.content;
  if (content === undefined) throw new Error(`the runtime's bundle has no ${name}`);
  return typeof content === "string" ? content : new TextDecoder().decode(content);
}

/** What the first line of the licences calls them all. */
function licenceOf(text: string): string {
  const [, name] = /^SPDX-License-Identifier: (.+)$/m.exec(text) ?? [];
  if (name === undefined) throw new Error("the licences of the runtime's bundle have no name");
  return name;
}
