/** Checks of a `fn`, `block` or `law` by itself: on every path through its `if`s, for all sizes. */
import type { Block, Fn, Item, Law, Param, ParamDecl, Require, TypeNode } from "../ast/nodes.ts";
import { noFacts } from "../types/facts.ts";
import { checkChoices } from "./choices.ts";
import { assume, fail, isKnownTrue } from "./conditions.ts";
import type {
  Body,
  DeclInfo,
  Entity,
  Header,
  HeaderParam,
  Owner,
  PathCondition,
  PathInfo,
  Scope,
  Shared,
  Value,
} from "./context.ts";
import { inDefinitionOrder } from "./definition-order.ts";
import { newEquation } from "./equation-context.ts";
import { checkExpression } from "./equations.ts";
import { isPlainSizeOf } from "./header-sizes.ts";
import { pathsOf } from "./paths.ts";
import { spanKey } from "./recorder.ts";
import { checkMembersCausal } from "./result-sets.ts";
import { type Declarer, declareArguments, declareItems, declareSize, referToFirst } from "./scopes.ts";
import { isSizeName, sizeNames } from "./signatures.ts";
import { sizeFrom, typeFrom } from "./sizes.ts";
import { checkWrite } from "./writes.ts";

/** How often each declared name was used, over all paths; by the span of the name. */
export type Usage = Map<string, { readonly entity: Entity; uses: number }>;

export function newBody(shared: Shared, owner: Owner, scope: Scope, info: DeclInfo, over: Partial<Body> = {}): Body {
  return {
    shared,
    owner,
    scope,
    info,
    facts: noFacts,
    pathFacts: noFacts,
    known: new Map(),
    truths: new Map(),
    notNull: new Set(),
    memories: new Set(),
    tokens: new Map(),
    deferred: [],
    parts: new Map(),
    writes: new Map(),
    equations: new Map(),
    sums: new Map(),
    checksCausality: true,
    quiet: false,
    found: { errors: 0 },
    ...over,
  };
}

const resultsOf = (decl: Fn | Block | Law): Block["results"] => (decl.kind === "law" ? [] : decl.results);
const itemsOf = (decl: Fn | Block | Law): readonly Item[] => (decl.kind === "law" ? [] : decl.items);

/** Sizes that positions index and that nothing but states has as an axis: memories, with the tokens of the positions. */
export function memoryNames(
  params: readonly Param[],
  items: readonly { readonly kind: string }[],
  resultTypes: readonly TypeNode[],
): { readonly memories: ReadonlySet<string>; readonly tokens: ReadonlyMap<string, readonly string[]> } {
  const memories = new Set<string>();
  const tokens = new Map<string, string[]>();
  const plain = new Set<string>();
  const statesOf = (list: readonly { readonly kind: string }[]): void => {
    for (const item of list as readonly Item[]) {
      if (item.kind === "weight") for (const name of plainSizes(item.type)) plain.add(name);
      if (item.kind === "if") {
        statesOf(item.then);
        statesOf(item.else ?? []);
      }
    }
  };
  statesOf(items);
  for (const param of params) for (const name of plainSizes(param.type)) plain.add(name);
  void resultTypes;
  for (const param of params) {
    const { scalar, axes } = param.type;
    if (scalar?.kind !== "index-type" || scalar.axis.kind !== "name" || axes === null || axes.length !== 1) continue;
    const memory = scalar.axis.text;
    if (plain.has(memory)) continue;
    memories.add(memory);
    const token = isPlainSizeOf(axes[0]?.size);
    if (token === null) continue;
    const names = tokens.get(token) ?? [];
    names.push(...param.names.map((n) => n.text));
    tokens.set(token, names);
  }
  return { memories, tokens };
}

const plainSizes = (type: TypeNode): readonly string[] =>
  (type.axes ?? []).flatMap((axis) => isPlainSizeOf(axis.size) ?? []);

