/** Concrete tree -> the tree of `ast/nodes.ts`: the file and its declarations. */
import type { CstNode } from "chevrotain";
import type { Declaration, File, Import, ModelParent, ScheduleRule } from "../ast/nodes.ts";
import {
  buildExpr,
  buildNames,
  buildOptionalExpr,
  buildOptionalString,
  buildParams,
  buildResults,
} from "./build-expr.ts";
import { buildBody, buildModelBody, buildPath } from "./build-items.ts";
import { type BuildContext, node, nodes } from "./cst.ts";
import { reportStray } from "./unexpected.ts";

export function buildFile(context: BuildContext, tree: CstNode | null): File {
  const imports: Import[] = [];
  const declarations: Declaration[] = [];
  if (tree !== null) {
    for (const read of nodes(tree, "importLine")) imports.push(importLine(context, read));
    for (const [key, build] of Object.entries(builders)) {
      for (const read of nodes(tree, key)) declarations.push(build(context, read));
    }
    for (const stray of nodes(tree, "fileStray")) reportStray(context, stray, "file");
  }
  declarations.sort((a, b) => a.span.start - b.span.start);
  const { source, comments } = context;
  return { kind: "file", source, imports, declarations, comments, span: context.span(0, source.text.length) };
}

function importLine(context: BuildContext, read: CstNode): Import {
  return {
    kind: "import",
    names: buildNames(context, read),
    from: context.stringOf(read),
    span: context.nodeSpan(read),
  };
}

const documented = (context: BuildContext, read: CstNode) => {
  const span = context.nodeSpan(read);
  return { doc: context.doc(span), span };
};

const builders: Readonly<Record<string, (context: BuildContext, read: CstNode) => Declaration>> = {
  fn: (context, read) => ({
    kind: "fn",
    name: context.nameOf(read),
    params: buildParams(context, read),
    expression: buildOptionalExpr(context, read),
    results: buildResults(context, read),
    items: buildBody(context, read),
    ...documented(context, read),
  }),
  block: (context, read) => ({
    kind: "block",
    name: context.nameOf(read),
    params: buildParams(context, read),
    results: buildResults(context, read),
    items: buildBody(context, read),
    ...documented(context, read),
  }),
  model: (context, read) => ({
    kind: "model",
    name: context.nameOf(read),
    parent: modelParent(context, read),
    items: buildModelBody(context, read),
    ...documented(context, read),
  }),
  law: (context, read) => ({
    kind: "law",
    name: context.nameOf(read),
    params: buildParams(context, read),
    body: buildExpr(context, read),
    ...documented(context, read),
  }),
  schedule: (context, read) => {
    for (const stray of nodes(read, "stray")) reportStray(context, stray, "schedule");
    return {
      kind: "schedule",
      model: context.nameOf(read),
      rules: scheduleRules(context, read),
      phases: nodes(read, "schedulePhase").map((phase) => {
        for (const stray of nodes(phase, "stray")) reportStray(context, stray, "schedule");
        return { name: context.nameOf(phase), rules: scheduleRules(context, phase), span: context.nodeSpan(phase) };
      }),
      ...documented(context, read),
    };
  },
};

function modelParent(context: BuildContext, model: CstNode): ModelParent | null {
  const read = node(model, "parent");
  if (read === null) return null;
  return {
    name: context.nameOf(read),
    root: buildOptionalExpr(context, read),
    prefix: buildOptionalString(context, read),
    span: context.nodeSpan(read),
  };
}

function scheduleRules(context: BuildContext, parent: CstNode): readonly ScheduleRule[] {
  return nodes(parent, "rule").map((read) => ({
    path: buildPath(context, read),
    strategy: buildExpr(context, read),
    span: context.nodeSpan(read),
  }));
}
