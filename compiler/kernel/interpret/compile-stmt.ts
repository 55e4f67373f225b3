/**
 * Statements as closures, of two kinds: what holds no meeting of lanes runs for one lane from start to end; what holds one
 * runs for all lanes together, whose conditions must agree.
 */
import { InternalError } from "../../graph/internal-error.ts";
import { isBounded } from "../bounded.ts";
import type { Branch, Loop, Stmt } from "../kernel.ts";
import { monoids } from "../ops.ts";
import { isMeeting } from "../walk.ts";
import { compileScalar, compileVector, compileWide, putInto, type Scalar, type Surroundings } from "./compile-expr.ts";
import { KernelFault } from "./fault.ts";
import type { Frame, Registers } from "./frame.ts";
import { compileMatrix, type Matrices } from "./matrices.ts";
import { meaningOf } from "./meaning.ts";
import type { Memories, Stores } from "./memory.ts";
import type { Clock } from "./races.ts";

export interface Item extends Surroundings {
  readonly stores: Memories<Stores, Stores<bigint>>;
  readonly frames: readonly Frame[];
  readonly clock: Clock;
  readonly subgroup: number;
  readonly matrices: Matrices;
  /** Statements of loops that may still be run. */
  readonly steps: { left: number };
  /** Where bounded loops end at the latest. */
  readonly bound: number;
  /** Is told how often what stands in a loop or a condition was run, each time that a lane comes by, or all together. */
  readonly passed: ((s: Branch, turns: number) => void) | undefined;
  /** The frames in the order in which lanes run until they meet again. */
  readonly inOrder: () => readonly Frame[];
}
type ForLane = (f: Frame) => void;
type ForAll = () => void;

const tooLong = (): KernelFault => new KernelFault("length", "more steps than are wanted");

const holdsMeeting = (s: Stmt): boolean =>
  isMeeting(s) || ((s.kind === "loop" || s.kind === "if") && s.body.some(holdsMeeting));

/** The body, run for all lanes of an item. */
export function compileBody(body: readonly Stmt[], item: Item): ForAll {
  const steps: ForAll[] = [];
  let alone: ForLane[] = [];
  const finishAlone = (): void => {
    if (alone.length === 0) return;
    const run = sequence(alone);
    steps.push(() => {
      for (const f of item.inOrder()) run(f);
    });
    alone = [];
  };
  for (const s of body) {
    if (!holdsMeeting(s)) alone.push(compileAlone(s, item));
    else {
      finishAlone();
      steps.push(compileTogether(s, item));
    }
  }
  finishAlone();
  return () => {
    for (const step of steps) step();
  };
}

function sequence(steps: readonly ForLane[]): ForLane {
  const [first] = steps;
  if (steps.length === 1 && first !== undefined) return first;
  return (f) => {
    for (const step of steps) step(f);
  };
}

function compileAlone(s: Stmt, item: Item): ForLane {
  switch (s.kind) {
    case "let":
      return compileSet(item.layout.offset(s.name), s.value, item);
    case "reg": {
      const { flag = 0 } = item.layout.registers(s.name) ?? {};
      return (f) => {
        f.written.fill(0, flag, flag + s.size);
      };
    }
    case "loop": {
      const [from, to] = [compileScalar(s.from, item), compileEnd(s, item)];
      const variable = item.layout.offset(s.name);
      const run = sequence(s.body.map((x) => compileAlone(x, item)));
      const { step, body } = s;
      const { steps, passed } = item;
      return (f) => {
        const [first, end] = [from(f), to(f)];
        passed?.(s, Math.max(0, Math.ceil((end - first) / step)));
        for (let i = first; i < end; i += step) {
          steps.left -= body.length;
          if (steps.left < 0) throw tooLong();
          f.values[variable] = i;
          run(f);
        }
      };
    }
    case "if": {
      const cond = compileScalar(s.cond, item);
      const run = sequence(s.body.map((x) => compileAlone(x, item)));
      const { passed } = item;
      return (f) => {
        const holds = cond(f) !== 0;
        passed?.(s, holds ? 1 : 0);
        if (holds) run(f);
      };
    }
    case "store":
      return compileStore(s, item);
    case "frag":
      return (f) => item.matrices.declare(s, f.lane);
    case "comment":
      return () => {};
    case "barrier":
    case "reduce":
    case "frag_load":
    case "frag_store":
    case "mma":
      throw new InternalError(`${s.kind} of one lane`);
    default:
      return s satisfies never;
  }
}

function compileEnd(s: Loop, item: Item): Scalar {
  const to = compileScalar(s.to, item);
  return isBounded(s) ? (f) => Math.min(to(f), item.bound) : to;
}

function compileSet(offset: number, value: Parameters<typeof compileVector>[0], item: Item): ForLane {
  const { width, elem } = value.type;
  if (elem === "i64") {
    const wide = compileWide(value, item);
    return (f) => {
      f.wide[offset] = wide(f);
    };
  }
  if (width === 1) {
    const scalar = compileScalar(value, item);
    return (f) => {
      f.values[offset] = scalar(f);
    };
  }
  const vector = compileVector(value, item);
  return (f) => putInto(f.values, offset, vector(f));
}

