/**
 * Accesses of a kernel with symbolic indices: a walk over the body in its order, with what is known at each place. A size
 * that is a multiple of m is m times a symbol; a loop's variable is its start plus g times an index, g the greatest common
 * divisor of start and step; unrolled loops are walked turn by turn, so that each register's content is known by its own index.
 */
import { type Facts, noFacts, withBounds, withNonNegative } from "../../dsl/types/facts.ts";
import {
  add,
  constant,
  index,
  indexKey,
  one,
  type Poly,
  scale,
  sub,
  symbol,
  symbolKey,
  zero,
} from "../../dsl/types/poly.ts";
import { isSurelyNonNegative } from "../../dsl/types/prove.ts";
import { name } from "./expr.ts";
import type { Expr, FragMove, Kernel, Loop, Stmt } from "./kernel.ts";
import { divideBy, floorRange, multipleOf } from "./multiples.ts";
import { printExpr } from "./print.ts";
import type { Problems } from "./problem.ts";
import { assumptionsOf, SymbolicValues } from "./symbolic-values.ts";
import { exprsOf, walkExpr, walkStmts } from "./walk.ts";

export interface Access {
  readonly kind: "load" | "store";
  readonly memory: string;
  readonly index: Poly;
  /** Elements from `index` on. */
  readonly width: number;
  /** Elements there are, of each piece if there are any. */
  readonly extent: Poly;
  /** Which piece, of how many; null where the memory is in one. */
  readonly piece: { readonly index: Poly; readonly count: Poly } | null;
  readonly facts: Facts;
  /** Reads as in the text form. */
  readonly text: string;
  /** A matrix: `rows` times `width` elements, `stride` apart. */
  readonly matrix: { readonly rows: number; readonly stride: Poly } | null;
}

const mostSteps = 20_000;
/** Indices that only constants bound are taken to be at most that. */
const mostConstant = 2 ** 20;

/** All accesses of buffers, shared arrays and registers; none where the body is too long to walk. */
export function accessesOf(k: Kernel, problems: Problems): readonly Access[] {
  const walk = new Walk(k);
  walk.run();
  if (walk.steps <= mostSteps) return walk.accesses;
  problems.report(6, "there is too much to unroll");
  return [];
}

class Walk {
  readonly #k: Kernel;
  readonly accesses: Access[] = [];
  steps = 0;
  readonly #values = new SymbolicValues();
  readonly #extents = new Map<string, Poly>();
  readonly #pieces = new Map<string, Poly>();
  #fresh = 0;
  constructor(k: Kernel) {
    this.#k = k;
  }

