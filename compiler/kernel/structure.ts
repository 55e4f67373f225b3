/** Invariants 1, 2, 3, 6 and 7: names, types, accesses allowed, indices of registers, spelling of names. */
import { elems, isType, sameType, type Type, typeName, typeOf } from "./elem.ts";
import { checkExpr, type Place } from "./expr-types.ts";
import { builtins, type Expr, type Frag, type Kernel, type Stmt } from "./kernel.ts";
import type { Problems } from "./problem.ts";
import { isIdentifier, isReserved } from "./reserved.ts";
import { mostBlocks, mostNesting } from "./text-form.ts";
import { children, declares, exprsOf, someExpr, walkStmts } from "./walk.ts";

const i32 = typeOf("i32");
const mostTurns = 128;

export function structureProblems(k: Kernel, problems: Problems): void {
  new Structure(k, problems).check();
}

interface Scope {
  readonly names: ReadonlyMap<string, Type>;
  readonly places: ReadonlyMap<string, Place>;
  readonly frags: ReadonlyMap<string, Frag>;
  /** Variables of unrolled loops. */
  readonly unrolled: ReadonlySet<string>;
}

/** Of a block that is being read: what its statements declare is added. */
interface Inside extends Scope {
  readonly names: Map<string, Type>;
  readonly places: Map<string, Place>;
  readonly frags: Map<string, Frag>;
}

