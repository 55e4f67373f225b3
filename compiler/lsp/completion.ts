/** What can stand at the cursor. Names come from the last check, which a half-typed line does not empty. */
import { type CompletionItem, CompletionItemKind, InsertTextFormat } from "vscode-languageserver/node";
import type { Declaration, Expr, Item, ModelItem, Param, ParamDecl, TypeNode } from "../../dsl/ast/nodes.ts";
import { coreNames, isReduction, scalarFunctions } from "../../dsl/checker/builtins.ts";
import type { CheckResult, SymbolInfo, SymbolKind } from "../../dsl/checker/result.ts";
import { makeSource, spanText } from "../../dsl/diagnostics/source.ts";
import { parse } from "../../dsl/parser/parse.ts";
import { describe } from "./hover.ts";
import { declarationOf, visibleSymbols } from "./symbol-at.ts";
import { type Frame, type TextBefore, textBefore } from "./text-before.ts";
import { bodyWords, continuationWords, fileWords, modelWords, typeWords, valueWords } from "./words.ts";
import type { Checked, Workspace } from "./workspace.ts";

export interface Situation {
  readonly workspace: Workspace;
  readonly checked: Checked;
  readonly text: string;
  readonly offset: number;
  /** The last check of the file whose text could be read as a whole; its names stand in for those a broken text lost. */
  readonly lastGood: Checked | null;
}

export function complete(situation: Situation): readonly CompletionItem[] {
  const before = textBefore(situation.text, situation.offset);
  if (before.inside === "comment") return [];
  const statement = importStatement(before);
  if (before.inside === "string") return statement === null ? [] : modulePaths(situation);
  if (statement !== null) return importNames(situation, before, statement);

  const previous = before.tokens.at(-1);
  if (previous?.text === ".") return []; // a path of the config or of a part: nothing is known of it here
  const frame = before.frames.at(-1);
  const onNewLine = previous === undefined || situation.text.slice(previous.end, before.wordStart).includes("\n");
  const inBody = frame === undefined || (frame.bracket === "{" && frame.opens !== "set");
  if (inBody && (onNewLine || previous?.text === "{" || previous?.text === "}")) {
    return [...words(statementWords(before.frames)), ...(frame === undefined ? [] : names(situation))];
  }
  if (inBody && /^(fn|block|model|law|entry|phase|loop|param|weight|state|part|runtime)$/.test(previous?.text ?? ""))
    return []; // a new name
  if (!onNewLine && previous !== undefined && endsOperand(previous.text, previous.kind))
    return words(continuationWords);
  if (expectsType(before, frame)) return [...words([...typeWords, "in", "set", "block"]), ...names(situation)];
  const labels = frame === undefined ? [] : parameterLabels(situation, before, frame);
  return [...labels, ...words(valueWords), ...core(), ...names(situation)];
}

function endsOperand(text: string, kind: string): boolean {
  if (kind === "number" || kind === "string") return true;
  if (kind === "mark") return text === ")" || text === "]" || text === "_" || text === "$";
  return !(continuationWords as readonly string[]).includes(text) && !/^(require|if|where|import|in)$/.test(text);
}

function expectsType(before: TextBefore, frame: Frame | undefined): boolean {
  const { tokens } = before;
  const previous = tokens.at(-1)?.text;
  if (previous === "as") return true;
  if (previous !== ":") return false;
  if (frame?.bracket === "(") return frame.opens === "header";
  if (frame === undefined || frame.bracket !== "{" || frame.opens === "set") return false;
  // `a ? b : …` on this line is a condition, not a declaration
  const from = tokens.findLastIndex((token) => /^(:=|<-|=)$/.test(token.text));
  const question = tokens.findLastIndex((token) => token.text === "?");
  return question < 0 || question < from || from < 0;
}

function statementWords(frames: readonly Frame[]): readonly string[] {
  const innermost = frames.at(-1);
  if (innermost === undefined) return fileWords;
  if (innermost.opens === "config") return ["require"];
  if (innermost.opens === "schedule") return ["phase"];
  if (innermost.opens === "numerics" || innermost.opens === "phase") return [];
  // an `if` holds what may stand around it
  const owner = frames.findLast((frame) => !/^(if|else|)$/.test(frame.opens));
  return owner?.opens === "model" ? modelWords : [...bodyWords, "else"];
}

const words = (list: readonly string[]): readonly CompletionItem[] =>
  list.map((label) => ({ label, kind: CompletionItemKind.Keyword, sortText: `3${label}` }));

function core(): readonly CompletionItem[] {
  return [...coreNames].map((label) => {
    const detail =
      scalarFunctions.get(label)?.doc ??
      (isReduction(label) ? `${label}[i](…)` : label === "top" ? "top(row, k): a set" : "");
    return { label, kind: CompletionItemKind.Function, detail, sortText: `2${label}` };
  });
}