  run(): void {
    const k = this.#k;
    let facts = noFacts;
    for (const s of k.sizes) {
      this.#values.set(s.name, scale(symbol(s.name), s.multiple));
      const lower = constant(Math.ceil(s.minimum / s.multiple));
      facts = withBounds(facts, symbolKey(s.name), { lower, upper: null });
    }
    for (const b of k.buffers) {
      this.#extents.set(b.name, this.#values.poly(b.extent, facts));
      if (b.pieces !== undefined) this.#pieces.set(b.name, this.#values.poly(b.pieces, facts));
    }
    for (const s of k.shared) this.#extents.set(s.name, constant(s.size));
    const known = k.sizes.map((x) => this.#values.poly(name(x.name), facts));
    const all = [...known, ...this.#extents.values(), ...this.#pieces.values()];
    this.#values.setMost(all.reduce(add, constant(mostConstant)));
    const grid = k.grid.map((g) => ({ name: g.name, extent: this.#values.poly(g.extent, facts) }));
    for (const g of grid) {
      this.#values.set(g.name, index(g.name));
      facts = withBounds(facts, indexKey(g.name), { lower: zero, upper: sub(g.extent, one) });
      for (const fact of floorRange(sub(g.extent, one))) facts = withNonNegative(facts, fact);
    }
    const lanes = { lane: k.lanes, subgroup_lane: k.lanes, subgroup_id: k.lanes };
    for (const [name, count] of Object.entries(lanes)) {
      this.#values.set(name, index(name));
      facts = withBounds(facts, indexKey(name), { lower: zero, upper: constant(count - 1) });
    }
    this.#values.set("subgroup_size", index("subgroup_size"));
    facts = withBounds(facts, indexKey("subgroup_size"), { lower: one, upper: null });
    this.#block(k.body, facts);
  }

  #block(body: readonly Stmt[], facts: Facts): void {
    for (const s of body) {
      this.steps += 1;
      if (this.steps > mostSteps) return;
      for (const e of exprsOf(s)) this.#loads(e, facts);
      this.#statement(s, facts);
    }
  }

  #loads(e: Expr, facts: Facts): void {
    walkExpr(e, (x) => {
      if (x.kind !== "load") return;
      const text = printExpr(x);
      this.#access({ kind: "load", memory: x.from, index: x.index, width: x.type.width, text }, facts, null, x.piece);
    });
  }
  #access(
    a: Pick<Access, "kind" | "memory" | "width" | "text"> & { readonly index: Expr },
    facts: Facts,
    matrix: Access["matrix"] = null,
    which?: Expr,
  ): void {
    const extent = this.#extents.get(a.memory) ?? zero;
    const count = this.#pieces.get(a.memory);
    const piece = which === undefined || count === undefined ? null : { index: this.#values.poly(which, facts), count };
    // A register of a vector type is one element.
    const width = this.#values.isRegister(a.memory) ? 1 : a.width;
    this.accesses.push({ ...a, width, index: this.#values.poly(a.index, facts), extent, piece, facts, matrix });
  }

  #statement(s: Stmt, facts: Facts): void {
    switch (s.kind) {
      case "let":
        this.#values.define(s.name, s.value, facts);
        break;
      case "reduce":
        this.#values.forget(s.name);
        break;
      case "reg":
        this.#extents.set(s.name, constant(s.size));
        this.#values.declareRegister(s.name);
        break;
      case "loop":
        if (s.mode === "unrolled") this.#unrolled(s, facts);
        else this.#serial(s, facts);
        break;
      case "if": {
        const assumed = assumptionsOf(s.cond, this.#values, facts);
        this.#block(s.body, assumed.reduce(withNonNegative, facts));
        this.#invalidate(s.body);
        break;
      }
      case "store": {
        const text = `${s.to}[${printExpr(s.index)}] =`;
        this.#access({ kind: "store", memory: s.to, index: s.index, width: s.value.type.width, text }, facts);
        this.#values.store(s.to, s.index, s.value, facts);
        break;
      }
      case "frag":
        this.#extents.set(s.name, constant(s.count));
        this.#values.declareRegister(s.name);
        break;
      case "frag_load":
      case "frag_store":
        this.#move(s, facts);
        break;
      case "mma":
        for (const [memory, at] of [
          [s.d, s.dAt],
          [s.a, s.aAt],
          [s.b, s.bAt],
        ] as const)
          this.#access({ kind: "load", memory, index: at, width: 1, text: `${memory}[${printExpr(at)}]` }, facts);
        break;
      case "barrier":
      case "comment":
        break;
      default:
        s satisfies never;
    }
  }

  #move(s: FragMove, facts: Facts): void {
    let shape = { rows: 1, columns: 1 };
    walkStmts(this.#k.body, (x) => {
      if (x.kind === "frag" && x.name === s.frag) shape = x;
    });
    const text = `${s.kind} ${s.memory}[${printExpr(s.index)}]`;
    this.#access({ kind: "load", memory: s.frag, index: s.at, width: 1, text: `${s.frag}[${printExpr(s.at)}]` }, facts);
    const matrix = { rows: shape.rows, stride: this.#values.poly(s.stride, facts) };
    const kind = s.kind === "frag_load" ? "load" : "store";
    this.#access({ kind, memory: s.memory, index: s.index, width: shape.columns, text }, facts, matrix);
  }

  #unrolled(s: Loop, facts: Facts): void {
    const [from, to] = [s.from, s.to].map((e) => (e.kind === "const" ? e.value : 0));
    for (let i = from ?? 0; i < (to ?? 0) && this.steps <= mostSteps; i += s.step) {
      this.#values.set(s.name, constant(i));
      this.#block(s.body, facts);
    }
  }

  #serial(s: Loop, facts: Facts): void {
    const [from, to] = [this.#values.poly(s.from, facts), this.#values.poly(s.to, facts)];
    const turns = sub(sub(to, from), one);
    if (isSurelyNonNegative(sub(from, to), facts)) return; // no turn at all
    this.#invalidate(s.body); // a turn sees what the one before it left
    const g = multipleOf(from, s.step);
    this.#fresh += 1;
    const variable = `${s.name}#${this.#fresh}`;
    this.#values.set(s.name, add(from, scale(index(variable), g)));
    if (!this.#values.isTame(turns, facts)) this.#values.declareWild(indexKey(variable));
    let inner = withBounds(facts, indexKey(variable), { lower: zero, upper: divideBy(turns, g, facts) });
    for (const fact of floorRange(turns)) inner = withNonNegative(inner, fact);
    this.#block(s.body, inner);
    this.#invalidate(s.body);
  }

  #invalidate(body: readonly Stmt[]): void {
    walkStmts(body, (s) => {
      if (s.kind === "store") this.#values.invalidate(s.to);
    });
  }
}
