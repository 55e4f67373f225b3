/** Concrete tree -> the items of bodies and models. */
import type { CstNode } from "chevrotain";
import type { Config, If, Item, ModelItem, NumericsRule, Target } from "../ast/nodes.ts";
import type { Span } from "../diagnostics/source.ts";
import {
  buildExpr,
  buildNames,
  buildOptionalExpr,
  buildOptionalString,
  buildParams,
  buildResults,
  buildSubscript,
  buildType,
  buildWhere,
} from "./build-expr.ts";
import { type BuildContext, node, nodes, token, tokens } from "./cst.ts";
import { reportStray } from "./unexpected.ts";

/** What an item is built with beside its own node. */
interface Frame {
  readonly context: BuildContext;
  readonly span: Span;
  readonly doc: string | null;
  readonly override: Span | null;
  readonly inModel: boolean;
}

type BuildItem = (frame: Frame, read: CstNode) => ModelItem;

const shared = (frame: Frame) => ({ doc: frame.doc, override: frame.override, span: frame.span });

const builders: Readonly<Record<string, BuildItem>> = {
  paramDecl: (frame, read) => ({
    kind: "param",
    names: buildNames(frame.context, read),
    type: buildType(frame.context, read),
    default: buildOptionalExpr(frame.context, read),
    where: buildWhere(frame.context, read),
    ...shared(frame),
  }),
  weight: (frame, read) => ({
    kind: "weight",
    name: frame.context.nameOf(read),
    type: buildType(frame.context, read),
    spellings: frame.context.strings(read),
    copies: nodes(read, "copy").map((copy) => frame.context.stringOf(copy)),
    ...shared(frame),
  }),
  state: (frame, read) => ({
    kind: "state",
    name: frame.context.nameOf(read),
    type: buildType(frame.context, read),
    keep: buildOptionalExpr(frame.context, read),
    ...shared(frame),
  }),
  part: (frame, read) => {
    const optional = token(read, "Keyword_optional");
    const subscript = node(read, "subscript");
    return {
      kind: "part",
      optional: optional === null ? null : frame.context.tokenSpan(optional),
      name: frame.context.nameOf(read),
      subscript: subscript === null ? null : buildSubscript(frame.context, subscript),
      block: buildExpr(frame.context, read),
      at: buildOptionalString(frame.context, read),
      ...shared(frame),
    };
  },
  require: (frame, read) => ({ kind: "require", condition: buildExpr(frame.context, read), ...shared(frame) }),
  if: buildIf,
  equation: (frame, read) => ({
    kind: "equation",
    targets: nodes(read, "target").map((target) => buildTarget(frame.context, target)),
    separator: token(read, "Bar") !== null ? "|" : token(read, "Comma") !== null ? "," : null,
    type: node(read, "type") === null ? null : buildType(frame.context, read),
    operator: token(read, "Write") === null ? ":=" : "<-",
    value: buildExpr(frame.context, read),
    where: buildWhere(frame.context, read),
    ...shared(frame),
  }),
  config: (frame, read) => ({ kind: "config", entries: configEntries(frame.context, read), ...shared(frame) }),
  runtime: (frame, read) => ({
    kind: "runtime",
    name: frame.context.nameOf(read),
    scalar: frame.context.nameOf(read, token(read, "memory") === null ? "ScalarWord" : "memory"),
    range: buildExpr(frame.context, read),
    ...shared(frame),
  }),
  entry: (frame, read) => ({
    kind: "entry",
    name: frame.context.nameOf(read),
    params: buildParams(frame.context, read),
    results: buildResults(frame.context, read),
    items: buildBody(frame.context, read),
    ...shared(frame),
  }),
  phase: (frame, read) => ({
    kind: "phase",
    name: frame.context.nameOf(read),
    entry: frame.context.nameOf(read, "Name", 1),
    results: buildNames(frame.context, read),
    where: buildWhere(frame.context, read),
    ...shared(frame),
  }),
  loop: (frame, read) => {
    const draft = token(read, "draft");
    return {
      kind: "loop",
      name: frame.context.nameOf(read),
      verb: frame.context.nameOf(read, "Name", 1),
      entry: frame.context.nameOf(read, "Name", 2),
      count: buildOptionalExpr(frame.context, read),
      draft: draft === null ? null : frame.context.name(draft),
      ...shared(frame),
    };
  },
  ignore: (frame, read) => ({ kind: "ignore", patterns: frame.context.strings(read), ...shared(frame) }),
  storage: (frame, read) => ({
    kind: "storage",
    scalar: frame.context.nameOf(read, "ScalarWord"),
    block: buildExpr(frame.context, read),
    notAt: frame.context.strings(read),
    ...shared(frame),
  }),
  numerics: (frame, read) => ({ kind: "numerics", rules: numericsRules(frame.context, read), ...shared(frame) }),
  slot: (frame, read) => ({
    kind: "slot",
    name: frame.context.nameOf(read),
    value: buildExpr(frame.context, read),
    ...shared(frame),
  }),
};

const bodyKinds = ["param", "weight", "state", "part", "require", "if", "equation"] as const;
const isBodyItem = (item: ModelItem): item is Item => bodyKinds.some((kind) => kind === item.kind);

