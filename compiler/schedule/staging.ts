/**
 * Sums of products whose factors go through shared memory. An item's places are a rectangle of rows and tokens. For a stretch of the sum
 * its lanes compute, once for all of them, what the summands have of the rows and what of the tokens (weights unpacked and scaled, rows
 * gathered and normed), a vector each; then every lane reads what its own places need. A summand is a product of two such tiles:
 *
 *     sum[k](w[n, k] * scale[n] * silu(g[t, k]) * u[t, k])  =  sum[k](rows[n, k] * tokens[t, k])
 *
 * What is past the end of the sum is 0 in a tile, what is past the last row or token is the last one again.
 */
import { dim } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import type { Axis, Node, Scalar } from "../graph/node.ts";
import { freeNames, name as indexName, num, mul as product, read, add as sum } from "../graph/scalar.ts";
import type { Body, Memory } from "../kernel/build.ts";
import { typeOf } from "../kernel/elem.ts";
import { add, constant, div, extract, lt, min, mod, mul, op, splat, sub } from "../kernel/expr.ts";
import type { Expr } from "../kernel/kernel.ts";
import { type Bound, type Env, type Lift, Unsuitable } from "./lift/lift.ts";
import { dimExpr, factorOf } from "./lift/spell-dim.ts";
import { termWidth, widthAlong } from "./lift/vector-along.ts";

/** One axis of the rectangle. */
export interface Side {
  readonly axis: Axis;
  /** Its places in an item, and where the first of them is. */
  readonly places: number;
  readonly first: Expr;
  /** Vectors lie along it, so wide; else along the sum. */
  readonly width: number;
}
export interface StagingOptions {
  readonly rows: Side;
  readonly tokens: Side;
  /** Terms of the sum that are staged at once. */
  readonly depth: number;
  /** Widest vectors of memory. */
  readonly vector: number;
  /** Of a place of a lane, by its id, where it is in the rectangle. */
  readonly local: ReadonlyMap<number, Bound>;
}

/** A sum of the form above, over indices of a loop of its own. */
export interface StagedTerm {
  readonly body: Scalar;
  readonly env: Env;
}
/** The indices of the sum: one that is walked in stretches, others around it. */
export interface StagedAxes {
  readonly inner: Axis;
  readonly outer: readonly Axis[];
  readonly names: ReadonlyMap<Axis, string>;
  /** Terms of a vector; 1 where vectors lie along rows. */
  readonly width: number;
}
export interface Staged {
  /** Each as a product of tiles, with where its places are in them. */
  readonly terms: readonly StagedTerm[];
  /** The loops; `inside` gets where the indices stand in a turn of the innermost, for each place of a turn. */
  readonly loop: (inside: Inside) => void;
}

type Inside = (places: readonly ReadonlyMap<string, Bound>[]) => void;

/** What one side has of a summand, in shared memory. */
interface Tile {
  readonly of: Scalar;
  readonly env: Env;
  readonly side: Side;
  /** Elements of a load, along the sum or along the side. */
  readonly load: number;
  readonly memory: Memory;
  /** Stands for it in terms. */
  readonly node: Node;
}
/** What one lane fills of tiles of one side. */
interface Piece {
  /** Row of the tile, of which so many are before those of its lane's first piece, and where in it. */
  readonly line: Expr;
  readonly ahead: number;
  readonly within: Expr;
  /** Null: always. */
  readonly guard: Expr | null;
  readonly place: Bound;
}
/** Tiles that are filled alike. */
interface Filling {
  readonly tiles: readonly Tile[];
  readonly side: Side;
  readonly load: number;
  readonly pieces: readonly Piece[];
}

