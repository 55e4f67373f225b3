/** What lies in the cells of an item's line. Items with a body are written in `layout.ts`. */
import type {
  ConfigField,
  Equation,
  Fn,
  Import,
  Law,
  ModelItem,
  NumericsRule,
  ScheduleRule,
  StringLiteral,
  Target,
} from "../ast/nodes.ts";
import { concat, type Doc, fill, nest, separated, sequence } from "./doc.ts";
import { exprDoc, nameDoc, namesDoc, paramsDoc, quote, subscriptDoc, typeDoc } from "./expr.ts";
import type { Pen } from "./pen.ts";
import type { Cell } from "./rows.ts";

/** Items that are one line of cells. */
export type LineItem = Exclude<ModelItem, { kind: "if" | "config" | "entry" | "numerics" }>;

const cell = (column: string, ...parts: readonly Doc[]): Cell => ({
  column,
  doc: parts.length === 1 ? (parts[0] ?? "") : concat(...parts),
});

const stringDoc = (pen: Pen, text: StringLiteral): Doc => pen.text(quote(text.value), text.span.start);

function whereCell(pen: Pen, where: ConfigField["where"]): readonly Cell[] {
  return where === null ? [] : [cell("where", "where ", exprDoc(pen, where))];
}

/** Alignment goes by kind; equations with a type and without are two kinds. */
export const lineKind = (item: LineItem): string =>
  item.kind === "equation" && item.type !== null ? "typed-equation" : item.kind;

export function lineCells(pen: Pen, item: LineItem): readonly Cell[] {
  const override = item.override === null ? "" : pen.text("override ", item.override.start);
  const [first, ...rest] = ownCells(pen, item);
  if (first === undefined) return [];
  return override === "" ? [first, ...rest] : [cell(first.column, override, first.doc), ...rest];
}

function ownCells(pen: Pen, item: LineItem): readonly Cell[] {
  const word = item.override === null ? pen.text("", item.span.start) : "";
  switch (item.kind) {
    case "param": {
      const names = cell("name", word, "param ", namesDoc(pen, item.names));
      const type = cell("type", ": ", typeDoc(pen, item.type));
      const value = item.default === null ? [] : [cell("default", "= ", exprDoc(pen, item.default))];
      return [names, type, ...value, ...whereCell(pen, item.where)];
    }
    case "weight": {
      const name = cell("name", word, "weight ", nameDoc(pen, item.name));
      const type = cell("type", ": ", typeDoc(pen, item.type));
      const spellings = item.spellings.map((text, i) =>
        cell(i === 0 ? "at" : i === 1 ? "or" : "", i === 0 ? "at " : "or ", stringDoc(pen, text)),
      );
      const copies = item.copies.map((text, i) => cell(i === 0 ? "copy" : "", "copy at ", stringDoc(pen, text)));
      return [name, type, ...spellings, ...copies];
    }
    case "state": {
      const name = cell("name", word, "state ", nameDoc(pen, item.name));
      const type = cell("type", ": ", typeDoc(pen, item.type));
      return item.keep === null ? [name, type] : [name, type, cell("keep", "keep ", exprDoc(pen, item.keep))];
    }
    case "part": {
      const optional = item.optional === null ? "" : pen.text("optional ", item.optional.start);
      const name = nameDoc(pen, item.name);
      const subscript = item.subscript === null ? "" : subscriptDoc(pen, item.subscript);
      const head = cell("name", word, optional, "part ", name, subscript);
      const block = cell("type", ": ", exprDoc(pen, item.block));
      return item.at === null ? [head, block] : [head, block, cell("at", "at ", stringDoc(pen, item.at))];
    }
    case "require":
      return [cell("name", word, "require ", exprDoc(pen, item.condition))];
    case "equation":
      return equationCells(pen, item, word);
    case "runtime": {
      const name = cell("name", word, "runtime ", nameDoc(pen, item.name));
      const scalar = cell("scalar", ": ", nameDoc(pen, item.scalar));
      return [name, scalar, cell("range", "in ", exprDoc(pen, item.range))];
    }
    case "phase": {
      const name = cell("name", word, "phase ", nameDoc(pen, item.name));
      const entry = cell("value", "= ", nameDoc(pen, item.entry), " -> ", namesDoc(pen, item.results));
      return [name, entry, ...whereCell(pen, item.where)];
    }
    case "loop": {
      const name = cell("name", word, "loop ", nameDoc(pen, item.name));
      const verb = concat("= ", nameDoc(pen, item.verb), " ", nameDoc(pen, item.entry));
      const count = item.count === null ? "" : concat(" for ", exprDoc(pen, item.count));
      const draft = item.draft === null ? "" : concat(" draft ", nameDoc(pen, item.draft));
      return [name, cell("value", verb, count, draft)];
    }
    case "ignore": {
      const patterns = separated(
        item.patterns.map((text) => stringDoc(pen, text)),
        ",",
      );
      return [cell("name", word, "ignore ", nest(fill(patterns)))];
    }
    case "storage": {
      const block = cell("name", word, "storage ", nameDoc(pen, item.scalar), " as ", exprDoc(pen, item.block));
      if (item.notAt.length === 0) return [block];
      const patterns = separated(
        item.notAt.map((text) => stringDoc(pen, text)),
        ",",
      );
      return [block, cell("not", "not at ", nest(fill(patterns)))];
    }
    case "slot": {
      const name = cell("name", word, "block ", nameDoc(pen, item.name));
      return [name, cell("value", "= ", exprDoc(pen, item.value))];
    }
    default:
      return item satisfies never;
  }
}

