/** Addresses of files, and the texts an editor holds open. Paths are absolute with `/`, also on Windows (`c:/home/a.ds`). */

import type { Location, Position, Range } from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { Source, Span } from "../../dsl/diagnostics/source.ts";

/** Texts without a file (`untitled:`) get a folder of their own, so that nothing is looked for beside them. */
const unsavedFolder = "/~unsaved/";

export function pathOfUri(uri: string): string {
  const file = /^file:\/\/([^/?#]*)(\/[^?#]*)?/i.exec(uri);
  if (file === null) return `${unsavedFolder}${encodeURIComponent(uri)}/text.ds`;
  const host = file[1] ?? "";
  const path = unescapeUri(file[2] ?? "/");
  if (host !== "" && host.toLowerCase() !== "localhost") return `//${host}${path}`;
  return /^\/[A-Za-z]:/.test(path) ? lowerDrive(path.slice(1)) : path;
}

/** The spelling editors use: everything outside the unreserved characters is escaped, the drive's colon too. */
export function uriOfPath(path: string): string {
  const escaped = path.split("/").map(escapeSegment).join("/");
  if (path.startsWith("//")) return `file:${escaped}`;
  return path.startsWith("/") ? `file://${escaped}` : `file:///${escaped}`;
}

/** A path as the operating system spells it (`C:\work\a.ds`) with `/` and a lower-case drive letter. */
export const withSlashes = (path: string): string => lowerDrive(path.replaceAll("\\", "/"));

export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));

const lowerDrive = (path: string): string =>
  /^[A-Za-z]:/.test(path) ? path.charAt(0).toLowerCase() + path.slice(1) : path;

function unescapeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const escapeSegment = (segment: string): string =>
  encodeURIComponent(segment).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** What the editor holds open, by path. Addresses are given back to the editor in its own spelling. */
export class OpenDocuments {
  private readonly byPath = new Map<string, TextDocument>();
  /** How the editor spelled files and folders that it named, closed ones included. */
  private readonly spellings = new Map<string, string>();

  put(document: TextDocument): string {
    const path = pathOfUri(document.uri);
    this.byPath.set(path, document);
    this.spellings.set(path, document.uri);
    const folder = folderOf(path);
    if (!this.spellings.has(folder)) this.spellings.set(folder, folderOf(document.uri));
    return path;
  }

  drop(uri: string): string {
    const path = pathOfUri(uri);
    this.byPath.delete(path);
    return path;
  }

  /** Takes note of a folder the editor named; gives its path, without a slash at its end. */
  putFolder(uri: string): string {
    const path = pathOfUri(uri).replace(/(?<=.)\/+$/, "");
    this.spellings.set(path, uri.replace(/\/+$/, ""));
    return path;
  }

  get(path: string): TextDocument | undefined {
    return this.byPath.get(path);
  }

  paths(): readonly string[] {
    return [...this.byPath.keys()];
  }

  uriOf(path: string): string {
    const own = this.spellings.get(path);
    if (own !== undefined) return own;
    for (let folder = folderOf(path); folder !== ""; folder = folderOf(folder)) {
      const spelled = this.spellings.get(folder);
      if (spelled !== undefined) return spelled + path.slice(folder.length).split("/").map(escapeSegment).join("/");
    }
    return uriOfPath(path);
  }
}

const asDocument = new WeakMap<Source, TextDocument>();

/** A source with the editor's notion of lines: `\r` alone ends one too. */
function documentOf(source: Source): TextDocument {
  const known = asDocument.get(source);
  if (known !== undefined) return known;
  const made = TextDocument.create(source.path, "dsc", 0, source.text);
  asDocument.set(source, made);
  return made;
}

export function rangeOf(span: Span): Range {
  const document = documentOf(span.source);
  return { start: document.positionAt(span.start), end: document.positionAt(span.end) };
}

export const positionOf = (source: Source, offset: number): Position => documentOf(source).positionAt(offset);

export const offsetOf = (source: Source, position: Position): number => documentOf(source).offsetAt(position);

export const locationOf = (uri: string, span: Span): Location => ({ uri, range: rangeOf(span) });