function compileStore(s: Extract<Stmt, { kind: "store" }>, item: Item): ForLane {
  const { width, elem } = s.value.type;
  const index = compileScalar(s.index, item);
  if (elem === "i64") return compileWideStore(s, index, item);
  const registers = item.layout.registers(s.to);
  if (registers !== null) return compileRegister(s, registers, item);
  const memory = memoryOf(s.to, item.stores.numbers);
  if (width === 1) {
    const scalar = compileScalar(s.value, item);
    return (f) => memory.store(index(f), scalar(f), f.lane);
  }
  const value = compileVector(s.value, item);
  return (f) => {
    const from = index(f);
    const v = value(f);
    for (let i = 0; i < width; i += 1) memory.store(from + i, v[i] ?? 0, f.lane);
  };
}

function compileRegister(s: Extract<Stmt, { kind: "store" }>, { offset, flag, size }: Registers, item: Item): ForLane {
  const { width } = s.value.type;
  const index = compileScalar(s.index, item);
  const inside = (i: number): number => {
    if (i < 0 || i >= size) throw new KernelFault("range", `${s.to}[${i}] of ${size}`);
    return i;
  };
  if (width > 1) {
    const value = compileVector(s.value, item);
    return (f) => {
      const i = inside(index(f));
      putInto(f.values, offset + i * width, value(f));
      f.written[flag + i] = 1;
    };
  }
  const value = compileScalar(s.value, item);
  return (f) => {
    const i = inside(index(f));
    f.values[offset + i] = value(f);
    f.written[flag + i] = 1;
  };
}

function compileWideStore(s: Extract<Stmt, { kind: "store" }>, index: Scalar, item: Item): ForLane {
  const value = compileWide(s.value, item);
  const registers = item.layout.registers(s.to);
  if (registers === null) {
    const memory = memoryOf(s.to, item.stores.wide);
    return (f) => memory.store(index(f), value(f), f.lane);
  }
  const { offset, flag, size } = registers;
  return (f) => {
    const i = index(f);
    if (i < 0 || i >= size) throw new KernelFault("range", `${s.to}[${i}] of ${size}`);
    f.wide[offset + i] = value(f);
    f.written[flag + i] = 1;
  };
}
function memoryOf<M>(name: string, stores: ReadonlyMap<string, M>): M {
  const memory = stores.get(name);
  if (memory === undefined) throw new InternalError(`nothing is stored to ${name}: the kernel is not verified`);
  return memory;
}

function compileTogether(s: Stmt, item: Item): ForAll {
  switch (s.kind) {
    case "barrier":
      return () => {
        item.clock.epoch += 1;
      };
    case "reduce":
      return compileReduce(s, item);
    case "loop":
      return loopTogether(s, item);
    case "if": {
      const cond = compileScalar(s.cond, item);
      const run = compileBody(s.body, item);
      const { passed } = item;
      return () => {
        const holds = agreed(item.frames, cond, "a condition") !== 0;
        passed?.(s, holds ? 1 : 0);
        if (holds) run();
      };
    }
    case "frag_load":
    case "frag_store":
    case "mma":
      return compileMatrix(s, item);
    case "let":
    case "reg":
    case "store":
    case "frag":
    case "comment":
      throw new InternalError(`${s.kind} of all lanes`);
    default:
      return s satisfies never;
  }
}

/** What all lanes have. */
function agreed(frames: readonly Frame[], value: Scalar, what: string): number {
  let first: number | null = null;
  for (const f of frames) {
    const x = value(f);
    if (first !== null && first !== x) throw new KernelFault("divergence", `lanes 0 and ${f.lane} differ in ${what}`);
    first ??= x;
  }
  return first ?? 0;
}

function loopTogether(s: Loop, item: Item): ForAll {
  const [from, to] = [compileScalar(s.from, item), compileEnd(s, item)];
  const variable = item.layout.offset(s.name);
  const run = compileBody(s.body, item);
  const { step, body } = s;
  const { steps, frames, passed } = item;
  return () => {
    const turns = agreed(item.frames, (f) => Math.ceil((to(f) - from(f)) / step), `the turns of ${s.name}`);
    passed?.(s, Math.max(0, turns));
    const starts = item.frames.map(from);
    for (let turn = 0; turn < turns; turn += 1) {
      steps.left -= body.length * frames.length;
      if (steps.left < 0) throw tooLong();
      for (const [i, f] of item.frames.entries()) f.values[variable] = (starts[i] ?? 0) + turn * step;
      run();
    }
  };
}

function compileReduce(s: Extract<Stmt, { kind: "reduce" }>, item: Item): ForAll {
  const value = compileScalar(s.value, item);
  const offset = item.layout.offset(s.name);
  const meaning = meaningOf(monoids[s.monoid].op, s.value.type.elem, item.fma);
  const width = s.how === "subgroup" ? item.subgroup : s.width;
  const { frames } = item;
  return () => {
    const values = frames.map(value);
    for (let first = 0; first < frames.length; first += width) {
      const cluster = values.slice(first, first + width);
      const all = cluster.reduce((x, y) => meaning(x, y, 0));
      for (const f of frames.slice(first, first + width)) f.values[offset] = all;
    }
  };
}