export class Staging {
  readonly #lift: Lift;
  readonly #o: StagingOptions;
  #tiles = 0;
  constructor(lift: Lift, o: StagingOptions) {
    this.#lift = lift;
    this.#o = o;
  }
  get #b(): Body {
    return this.#lift.body;
  }

  /** Whether it is at places of the rectangle, and differs along both of its sides. */
  takes(e: Scalar, env: Env): boolean {
    return [this.#o.rows, this.#o.tokens].every(
      (s) => freeNames(e).has(s.axis.name) && this.#placeOf(s, env) !== undefined,
    );
  }
  #placeOf({ axis }: Side, env: Env): Bound | undefined {
    return this.#o.local.get(env.get(axis.name)?.id ?? 0);
  }

  /** Throws `Unsuitable` where a factor needs both sides. */
  staged(terms: readonly StagedTerm[], axes: StagedAxes): Staged {
    const { rows, tokens } = this.#o;
    const tiles = new Map<string, Tile>();
    const differs = (f: Scalar, s: Side): boolean => freeNames(f).has(s.axis.name);
    const staged = terms.map(({ body, env }): StagedTerm => {
      const factors = this.#lift.factors(body, env);
      if (factors.some((f) => differs(f, rows) && differs(f, tokens)))
        throw new Unsuitable("a factor that needs both a row and a token is not staged");
      const parts = [
        { side: rows, own: factors.filter((f) => differs(f, rows)) },
        { side: tokens, own: factors.filter((f) => !differs(f, rows)) },
      ].filter(({ own }) => own.length > 0);
      const reads = parts.map(({ side, own }) => {
        return this.#read(this.#tile(tiles, { side, of: own.reduce(product), env, axes }), axes);
      });
      const at = [rows, tokens].flatMap((s): readonly (readonly [string, Bound])[] => {
        const place = this.#placeOf(s, env);
        return place === undefined ? [] : [[placeIn(s), place]];
      });
      return { body: reads.reduce(product), env: new Map([...env, ...at]) };
    });
    return { terms: staged, loop: (inside) => this.#loop([...tiles.values()], axes, inside) };
  }

  #tile(tiles: Map<string, Tile>, what: { side: Side; of: Scalar; env: Env; axes: StagedAxes }): Tile {
    const { side, of, axes } = what;
    const { depth, vector } = this.#o;
    const env = new Map([...what.env].filter(([n]) => n !== side.axis.name));
    const k = `${side.axis.name}|${this.#lift.keyOf(of, env)}`;
    const known = tiles.get(k);
    if (known !== undefined) return known;
    const [along, size, most] =
      side.width > 1
        ? [side.axis.name, side.axis.size, side.width]
        : [kOf(axes), axes.inner.size, Math.min(vector, depth)];
    let load = side.width > 1 ? widthAlong(of, along, most) : termWidth(of, along, most);
    while (load > 1 && factorOf(size) % load !== 0) load /= 2;
    const elements = side.width > 1 ? depth * side.places : side.places * lineOf(depth, this.#turnOf(axes));
    const memory = this.#b.shared(side === this.#o.rows ? "rows" : "tokens", "f32", elements);
    this.#tiles += 1;
    const type = { dtype: "f32", dims: [dim(elements)] } as const;
    const node: Node = { kind: "input", id: firstTile + this.#tiles, name: memory.name, type };
    this.#lift.lend(node, memory);
    const made = { of, env, side, load, memory, node };
    tiles.set(k, made);
    return made;
  }

  #read({ side, node }: Tile, axes: StagedAxes): Scalar {
    const [place, term] = [indexName(placeIn(side)), indexName(kOf(axes))];
    return read(node, [
      side.width > 1
        ? sum(product(term, num(side.places)), place)
        : sum(product(place, num(lineOf(this.#o.depth, this.#turnOf(axes)))), term),
    ]);
  }

  #loop(tiles: readonly Tile[], axes: StagedAxes, inside: Inside): void {
    const [b, lift, { depth }, { width }] = [this.#b, this.#lift, this.#o, axes];
    const turn = this.#turnOf(axes);
    const fillings = this.#fillings(tiles);
    const go = (outer: readonly Axis[], around: ReadonlyMap<string, Bound>): void => {
      const [a, ...others] = outer;
      if (a !== undefined)
        return b.loop("j", { from: 0, to: dimExpr(a.size), step: 1 }, (j) =>
          go(others, new Map([...around, [axes.names.get(a) ?? "", lift.bound(j)]])),
        );
      b.loop("k0", { from: 0, to: dimExpr(axes.inner.size), step: depth }, (k0) => {
        for (const f of fillings) this.#fill(f, { k0, axes, around });
        b.barrier();
        b.loop("k", { from: 0, to: depth, step: turn }, (k) => {
          const bounds = width > 1 ? [lift.bound(k, { width })] : lift.inTurn(k, turn);
          inside(bounds.map((bound) => new Map([...around, [kOf(axes), bound]])));
        });
        b.barrier();
      });
    };
    go(axes.outer, new Map());
  }

  /** Terms of a turn of the innermost loop: a vector, or as many numbers of a token as are read at once. */
  #turnOf({ width }: StagedAxes): number {
    const { depth, vector } = this.#o;
    return width > 1 ? width : Math.min(vector, depth);
  }

  #fillings(tiles: readonly Tile[]): readonly Filling[] {
    const groups = new Map<string, Tile[]>();
    for (const t of tiles) {
      const k = `${t.side.axis.name}|${t.load}`;
      groups.set(k, [...(groups.get(k) ?? []), t]);
    }
    return [...groups.values()].flatMap((group): readonly Filling[] => {
      const [first] = group;
      if (first === undefined) return [];
      return [{ tiles: group, side: first.side, load: first.load, pieces: this.#pieces(first) }];
    });
  }

  /** Lanes side by side have vectors side by side of a line, then of the next. */
  #pieces({ side, load }: Tile): readonly Piece[] {
    const [b, lift, { depth }] = [this.#b, this.#lift, this.#o];
    const [lines, length] = side.width > 1 ? [depth, side.places] : [side.places, depth];
    const perLine = length / load;
    if (b.lanes % perLine !== 0) throw new Unsuitable(`${b.lanes} lanes and lines of ${perLine} vectors`);
    const atOnce = b.lanes / perLine;
    const own = b.let("line", div(b.lane, perLine));
    const within = b.let("within", mul(mod(b.lane, perLine), load));
    const size = dimExpr(side.axis.size);
    const isWhole = factorOf(side.axis.size) % side.places === 0;
    const along =
      side.width === 1
        ? null
        : lift.bound(b.let("from", isWhole ? add(side.first, within) : min(add(side.first, within), sub(size, load))), {
            width: load,
          });
    const from = b.let("from", add(side.first, own));
    return Array.from({ length: Math.ceil(lines / atOnce) }, (_, i): Piece => {
      const ahead = i * atOnce;
      const guard = ahead + atOnce > lines ? lt(add(own, ahead), lines) : null;
      const here = isWhole && guard === null ? null : b.let("at", min(add(from, ahead), sub(size, 1)));
      const place = along ?? (here === null ? lift.bound(from, { offset: ahead }) : lift.bound(here));
      return { line: own, ahead, within, guard, place };
    });
  }

  #fill(
    { tiles, side, load, pieces }: Filling,
    at: { k0: Expr; axes: StagedAxes; around: ReadonlyMap<string, Bound> },
  ): void {
    const [b, { depth }] = [this.#b, this.#o];
    const { axes, k0 } = at;
    const width = this.#turnOf(axes);
    const size = dimExpr(axes.inner.size);
    const isWhole = factorOf(axes.inner.size) % depth === 0;
    const alongPlaces = side.width > 1;
    const stride = alongPlaces ? side.places : lineOf(depth, width);
    /** Pieces whose vectors begin at one term of the sum, so many behind another. */
    const fill = (some: readonly Piece[], term: Expr, offset: number): void => {
      const kWidth = alongPlaces ? 1 : load;
      const put = (value: ((t: Tile, p: Piece, k: Bound) => Expr) | null): void => {
        const k = this.#lift.bound(term, { offset, width: kWidth });
        for (const p of some)
          for (const t of tiles) {
            const zero = constant(0, typeOf("f32", load));
            const x = value === null ? zero : value(t, p, k);
            const store = (): void =>
              this.#store(t, add(mul(p.line, stride), p.within, p.ahead * stride), x, alongPlaces ? load : width);
            if (p.guard === null) store();
            else b.if(p.guard, store);
          }
      };
      const value = (t: Tile, p: Piece, k: Bound): Expr => {
        const env = new Map([...t.env, ...at.around, [side.axis.name, p.place], [kOf(axes), k]]);
        const x = this.#lift.float(t.of, env);
        return x.type.width === load ? x : splat(x, load);
      };
      if (isWhole) return put(value);
      const end = add(term, offset + kWidth);
      b.if(op("le", end, size), () => put(value));
      b.if(lt(size, end), () => put(null));
    };
    const [first] = pieces;
    if (first === undefined) return;
    const term = b.let("term", add(k0, alongPlaces ? first.line : first.within));
    if (!alongPlaces) return fill(pieces, term, 0);
    for (const p of pieces) {
      const one = (): void => fill([{ ...p, guard: null }], term, p.ahead);
      if (p.guard === null) one();
      else b.if(p.guard, one);
    }
  }

  /** As wide as it is read: what is stored narrower is declared so, and what is stored wider would be picked apart by each who reads. */
  #store({ memory }: Tile, index: Expr, value: Expr, width: number): void {
    if (width >= value.type.width) return this.#b.store(memory, index, value);
    const x = this.#b.let("x", value);
    for (let i = 0; i < value.type.width; i += 1) this.#b.store(memory, add(index, i), extract(x, i));
  }
}

/** Above the ids of graphs and of what is flat. */
const firstTile = 2e9;
/** Elements of a line along the sum, of which so many are read at once: lanes that read adjacent lines meet no bank twice. */
const lineOf = (depth: number, turn: number): number => depth + turn;
const placeIn = ({ axis }: Side): string => `$place of ${axis.name}`;
function kOf({ names, inner }: StagedAxes): string {
  const k = names.get(inner);
  if (k === undefined) throw new InternalError("a sum over no index");
  return k;
}