export function checkDeclaration(
  decl: Fn | Block | Law,
  fileScope: Scope,
  shared: Shared,
  info: DeclInfo,
  usage: Usage,
): void {
  const expressions = decl.kind === "fn" ? [decl.expression] : decl.kind === "law" ? [decl.body] : [];
  checkChoices([...decl.params, ...itemsOf(decl), ...expressions], shared.recorder);
  for (const path of pathsOf(itemsOf(decl))) {
    const { memories, tokens } = memoryNames(
      decl.params,
      itemsOf(decl),
      resultsOf(decl).map((r) => r.type),
    );
    const scope: Scope = { names: new Map(), parent: fileScope };
    const body = newBody(shared, decl, scope, info, { memories, tokens });
    const to: Declarer = { body, scope, seen: decl.span };
    declareArguments(to, decl.params);
    const settings = itemsOf(decl).filter((i): i is ParamDecl => i.kind === "param");
    // A storage block takes nothing: the sizes of its result are those of the tensor it is asked for.
    const asked = decl.kind === "block" && decl.params.length === 0 ? decl.results.map((r) => r.type) : [];
    for (const [name, span] of sizeNames([...headerTypes(decl, settings), ...asked])) {
      const declared = settings.some((s) => s.names.some((n) => n.text === name));
      if (!declared && isSizeName(name)) declareSize(to, name, span);
    }
    declareItems(to, path.items, resultsOf(decl));
    referToFirst(body, scope);
    info.header ??= headerOf(decl, settings, body);
    const pathInfo = checkPath(decl, path.items as readonly Item[], path.conditions, body);
    if (pathInfo !== null) {
      info.paths.push(pathInfo);
      countUses(scope, usage);
    }
  }
  info.done = true;
}

const headerTypes = (decl: Fn | Block | Law, settings: readonly ParamDecl[]): readonly TypeNode[] => [
  ...decl.params.map((p) => p.type),
  ...settings.map((s) => s.type),
];

export function countUses(scope: Scope, usage: Usage): void {
  for (const entity of scope.names.values()) {
    const key = spanKey(entity.span);
    const known = usage.get(key);
    if (known === undefined) usage.set(key, { entity, uses: entity.uses });
    else known.uses += entity.uses;
  }
}

function headerOf(decl: Fn | Block | Law, settings: readonly ParamDecl[], body: Body): Header {
  const eq = newEquation(body, decl.span);
  const paramsOf = (list: readonly (Param | ParamDecl)[]): readonly HeaderParam[] =>
    list.flatMap((node) => {
      const type = typeFrom(node.type, eq);
      const isSize = node.default !== null && type.axes.length === 0 && type.element.kind === "integer";
      const defaultSize =
        isSize && node.default !== null && node.default.kind !== "null" ? sizeFrom(node.default, eq) : null;
      return node.names.map((n) => ({
        name: n.text,
        type,
        hasDefault: node.default !== null,
        defaultSize,
        span: n.span,
        node,
      }));
    });
  const sizes = new Set([...body.scope.names.values()].filter((e) => e.source.kind === "dim").map((e) => e.name));
  const results = resultsOf(decl).map((r) => ({ name: r.name.text, type: typeFrom(r.type, eq), span: r.name.span }));
  const header: Header = {
    name: decl.name.text,
    span: decl.name.span,
    params: paramsOf(decl.params),
    settings: paramsOf(settings),
    results,
    sizes,
  };
  return header;
}

function checkPath(
  decl: Fn | Block | Law,
  items: readonly Item[],
  conditions: readonly PathCondition[],
  body: Body,
): PathInfo | null {
  const { rules } = body.shared;
  const requires: (Require | { kind: "where"; condition: Require["condition"]; span: Require["span"] })[] = [];
  // Ranges of integers first: one that may be 0 or less is not the size that a name without bounds would be.
  for (const item of items) {
    if (item.kind !== "param" || item.type.scalar?.kind !== "word" || item.type.scalar.word.text !== "int") continue;
    for (const name of item.names) {
      const entity = body.scope.names.get(name.text);
      if (entity !== undefined) rules.define(entity, body);
    }
  }
  // What is required of parameters may be assumed; then what the path's conditions say.
  for (const item of items) {
    if (item.kind === "param" && item.where !== null) {
      checkCondition(item.where, body);
      assume(item.where, true, newEquation(body, item.span));
      requires.push({ kind: "where", condition: item.where, span: item.where.span });
    }
  }
  body.pathFacts = body.facts;
  for (const { expr, holds } of conditions) {
    checkCondition(expr, body);
    const known = isKnownTrue(expr, newEquation(body, expr.span));
    if (known !== null && known !== holds) return null; // this path contradicts itself
    assume(expr, holds, newEquation(body, expr.span));
    body.pathFacts = body.facts;
  }
  for (const item of items) {
    if (item.kind !== "require") continue;
    checkCondition(item.condition, body);
    requires.push(item);
    if (isKnownTrue(item.condition, newEquation(body, item.span)) === false) {
      // Nothing comes here; who does is told by the requirement.
      return { conditions, results: new Map(), deferred: [], requires, parts: [], weights: [], states: [], body };
    }
    assume(item.condition, true, newEquation(body, item.span));
    body.pathFacts = body.facts;
  }
  for (const param of decl.params) if (param.default !== null) checkExpression(param.default, body);
  for (const item of items)
    if (item.kind === "param" && item.default !== null) checkExpression(item.default, body, true);

  const results = new Map<string, Value>();
  const expression = decl.kind === "fn" ? decl.expression : decl.kind === "law" ? decl.body : null;
  if (expression !== null) {
    const value = checkExpression(expression, body);
    results.set("result", value);
    if (decl.kind === "law" && value.element.kind !== "bool" && value.element.kind !== "unknown") {
      fail(body, "DS0227", {
        title: "a law is true or false",
        at: expression.span,
        label: "this is a value",
        help: "write what it equals: `… ~ …`, or `… == …`",
      });
    }
    if (decl.kind === "fn" && body.info.header !== null) {
      body.info.header = {
        ...body.info.header,
        results: [{ name: "result", type: { axes: value.axes, element: value.element }, span: decl.name.span }],
      };
    }
  }
  for (const entity of inDefinitionOrder(body)) rules.define(entity, body);
  checkItems(items, body);
  for (const result of resultsOf(decl)) {
    const entity = body.scope.names.get(result.name.text);
    if (entity?.value == null) continue;
    results.set(result.name.text, entity.value);
    checkMembersCausal(result, entity.value, body);
  }
  reportUnwritten(body);
  return pathResult(items, conditions, requires, results, body);
}