/** Items of the `body` of a `fn`, `block` or `entry`; those of models are reported and left out. */
export function buildBody(context: BuildContext, parent: CstNode): readonly Item[] {
  return items(context, node(parent, "body"), false).filter(isBodyItem);
}

export function buildModelBody(context: BuildContext, parent: CstNode): readonly ModelItem[] {
  return items(context, node(parent, "body"), true);
}

function items(context: BuildContext, body: CstNode | null, inModel: boolean): readonly ModelItem[] {
  if (body === null) return [];
  const built: ModelItem[] = [];
  for (const read of nodes(body, "item")) {
    const item = buildItem(context, read, inModel);
    if (item !== null) built.push(item);
  }
  return built;
}

function buildItem(context: BuildContext, read: CstNode, inModel: boolean): ModelItem | null {
  const override = token(read, "Keyword_override");
  const span = context.nodeSpan(read);
  for (const [key, children] of Object.entries(read.children)) {
    const child = children[0];
    if (child === undefined || !("children" in child)) continue;
    if (key === "stray") {
      reportStray(context, child, inModel ? "model" : "body");
      return null;
    }
    const build = builders[key];
    if (build === undefined) continue;
    const overrideSpan = override === null ? null : context.tokenSpan(override);
    const item = build({ context, span, doc: context.doc(span), override: overrideSpan, inModel }, child);
    return inModel || belongsInBody(context, item) ? item : null;
  }
  return null;
}

function belongsInBody(context: BuildContext, item: ModelItem): boolean {
  if (item.override !== null) {
    context.error("DS0001", "unexpected `override`", item.override, "only what a model declares can be overridden");
  }
  if (isBodyItem(item)) return true;
  const word = item.kind === "slot" ? "block" : item.kind;
  const start = item.override === null ? item.span.start : context.source.text.indexOf(word, item.override.end);
  const label = `\`${word}\` stands directly in a model`;
  context.error("DS0001", `unexpected \`${word}\``, context.span(start, start + word.length), label);
  return false;
}

/** `else if` chains lie flat in the concrete tree and nest in the other. */
function buildIf(frame: Frame, read: CstNode): If {
  const { context } = frame;
  const branches = nodes(read, "branch");
  const last = node(read, "body");
  let rest: If | null = null;
  for (let i = branches.length - 1; i >= 0; i--) {
    const branch = branches[i];
    if (branch === undefined) continue;
    const body = node(branch, "body");
    const start = context.nodeSpan(branch).start;
    const isLast = rest === null;
    const built: If = {
      kind: "if",
      condition: buildExpr(context, branch),
      then: items(context, body, frame.inModel),
      else: rest !== null ? [rest] : last === null ? null : items(context, last, frame.inModel),
      elseIf: !isLast,
      thenSpan: body === null ? context.endSpan(branch) : context.nodeSpan(body),
      elseSpan: isLast && last !== null ? context.nodeSpan(last) : null,
      doc: null,
      override: null,
      span: context.span(start, frame.span.end),
    };
    rest = built;
  }
  if (rest !== null) return { ...rest, ...shared(frame) };
  return {
    kind: "if",
    condition: context.missing(read),
    then: [],
    else: null,
    elseIf: false,
    thenSpan: context.endSpan(read),
    elseSpan: null,
    ...shared(frame),
  };
}

function buildTarget(context: BuildContext, read: CstNode): Target {
  const subscript = node(read, "subscript");
  return {
    name: context.nameOf(read, token(read, "Hole") === null ? "Name" : "Hole"),
    subscript: subscript === null ? null : buildSubscript(context, subscript),
    span: context.nodeSpan(read),
  };
}

function configEntries(context: BuildContext, read: CstNode): Config["entries"] {
  return nodes(read, "configEntry").flatMap((entry): Config["entries"] => {
    const span = context.nodeSpan(entry);
    const doc = context.doc(span);
    const stray = node(entry, "stray");
    const required = node(entry, "require");
    const field = node(entry, "field");
    if (stray !== null) reportStray(context, stray, "config");
    if (required !== null) {
      return [{ kind: "require", condition: buildExpr(context, required), doc, override: null, span }];
    }
    if (field === null) return [];
    return [
      {
        kind: "field",
        names: buildNames(context, field),
        type: buildType(context, field),
        value: buildExpr(context, field),
        where: buildWhere(context, field),
        doc,
        span,
      },
    ];
  });
}

function numericsRules(context: BuildContext, read: CstNode): readonly NumericsRule[] {
  for (const stray of nodes(read, "stray")) reportStray(context, stray, "numerics");
  return nodes(read, "numericsRule").map((rule) => ({
    path: buildPath(context, rule),
    scalar: context.nameOf(rule, "ScalarWord"),
    span: context.nodeSpan(rule),
  }));
}

export function buildPath(context: BuildContext, parent: CstNode): NumericsRule["path"] {
  const read = node(parent, "path");
  return read === null ? [] : [...tokens(read, "Name"), ...tokens(read, "Word")].map((part) => context.name(part));
}