function names(situation: Situation): readonly CompletionItem[] {
  const { checked, text, offset, lastGood } = situation;
  const found = new Map<string, SymbolInfo>();
  if (lastGood !== null && lastGood !== checked) {
    const old = lastGood.result.files.get(lastGood.entry)?.source.text ?? "";
    for (const one of visibleSymbols(lastGood.result, lastGood.entry, sameOffset(text, old, offset)))
      found.set(one.name, one);
  }
  for (const one of visibleSymbols(checked.result, checked.entry, offset)) found.set(one.name, one);
  return [...found.values()].filter((one) => one.name !== "" && one.name !== "_").map(symbolItem);
}

/** Where an offset of one text lies in another that was edited in one place. */
export function sameOffset(text: string, other: string, offset: number): number {
  const shorter = Math.min(text.length, other.length);
  let same = 0;
  while (same < shorter && text[same] === other[same]) same += 1;
  if (offset <= same) return offset;
  let behind = 0;
  while (behind < shorter - same && text[text.length - 1 - behind] === other[other.length - 1 - behind]) behind += 1;
  return offset >= text.length - behind ? offset + other.length - text.length : same;
}

const kinds: Readonly<Record<SymbolKind, CompletionItemKind>> = {
  fn: CompletionItemKind.Function,
  block: CompletionItemKind.Class,
  model: CompletionItemKind.Module,
  law: CompletionItemKind.Function,
  entry: CompletionItemKind.Method,
  phase: CompletionItemKind.Event,
  loop: CompletionItemKind.Event,
  param: CompletionItemKind.Property,
  parameter: CompletionItemKind.Variable,
  field: CompletionItemKind.Property,
  runtime: CompletionItemKind.Constant,
  dim: CompletionItemKind.TypeParameter,
  weight: CompletionItemKind.Field,
  state: CompletionItemKind.Field,
  part: CompletionItemKind.Method,
  slot: CompletionItemKind.Class,
  definition: CompletionItemKind.Variable,
  result: CompletionItemKind.Variable,
  index: CompletionItemKind.EnumMember,
};

function symbolItem(symbol: SymbolInfo): CompletionItem {
  const item: CompletionItem = {
    label: symbol.name,
    kind: kinds[symbol.kind],
    detail: describe(symbol),
    sortText: `1${symbol.name}`,
  };
  return symbol.doc === null ? item : { ...item, documentation: { kind: "markdown", value: symbol.doc } };
}

/** Index of the `import` whose line is being typed, or null. */
function importStatement(before: TextBefore): number | null {
  const at = before.tokens.findLastIndex((token) => token.kind === "word" && token.text === "import");
  if (at < 0) return null;
  const rest = before.tokens.slice(at + 1);
  const open = rest.every((token) => token.kind === "word" || token.text === ",");
  return open ? at : null;
}

function modulePaths({ workspace, checked }: Situation): readonly CompletionItem[] {
  const folder = checked.entry.split("/").slice(0, -1);
  const own = workspace
    .projectFiles(`${checked.root}/${checked.entry}`)
    .map((file) => relativeTo(folder, file.slice(checked.root.length + 1).replace(/\.ds$/, "")));
  return [...workspace.libraryModules(), ...own].map((label) => ({ label, kind: CompletionItemKind.File }));
}

function relativeTo(folder: readonly string[], path: string): string {
  const steps = path.split("/");
  let same = 0;
  while (same < folder.length && same < steps.length - 1 && folder[same] === steps[same]) same += 1;
  const up = "../".repeat(folder.length - same);
  return `${up === "" ? "./" : up}${steps.slice(same).join("/")}`;
}

