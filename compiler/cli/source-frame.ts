/** A line of a stack as the sources have it: dsc is bundled, and each of its files has a map beside it. */
import { readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The line itself where its file has no map, or none that can be read. */
export function sourceFrame(line: string): string {
  const [place, file = "", row, column] =
    /(?<=\(|at )((?:file:\/\/)?\/[^()]*|[A-Za-z]:\\[^()]*):(\d+):(\d+)(?=\)?$)/.exec(line) ?? [];
  if (place === undefined) return line;
  try {
    const path = file.startsWith("file:") ? fileURLToPath(file) : file;
    const map = new SourceMap(JSON.parse(readFileSync(`${path}.map`, "utf8")) as SourceMapPayload);
    const from = map.findOrigin(Number(row), Number(column));
    if (!("fileName" in from)) return line;
    return line.replace(place, `${resolve(dirname(path), from.fileName)}:${from.lineNumber}:${from.columnNumber}`);
  } catch {
    return line;
  }
}