function equationCells(pen: Pen, item: Equation, word: Doc): readonly Cell[] {
  const separator = item.separator === "|" ? " | " : ", ";
  const targets = separated(
    item.targets.map((target) => targetDoc(pen, target)),
    separator,
  );
  const type = item.type === null ? [] : [cell("type", ": ", typeDoc(pen, item.type))];
  const value = cell("define", `${item.operator} `, exprDoc(pen, item.value));
  return [cell("name", word, sequence(targets)), ...type, value, ...whereCell(pen, item.where)];
}

function targetDoc(pen: Pen, target: Target): Doc {
  const name = nameDoc(pen, target.name);
  return target.subscript === null ? name : concat(name, subscriptDoc(pen, target.subscript));
}

export function fieldCells(pen: Pen, field: ConfigField): readonly Cell[] {
  const names = cell("name", namesDoc(pen, field.names));
  const type = cell("type", ": ", typeDoc(pen, field.type));
  return [names, type, cell("default", "= ", exprDoc(pen, field.value)), ...whereCell(pen, field.where)];
}

export function importCells(pen: Pen, item: Import): readonly Cell[] {
  const word = pen.text("import ", item.span.start);
  const names = fill(
    separated(
      item.names.map((name) => nameDoc(pen, name)),
      ",",
    ),
  );
  return [cell("name", word, nest(names), " from ", stringDoc(pen, item.from))];
}

/** `fn name(…) = expression` and laws: one line each. */
export function fnCells(pen: Pen, item: Fn): readonly Cell[] {
  const head = cell("name", ...fnHead(pen, "fn ", item));
  return item.expression === null ? [head] : [head, cell("value", "= ", exprDoc(pen, item.expression))];
}

export function lawCells(pen: Pen, item: Law): readonly Cell[] {
  return [cell("name", ...fnHead(pen, "law ", item)), cell("value", ": ", exprDoc(pen, item.body))];
}

export function fnHead(pen: Pen, word: string, item: Pick<Fn, "name" | "params" | "span">): readonly Doc[] {
  const start = pen.text(word, item.span.start);
  const name = nameDoc(pen, item.name);
  return [start, name, paramsDoc(pen, item.params, item.name.span.end)];
}

export function ruleCells(pen: Pen, rule: ScheduleRule | NumericsRule): readonly Cell[] {
  const path = cell(
    "name",
    sequence(
      separated(
        rule.path.map((part) => nameDoc(pen, part)),
        ".",
      ),
    ),
  );
  return [path, cell("type", ": ", "strategy" in rule ? exprDoc(pen, rule.strategy) : nameDoc(pen, rule.scalar))];
}