/** Names a file declares: those of the file after `from`, or all of the library's while there is no `from`. */
function importNames(situation: Situation, before: TextBefore, statement: number): readonly CompletionItem[] {
  const { workspace, checked, text, offset } = situation;
  const already = before.tokens.slice(statement + 1);
  const last = already.at(-1);
  if (already.some((token) => token.text === "from")) return [];
  if (last !== undefined && last.text !== ",") return words(["from"]);
  const rest = /^[^\n"]*\bfrom\s*"([^"\n]*)"/.exec(text.slice(offset))?.[1];
  const modules = rest === undefined ? workspace.libraryModules() : [rest];
  const taken = new Set(already.map((token) => token.text));
  return modules.flatMap((module) => {
    const path = workspace.resolveImport(checked, module);
    const fileText = workspace.read(path);
    if (fileText === null) return [];
    const exported = parse(makeSource(path, fileText)).file.declarations.filter(
      (one) => one.kind === "fn" || one.kind === "block" || one.kind === "model",
    );
    return exported
      .filter((one) => one.name.text !== "" && !taken.has(one.name.text))
      .map((one) => {
        const label = one.name.text;
        const kind = kinds[one.kind];
        const item: CompletionItem = { label, kind, detail: `${one.kind} of ${module}` };
        if (one.doc !== null) item.documentation = { kind: "markdown", value: one.doc };
        if (rest === undefined) item.insertText = already.length === 0 ? `${label} from "${module}"` : label;
        return item;
      });
  });
}

/** `name: ` for each parameter of what is called that has no argument yet. */
function parameterLabels(situation: Situation, before: TextBefore, frame: Frame): readonly CompletionItem[] {
  if (frame.bracket !== "(" || frame.opens === "header" || frame.head === null) return [];
  const previous = before.tokens.at(-1)?.text;
  if (previous !== "(" && previous !== ",") return [];
  const { checked, offset, lastGood } = situation;
  const given = new Set(
    before.tokens
      .slice(frame.first)
      .filter((token, at, list) => token.kind === "word" && list[at + 1]?.text === ":")
      .map((token) => token.text),
  );
  const callee = frame.head.text;
  for (const one of lastGood === null || lastGood === checked ? [checked] : [checked, lastGood]) {
    const old = one.result.files.get(one.entry)?.source.text ?? "";
    const at = one === checked ? offset : sameOffset(situation.text, old, offset);
    const found = parametersOf(one.result, visibleSymbols(one.result, one.entry, at), callee, new Set());
    if (found.length === 0) continue;
    const labels = found
      .filter((parameter) => !given.has(parameter.name))
      .map(({ name, detail, doc }): CompletionItem => {
        const item: CompletionItem = {
          label: `${name}:`,
          filterText: name,
          insertText: `${name}: `,
          insertTextFormat: InsertTextFormat.PlainText,
          kind: CompletionItemKind.Property,
          detail: `${detail} (of ${callee})`,
          sortText: `0${name}`,
        };
        return doc === null ? item : { ...item, documentation: { kind: "markdown", value: doc } };
      });
    const spread = found.some((parameter) => parameter.ofBlock);
    return spread
      ? [...labels, { label: "..", kind: CompletionItemKind.Operator, detail: "the rest from names in scope" }]
      : labels;
  }
  return [];
}

interface Parameter {
  readonly name: string;
  readonly detail: string;
  readonly doc: string | null;
  /** A `param` of a block, which `..` can fill. */
  readonly ofBlock: boolean;
}

/** A block is given its `param`s, a part or a value of block type its inputs, a function its inputs. */
function parametersOf(
  result: CheckResult,
  visible: readonly SymbolInfo[],
  callee: string,
  seen: Set<string>,
): readonly Parameter[] {
  const symbol = visible.find((one) => one.name === callee);
  if (symbol === undefined) return [];
  const declaration = declarationOf(result, symbol);
  if (declaration?.kind === "fn") return declaration.params.flatMap(inputs);
  if (declaration?.kind === "block") return declaration.items.flatMap(blockParams);
  return inputsOfValue(result, visible, callee, seen);
}

function inputsOfValue(
  result: CheckResult,
  visible: readonly SymbolInfo[],
  name: string,
  seen: Set<string>,
): readonly Parameter[] {
  const symbol = visible.find((one) => one.name === name);
  if (symbol === undefined || seen.has(name)) return [];
  seen.add(name);
  const declaration = declarationOf(result, symbol);
  if (declaration?.kind === "block") return declaration.params.flatMap(inputs);
  const file = result.files.get(symbol.span.source.path);
  const item = file === undefined ? null : itemAt(file.declarations, symbol.span.start);
  if (item?.kind === "param") return blockTypeInputs(item.type);
  if (item?.kind !== "part" && item?.kind !== "slot") return [];
  const block = blockName(item.kind === "part" ? item.block : item.value);
  return block === null ? [] : inputsOfValue(result, visible, block, seen);
}

function blockName(expr: Expr): string | null {
  switch (expr.kind) {
    case "name":
      return expr.text;
    case "call":
      return blockName(expr.callee);
    case "group":
      return blockName(expr.inner);
    case "conditional":
      return blockName(expr.then) ?? blockName(expr.else);
    default:
      return null;
  }
}

function itemAt(declarations: readonly Declaration[], nameStart: number): ModelItem | null {
  const search = (items: readonly ModelItem[]): ModelItem | null => {
    for (const item of items) {
      if (item.kind === "if" || item.kind === "entry") {
        const found = search(item.kind === "if" ? [...item.then, ...(item.else ?? [])] : item.items);
        if (found !== null) return found;
      } else if (item.kind === "param") {
        if (item.names.some((name) => name.span.start === nameStart)) return item;
      } else if ((item.kind === "part" || item.kind === "slot") && item.name.span.start === nameStart) {
        return item;
      }
    }
    return null;
  };
  return search(declarations.flatMap((one) => ("items" in one ? one.items : [])));
}

const inputs = (param: Param): readonly Parameter[] =>
  param.names.map((name) => ({ name: name.text, detail: spanText(param.type.span), doc: param.doc, ofBlock: false }));

function blockTypeInputs(type: TypeNode): readonly Parameter[] {
  return type.scalar?.kind === "block-type" ? type.scalar.params.flatMap(inputs) : [];
}

function blockParams(item: Item | ModelItem): readonly Parameter[] {
  if (item.kind === "if") return [...item.then, ...(item.else ?? [])].flatMap(blockParams);
  return item.kind === "param" ? declaredParams(item) : [];
}

const declaredParams = (param: ParamDecl): readonly Parameter[] =>
  param.names.map((name) => ({ name: name.text, detail: spanText(param.type.span), doc: param.doc, ofBlock: true }));
