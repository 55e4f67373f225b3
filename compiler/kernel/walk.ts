/** Walks over kernels and rebuilding of them. */
import type { Expr, Stmt } from "./kernel.ts";

export function children(e: Expr): readonly Expr[] {
  switch (e.kind) {
    case "const":
    case "wide":
    case "name":
      return [];
    case "op":
      return e.args;
    case "convert":
    case "bitcast":
    case "splat":
    case "extract":
    case "fold":
      return [e.arg];
    case "load":
      return e.piece === undefined ? [e.index] : [e.piece, e.index];
    case "dot":
      return [e.a, e.b, e.acc];
    default:
      return e satisfies never;
  }
}

/** The expression with its children replaced. */
export function mapChildren(e: Expr, f: (child: Expr) => Expr): Expr {
  switch (e.kind) {
    case "const":
    case "wide":
    case "name":
      return e;
    case "op":
      return { ...e, args: e.args.map(f) };
    case "convert":
    case "bitcast":
    case "splat":
    case "extract":
    case "fold":
      return { ...e, arg: f(e.arg) };
    case "load":
      return { ...e, ...(e.piece === undefined ? {} : { piece: f(e.piece) }), index: f(e.index) };
    case "dot":
      return { ...e, a: f(e.a), b: f(e.b), acc: f(e.acc) };
    default:
      return e satisfies never;
  }
}

/** Rebuilt from the leaves up. */
export const mapExpr = (e: Expr, f: (e: Expr) => Expr): Expr => f(mapChildren(e, (c) => mapExpr(c, f)));

export function walkExpr(e: Expr, visit: (e: Expr) => void): void {
  for (const c of children(e)) walkExpr(c, visit);
  visit(e);
}
export const someExpr = (e: Expr, is: (e: Expr) => boolean): boolean =>
  is(e) || children(e).some((c) => someExpr(c, is));

/** Every expression directly in a statement, not in nested statements. */
export function exprsOf(s: Stmt): readonly Expr[] {
  switch (s.kind) {
    case "let":
    case "reduce":
      return [s.value];
    case "loop":
      return [s.from, s.to];
    case "if":
      return [s.cond];
    case "store":
      return [s.index, s.value];
    case "frag_load":
    case "frag_store":
      return [s.at, s.index, s.stride];
    case "mma":
      return [s.dAt, s.aAt, s.bAt];
    case "reg":
    case "barrier":
    case "frag":
    case "comment":
      return [];
    default:
      return s satisfies never;
  }
}

/** The statement with the expressions directly in it replaced. */
export function mapExprsOf(s: Stmt, f: (e: Expr) => Expr): Stmt {
  switch (s.kind) {
    case "let":
    case "reduce":
      return { ...s, value: f(s.value) };
    case "loop":
      return { ...s, from: f(s.from), to: f(s.to) };
    case "if":
      return { ...s, cond: f(s.cond) };
    case "store":
      return { ...s, index: f(s.index), value: f(s.value) };
    case "frag_load":
    case "frag_store":
      return { ...s, at: f(s.at), index: f(s.index), stride: f(s.stride) };
    case "mma":
      return { ...s, dAt: f(s.dAt), aAt: f(s.aAt), bAt: f(s.bAt) };
    case "reg":
    case "barrier":
    case "frag":
    case "comment":
      return s;
    default:
      return s satisfies never;
  }
}

/** Rebuilds statements from the inside out; `stmt` may give several statements or none. */
export function mapStmts(
  body: readonly Stmt[],
  expr: (e: Expr) => Expr,
  stmt: (s: Stmt) => readonly Stmt[] = (s) => [s],
): readonly Stmt[] {
  return body.flatMap((s) => {
    const inner = s.kind === "loop" || s.kind === "if" ? { ...s, body: mapStmts(s.body, expr, stmt) } : s;
    return stmt(mapExprsOf(inner, (e) => mapExpr(e, expr)));
  });
}

export function walkStmts(body: readonly Stmt[], visit: (s: Stmt) => void): void {
  for (const s of body) {
    visit(s);
    if (s.kind === "loop" || s.kind === "if") walkStmts(s.body, visit);
  }
}

/** Names of the memories that a body reads. */
export function loadsOf(body: readonly Stmt[]): ReadonlySet<string> {
  const found = new Set<string>();
  walkStmts(body, (s) => {
    if (s.kind === "frag_load") found.add(s.memory);
    for (const e of exprsOf(s))
      walkExpr(e, (x) => {
        if (x.kind === "load") found.add(x.from);
      });
  });
  return found;
}

/** The name that a statement declares. */
export const declares = (s: Stmt): string | null =>
  s.kind === "let" || s.kind === "reg" || s.kind === "loop" || s.kind === "reduce" || s.kind === "frag" ? s.name : null;
/** Lanes meet at it. */
export const isMeeting = (s: Stmt): boolean =>
  s.kind === "barrier" || s.kind === "reduce" || s.kind === "frag_load" || s.kind === "frag_store" || s.kind === "mma";