class Structure {
  readonly #k: Kernel;
  readonly #problems: Problems;
  readonly #declared = new Set<string>();
  constructor(k: Kernel, problems: Problems) {
    this.#k = k;
    this.#problems = problems;
  }
  #fail(rule: number, message: string): void {
    this.#problems.report(rule, message);
  }
  #declare(name: string): void {
    if (this.#declared.has(name)) this.#fail(1, `${name} is declared twice`);
    this.#declared.add(name);
    if (isReserved(name) || !isIdentifier(name)) this.#fail(7, `${name} is no name: a target may have it as a word`);
  }

  check(): void {
    const k = this.#k;
    for (const x of [...k.sizes, ...k.buffers, ...k.shared, ...k.grid]) this.#declare(x.name);
    const natural = (x: number, least: number): boolean => Number.isSafeInteger(x) && x >= least;
    for (const s of k.sizes)
      if (!natural(s.multiple, 1) || !natural(s.minimum, 0)) this.#fail(2, `facts of size ${s.name}`);
    for (const s of k.shared) {
      if (!natural(s.size, 1)) this.#fail(2, `${s.name} has ${s.size} elements`);
      if (s.elem === "i64") this.#fail(2, `shared ${s.name} of i64`);
    }
    if (!natural(k.lanes, 1)) this.#fail(2, `${k.lanes} lanes`);
    const sizes = new Map(k.sizes.map((s) => [s.name, i32]));
    const extent = (e: Expr, of: string): void => {
      if (!sameType(e.type, i32) || someExpr(e, (x) => !["const", "name", "op"].includes(x.kind)))
        this.#fail(1, `the extent of ${of} is no expression over sizes`);
      this.#expr(e, { names: sizes, places: new Map(), frags: new Map(), unrolled: new Set() });
    };
    for (const x of [...k.buffers, ...k.grid]) extent(x.extent, x.name);
    for (const b of k.buffers) {
      if (b.pieces !== undefined) extent(b.pieces, b.name);
      if (b.pieces !== undefined && b.access !== "read") this.#fail(3, `${b.name} is in pieces, and not only read`);
      if (!/^[A-Za-z_]\w*$/.test(b.layout)) this.#fail(7, `${b.layout} is no name of a layout`);
    }
    const names = new Map([...sizes, ...[...builtins, ...k.grid.map((g) => g.name)].map((n) => [n, i32] as const)]);
    const places = new Map<string, Place>();
    for (const { name, elem, access, pieces } of k.buffers)
      places.set(name, { space: "buffer", type: typeOf(elem), access, inPieces: pieces !== undefined });
    for (const s of k.shared)
      places.set(s.name, { space: "shared", type: typeOf(s.elem), access: null, inPieces: false });
    this.#block(k.body, { names, places, frags: new Map(), unrolled: new Set() }, 1);
  }

  #expr(e: Expr, scope: Scope, depth = 1): void {
    if (depth > mostNesting) return this.#fail(2, "an expression is nested too deep");
    for (const c of children(e)) this.#expr(c, scope, depth + 1);
    if (!isType(e.type)) this.#fail(2, `there is no ${typeName(e.type)}`);
    const why = checkExpr(e, scope);
    if (why !== null) this.#fail(why.rule, why.message);
    if (e.kind === "load" && scope.places.get(e.from)?.space === "register") this.#constant(e.index, e.from, scope);
  }
  #constant(index: Expr, of: string, scope: Scope): void {
    const varies = (x: Expr): boolean => x.kind === "load" || (x.kind === "name" && !scope.unrolled.has(x.name));
    if (someExpr(index, varies)) this.#fail(6, `an index of ${of} is no constant when loops are unrolled`);
  }
  #index(e: Expr, of: string): void {
    if (!sameType(e.type, i32)) this.#fail(2, `an index of ${of} is ${typeName(e.type)}`);
  }

  #block(body: readonly Stmt[], outer: Scope, depth: number): void {
    if (depth > mostBlocks) return this.#fail(2, "blocks are nested too deep");
    const { unrolled } = outer;
    const scope = { names: new Map(outer.names), places: new Map(outer.places), frags: new Map(outer.frags), unrolled };
    for (const s of body) {
      for (const e of exprsOf(s)) this.#expr(e, scope);
      const name = declares(s);
      if (name !== null) this.#declare(name);
      this.#statement(s, scope, depth);
    }
  }
  /** What it declares is in the scope from then on. */
  #statement(s: Stmt, scope: Inside, depth: number): void {
    switch (s.kind) {
      case "let":
        scope.names.set(s.name, s.value.type);
        return;
      case "reg":
        if (!isType(s.type) || !Number.isSafeInteger(s.size) || s.size < 1 || s.size > 1024)
          this.#fail(2, `${s.size} registers ${s.name} of ${typeName(s.type)}`);
        scope.places.set(s.name, { space: "register", type: s.type, access: null, inPieces: false });
        return;
      case "loop":
        for (const bound of [s.from, s.to]) if (!sameType(bound.type, i32)) this.#fail(2, `a bound of ${s.name}`);
        if (!Number.isSafeInteger(s.step) || s.step < 1) this.#fail(2, `the step of ${s.name} is ${s.step}`);
        if (s.mode === "unrolled" && !isShort(s)) this.#fail(6, `bounds of unrolled ${s.name} are no near constants`);
        if (changesBounds(s)) this.#fail(2, `what bounds ${s.name} reads is stored in its body`);
        this.#block(s.body, inside(scope, s), depth + 1);
        return;
      case "if":
        if (!sameType(s.cond.type, typeOf("bool"))) this.#fail(2, `a condition is ${typeName(s.cond.type)}`);
        this.#block(s.body, scope, depth + 1);
        return;
      case "store":
        this.#store(s, scope);
        return;
      case "reduce":
        if (s.value.type.width !== 1 || !["f32", "i32"].includes(s.value.type.elem))
          this.#fail(2, `reduce of ${typeName(s.value.type)}`);
        scope.names.set(s.name, s.value.type);
        return;
      case "frag":
        for (const x of [s.count, s.rows, s.columns])
          if (!Number.isSafeInteger(x) || x < 1 || x > 1024) this.#fail(2, `the shape of ${s.name}`);
        scope.frags.set(s.name, s);
        return;
      case "frag_load":
      case "frag_store":
        this.#move(s, scope);
        return;
      case "mma":
        this.#multiply(s, scope);
        return;
      case "comment":
        if (s.text.includes("\n")) this.#fail(2, "a comment of several lines");
        return;
      case "barrier":
        return;
      default:
        s satisfies never;
    }
  }
  #store(s: Extract<Stmt, { kind: "store" }>, scope: Scope): void {
    const place = scope.places.get(s.to);
    this.#index(s.index, s.to);
    if (place === undefined) return this.#fail(1, `there is no memory ${s.to}`);
    if (place.access === "read") this.#fail(3, `a store to ${s.to}, which is read`);
    const { type } = s.value;
    const fits = place.space === "register" ? sameType(place.type, type) : place.type.elem === type.elem;
    if (!fits) this.#fail(2, `${s.to} holds ${typeName(place.type)}, not ${typeName(type)}`);
    if (place.space === "register") this.#constant(s.index, s.to, scope);
  }
  #frag(name: string, role: Frag["role"] | null, at: Expr, scope: Scope): Frag | null {
    const found = scope.frags.get(name);
    this.#index(at, name);
    this.#constant(at, name, scope);
    if (found === undefined) this.#fail(1, `there is no fragment ${name}`);
    else if (role !== null && found.role !== role) this.#fail(2, `fragment ${name} is ${found.role}, not ${role}`);
    return found ?? null;
  }
  #move(s: Extract<Stmt, { kind: "frag_load" | "frag_store" }>, scope: Scope): void {
    const frag = this.#frag(s.frag, s.kind === "frag_store" ? "d" : null, s.at, scope);
    const place = scope.places.get(s.memory);
    this.#index(s.index, s.memory);
    this.#index(s.stride, s.memory);
    if (place === undefined || place.space === "register") return this.#fail(1, `there is no memory ${s.memory}`);
    if (place.inPieces) this.#fail(3, `${s.kind} of ${s.memory}, which is in pieces`);
    if (frag !== null && frag.elem !== place.type.elem) this.#fail(2, `${s.memory} holds no ${frag.elem}`);
    const wrong = s.kind === "frag_load" ? "write" : "read";
    if (place.access === wrong) this.#fail(3, `${s.kind} of ${s.memory}, which is ${wrong}`);
  }
  #multiply(s: Extract<Stmt, { kind: "mma" }>, scope: Scope): void {
    const [d, a, b] = [
      this.#frag(s.d, "d", s.dAt, scope),
      this.#frag(s.a, "a", s.aAt, scope),
      this.#frag(s.b, "b", s.bAt, scope),
    ];
    if (d === null || a === null || b === null) return;
    const fits = d.rows === a.rows && d.columns === b.rows && a.columns === b.columns && a.elem === b.elem;
    if (!fits || !elems[a.elem].float || d.elem !== "f32") this.#fail(2, `mma of ${s.d}, ${s.a} and ${s.b}`);
  }
}

const isShort = (s: Extract<Stmt, { kind: "loop" }>): boolean =>
  s.from.kind === "const" && s.to.kind === "const" && (s.to.value - s.from.value) / s.step <= mostTurns;

/** Some targets evaluate bounds before each turn, others once. */
function changesBounds(s: Extract<Stmt, { kind: "loop" }>): boolean {
  const stored = new Set<string>();
  walkStmts(s.body, (x) => {
    if (x.kind === "store") stored.add(x.to);
  });
  return [s.from, s.to].some((bound) => someExpr(bound, (e) => e.kind === "load" && stored.has(e.from)));
}

function inside(scope: Scope, s: Extract<Stmt, { kind: "loop" }>): Scope {
  const unrolled = s.mode === "unrolled" ? new Set(scope.unrolled).add(s.name) : scope.unrolled;
  return { ...scope, names: new Map(scope.names).set(s.name, i32), unrolled };
}