export function pathResult(
  items: readonly { readonly kind: string }[],
  conditions: readonly PathCondition[],
  requires: PathInfo["requires"],
  results: ReadonlyMap<string, Value>,
  body: Body,
): PathInfo {
  const list = items as readonly Item[];
  const eq = newEquation(body, body.owner.span);
  const quiet = body.quiet;
  body.quiet = true;
  const weights = list.flatMap((i) => (i.kind === "weight" ? [{ decl: i, type: typeFrom(i.type, eq) }] : []));
  const states = list.flatMap((i) => (i.kind === "state" ? [{ decl: i, type: typeFrom(i.type, eq) }] : []));
  body.quiet = quiet;
  return {
    conditions,
    results,
    deferred: body.deferred,
    requires,
    parts: [...body.parts.values()],
    weights,
    states,
    body,
  };
}

/** A condition is true or false, and known when compiling. */
export function checkCondition(condition: Require["condition"], body: Body): void {
  const value = checkExpression(condition, body);
  if (value.element.kind === "unknown") return;
  if (value.element.kind !== "bool") {
    fail(body, "DS0227", { title: "a condition is true or false", at: condition.span, label: "this is not" });
  } else if (!value.isStatic) {
    fail(body, "DS0126", {
      title: "this condition must be known when compiling",
      at: condition.span,
      label: "this is known only when the model runs",
      help: "to choose by a run-time value write `c ? a : b` in an equation",
    });
  }
}

/** State writes, and equations whose targets are declared as something else. */
export function checkItems(items: readonly { readonly kind: string }[], body: Body): void {
  for (const item of items as readonly Item[]) {
    if (item.kind !== "equation") continue;
    if (item.operator === ":=" && item.where !== null) {
      fail(body, "DS0001", {
        title: "`where` after a definition",
        at: item.where.span,
        label: "a definition is restricted in its bracket; only a write has a condition",
        help: "`y[t where …] := …`, or `c ? a : b`",
      });
    }
    for (const target of item.targets) {
      const { text } = target.name;
      if (text === "_" || text === "") continue;
      const entity = body.scope.names.get(text);
      if (item.operator === "<-") {
        if (entity?.source.kind === "state") {
          const state = body.shared.rules.define(entity, body);
          body.shared.recorder.references.set(spanKey(target.name.span), {
            span: target.name.span,
            symbol: entity.symbol,
          });
          checkWrite(item, entity, state, body);
        } else {
          fail(body, "DS0101", {
            title: `no state named \`${text}\``,
            at: target.name.span,
            label:
              entity === undefined
                ? "`<-` writes a state; none of this name is declared"
                : "`<-` writes a state; this is none",
            secondary: entity === undefined ? [] : [{ span: entity.span, text: "declared here" }],
            help: entity === undefined ? `\`state ${text} : [S, …]\`` : "to define a value write `:=`",
          });
        }
      }
    }
  }
}

export function reportUnwritten(body: Body): void {
  for (const entity of body.scope.names.values()) {
    if (entity.source.kind !== "state" || body.writes.has(entity.name)) continue;
    fail(body, "DS0230", {
      title: `state \`${entity.name}\` is never written`,
      at: entity.span,
      label: "no equation writes its rows",
      help: `\`${entity.name}[pos[t]] <- …\``,
    });
  }
}
