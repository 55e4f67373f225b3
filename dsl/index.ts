/** Text to checked, typed model. Runs anywhere: files are read by a function that the caller gives. */
export { type CheckOptions, checkProject, type NamedText } from "./checker/check-project.ts";
export { newParseCache, type ParseCache, type ReadText } from "./checker/load.ts";
export type * from "./checker/result.ts";
export type { Code } from "./diagnostics/codes.ts";
export type { Diagnostic, Fix, Label } from "./diagnostics/diagnostic.ts";
export { renderAll, renderText } from "./diagnostics/render-text.ts";
export { makeSource, type Source, type Span } from "./diagnostics/source.ts";
export { formatSource } from "./format/format.ts";
export { parse } from "./parser/parse.ts";
