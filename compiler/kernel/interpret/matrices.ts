/** Fragments of a matrix unit: whole matrices of a subgroup. */
import { InternalError } from "../../graph/internal-error.ts";
import type { Frag, Stmt } from "../kernel.ts";
import { compileScalar, type Scalar, type Surroundings } from "./compile-expr.ts";
import { KernelFault } from "./fault.ts";
import type { Frame } from "./frame.ts";
import type { Memories, Stores } from "./memory.ts";

interface Matrix {
  readonly shape: Frag;
  readonly values: Float64Array;
}

export class Matrices {
  readonly #subgroup: number;
  readonly #found = new Map<string, Matrix>();
  constructor(subgroup: number) {
    this.#subgroup = subgroup;
  }
  #key(name: string, lane: number): string {
    return `${name} ${Math.floor(lane / this.#subgroup)}`;
  }
  /** All zero. */
  declare(shape: Frag, lane: number): void {
    const values = new Float64Array(shape.count * shape.rows * shape.columns);
    this.#found.set(this.#key(shape.name, lane), { shape, values });
  }
  of(name: string, lane: number): Matrix {
    const found = this.#found.get(this.#key(name, lane));
    if (found === undefined) throw new InternalError(`fragment ${name} is not declared`);
    return found;
  }
}

interface Unit extends Surroundings {
  readonly stores: Memories<Stores, Stores<bigint>>;
  readonly frames: readonly Frame[];
  readonly subgroup: number;
  readonly matrices: Matrices;
}

export function compileMatrix(s: Extract<Stmt, { kind: "frag_load" | "frag_store" | "mma" }>, unit: Unit): () => void {
  const run = s.kind === "mma" ? multiply(s, unit) : move(s, unit);
  return () => {
    for (let first = 0; first < unit.frames.length; first += unit.subgroup)
      run(unit.frames.slice(first, first + unit.subgroup));
  };
}

/** What all lanes of a subgroup have. */
function agreed(frames: readonly Frame[], value: Scalar): number {
  const [first = 0, ...others] = frames.map(value);
  if (others.some((x) => x !== first)) throw new KernelFault("divergence", "lanes of a subgroup differ in a matrix");
  return first;
}

function multiply(s: Extract<Stmt, { kind: "mma" }>, unit: Unit): (frames: readonly Frame[]) => void {
  const [dAt, aAt, bAt] = [s.dAt, s.aAt, s.bAt].map((e) => compileScalar(e, unit));
  if (dAt === undefined || aAt === undefined || bAt === undefined) throw new InternalError("mma of two");
  return (frames) => {
    const lane = frames[0]?.lane ?? 0;
    const [d, a, b] = [unit.matrices.of(s.d, lane), unit.matrices.of(s.a, lane), unit.matrices.of(s.b, lane)];
    const { rows, columns } = d.shape;
    const depth = a.shape.columns;
    const start = [agreed(frames, dAt) * rows * columns, agreed(frames, aAt) * rows * depth] as const;
    const right = agreed(frames, bAt) * columns * depth;
    for (let i = 0; i < rows; i += 1)
      for (let j = 0; j < columns; j += 1) {
        let sum = d.values[start[0] + i * columns + j] ?? 0;
        for (let x = 0; x < depth; x += 1) {
          const product = (a.values[start[1] + i * depth + x] ?? 0) * (b.values[right + j * depth + x] ?? 0);
          sum = Math.fround(sum + product);
        }
        d.values[start[0] + i * columns + j] = sum;
      }
  };
}

function move(s: Extract<Stmt, { kind: "frag_load" | "frag_store" }>, unit: Unit): (frames: readonly Frame[]) => void {
  const [at, index, stride] = [s.at, s.index, s.stride].map((e) => compileScalar(e, unit));
  if (at === undefined || index === undefined || stride === undefined) throw new InternalError("a move of two");
  const [source, sink] = [unit.loads.numbers.get(s.memory), unit.stores.numbers.get(s.memory)];
  return (frames) => {
    const lane = frames[0]?.lane ?? 0;
    const { shape, values } = unit.matrices.of(s.frag, lane);
    const start = agreed(frames, at) * shape.rows * shape.columns;
    const [base, step] = [agreed(frames, index), agreed(frames, stride)];
    for (let r = 0; r < shape.rows; r += 1)
      for (let c = 0; c < shape.columns; c += 1) {
        const [slot, i] = [start + r * shape.columns + c, base + r * step + c];
        if (s.kind === "frag_load") values[slot] = source?.load(i, lane) ?? 0;
        else sink?.store(i, values[slot] ?? 0, lane);
      }
  };
}
