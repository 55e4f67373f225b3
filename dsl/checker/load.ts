/** Reading a project: the entry file and everything it imports. */
import type { File, Import } from "../ast/nodes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { makeSource } from "../diagnostics/source.ts";
import { closest } from "../diagnostics/suggest.ts";
import { parse } from "../parser/parse.ts";
import { type Recorder, report } from "./recorder.ts";

export interface LoadedFile {
  readonly path: string;
  readonly file: File;
  /** Where each import leads; null when it leads nowhere (reported). */
  readonly imports: readonly { readonly node: Import; readonly path: string | null }[];
}

export interface Project {
  readonly entry: string;
  /** In the order they were reached, the entry first. */
  readonly files: ReadonlyMap<string, LoadedFile>;
  /** What the parser found, in all files. */
  readonly syntax: readonly Diagnostic[];
}

export type ReadText = (path: string) => string | null;

/** More files than this are not followed: an import chain without end is an error of its own. */
const mostFiles = 1000;

export interface ParseCache {
  readonly get: (
    path: string,
    text: string,
  ) => { readonly file: File; readonly diagnostics: readonly Diagnostic[] } | null;
  readonly set: (
    path: string,
    text: string,
    parsed: { readonly file: File; readonly diagnostics: readonly Diagnostic[] },
  ) => void;
}

/** Keeps the last tree of each path; a text that has not changed is not parsed again. */
export function newParseCache(): ParseCache {
  const kept = new Map<
    string,
    { text: string; parsed: { readonly file: File; readonly diagnostics: readonly Diagnostic[] } }
  >();
  return {
    get: (path, text) => {
      const known = kept.get(path);
      return known !== undefined && known.text === text ? known.parsed : null;
    },
    set: (path, text, parsed) => {
      kept.set(path, { text, parsed });
    },
  };
}

export function loadProject(entry: string, read: ReadText, recorder: Recorder, cache: ParseCache): Project {
  const files = new Map<string, LoadedFile>();
  const open: string[] = [];
  const syntax: Diagnostic[] = [];
  const visit = (path: string, text: string): void => {
    const known = cache.get(path, text);
    const parsed = known ?? parse(makeSource(path, text));
    if (known === null) cache.set(path, text, parsed);
    recorder.diagnostics.push(...parsed.diagnostics);
    syntax.push(...parsed.diagnostics);
    const imports: { node: Import; path: string | null }[] = [];
    files.set(path, { path, file: parsed.file, imports });
    open.push(path);
    for (const node of parsed.file.imports) {
      const target = targetPath(path, node, recorder);
      if (target === null) {
        imports.push({ node, path: null });
        continue;
      }
      if (open.includes(target)) {
        report(recorder, "DS0105", {
          title: "imports form a cycle",
          at: node.from.span,
          label: [...open.slice(open.indexOf(target)), target].join(" imports "),
          help: "move what both need into a third file",
        });
        imports.push({ node, path: null });
        continue;
      }
      if (!files.has(target)) {
        const inner = files.size >= mostFiles ? null : read(target);
        if (inner === null) {
          const near = target.startsWith("std/") ? closest(target.slice(4, -3), libraryNames(read)) : null;
          report(recorder, "DS0110", {
            title: `no file \`${target}\``,
            at: node.from.span,
            label: "this file cannot be read",
            help: near === null ? null : `did you mean "std/${near}"?`,
          });
          imports.push({ node, path: null });
          continue;
        }
        visit(target, inner);
      }
      imports.push({ node, path: target });
    }
    open.pop();
  };
  const text = read(entry);
  if (text !== null) visit(entry, text);
  return { entry, files, syntax };
}

const libraryFiles = [
  "attention",
  "compressed",
  "decoder",
  "dsa",
  "engram",
  "hyper",
  "linear",
  "mla",
  "moe",
  "mtp",
  "norm",
  "quantization",
  "rope",
  "scalar",
  "softmax",
  "vision",
];
const libraryNames = (read: ReadText): readonly string[] =>
  libraryFiles.filter((name) => read(`std/${name}.ds`) !== null);

/** `std/norm` is a file of the library; other paths are relative to the importing file and stay in the project. */
function targetPath(from: string, node: Import, recorder: Recorder): string | null {
  const { value } = node.from;
  const withEnding = value.endsWith(".ds") ? value : `${value}.ds`;
  if (value === "") return null;
  if (value.startsWith("std/")) return withEnding;
  const leaves = (label: string): null => {
    report(recorder, "DS0106", {
      title: "import leaves the project",
      at: node.from.span,
      label,
      help: 'write "std/name" for the library, or a path that begins with `./`',
    });
    return null;
  };
  if (/^([A-Za-z]:|[/\\])/.test(value) || value.includes("\\") || value.includes("\0"))
    return leaves("an absolute path");
  if (!value.startsWith("./") && !value.startsWith("../")) {
    return leaves("neither a file of the library nor a relative path");
  }
  const parts = from.split("/").slice(0, -1);
  for (const part of withEnding.split("/")) {
    if (part === "." || part === "") continue;
    if (part === "..") {
      if (parts.length === 0 || parts[0] === "std") return leaves("this path leads out of the project's folder");
      parts.pop();
    } else parts.push(part);
  }
  return parts.join("/");
}
