/**
 * Parts of the runtime that many models and callers do without: each is loaded when it is asked for. In a package its own `parts.js` stands
 * for this file, in which what the package does not have is null (compiler/package/runtime-parts.ts).
 */
import type * as Keeping from "../cache/open-kept-weights.ts";
import type * as NodeFiles from "../node/node-host.ts";
import type * as Drafting from "../session/drafting.ts";
import type { Part } from "../session/features.ts";
import type * as StoredFormats from "../session/stored/formats.ts";
import type * as RowTables from "../session/tables/tables.ts";
import type * as Chat from "../text/chat.ts";
import type * as Texts from "../text/texts.ts";
import type * as Windows from "../webgpu/windows.ts";

export const formats: Part<typeof StoredFormats> = () => import("../session/stored/formats.ts");
export const tables: Part<typeof RowTables> = () => import("../session/tables/tables.ts");
export const drafting: Part<typeof Drafting> = () => import("../session/drafting.ts");
export const tokenizer: Part<typeof Texts> = () => import("../text/texts.ts");
export const chat: Part<typeof Chat> = () => import("../text/chat.ts");
export const windows: Part<typeof Windows> = () => import("../webgpu/windows.ts");
export const cache: Part<typeof Keeping> = () => import("../cache/open-kept-weights.ts");
export const node: Part<typeof NodeFiles> = () => import("../node/node-host.ts");
