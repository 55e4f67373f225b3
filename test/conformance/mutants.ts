/** Faults planted in copies of scheduling, lowering and programs: the conformance suite is to see each of them. */

export interface Mutant {
  readonly what: string;
  /** Below compiler/. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Rows that are tried: subjects that contain this. */
  readonly only: string;
  /** Of the target: from how many elements on buffers are in pieces. */
  readonly mostElements?: number;
}

const reductions = "schedule/lift/reductions.ts";
export const mutants: readonly Mutant[] = [
  // What nothing, or a place that does not count, gives.
  {
    what: "the greatest begins at 0",
    file: reductions,
    from: "Number.NEGATIVE_INFINITY : wide ? -(2 ** 63) : -0x80000000",
    to: "0 : 0",
    only: "max of those below 0",
  },
  {
    what: "the greatest whole number begins at 0",
    file: reductions,
    from: "Number.NEGATIVE_INFINITY : wide ? -(2 ** 63) : -0x80000000",
    to: "Number.NEGATIVE_INFINITY : wide ? -(2 ** 63) : 0x7fffffff",
    only: "max of whole numbers",
  },
  {
    what: "the least begins at 0",
    file: reductions,
    from: "Number.POSITIVE_INFINITY : 0x7fffffff",
    to: "0 : 0",
    only: "min of every third",
  },
  {
    what: "a product begins at 0",
    file: reductions,
    from: 'return constant(1, type);\n    case "max"',
    to: 'return constant(0, type);\n    case "max"',
    only: "product",
  },
  {
    what: "all begins as false",
    file: reductions,
    from: "return constant(1, type);\n    default",
    to: "return constant(0, type);\n    default",
    only: "all of none",
  },
  {
    what: "a guard is dropped",
    file: reductions,
    from: ": select(mask, value, identity)",
    to: ": value",
    only: "sum behind a diagonal",
  },
  {
    what: "a guard that is a number is always true",
    file: reductions,
    from: "isConst(mask) && mask.value !== 0",
    to: "isConst(mask)",
    only: "sum of none",
  },
  // Ends.
  {
    what: "what is left over is not summed",
    file: reductions,
    from: "const own = tail === null ? lanes",
    to: "const own = tail !== null || tail === null ? lanes",
    only: "a length that a call decides",
  },
  {
    what: "lanes of a product are summed",
    file: reductions,
    from: 'return lanes.reduce((a, b) => op("mul", a, b));',
    to: 'return lanes.reduce((a, b) => op("add", a, b));',
    only: "product",
  },
  {
    what: "only the first of several accumulators counts",
    file: reductions,
    from: "return parts.reduce((x, y) => op(merges[monoid], x, y));",
    to: "return parts[0] ?? at(memory, slot);",
    only: "norm",
  },
  {
    what: "turns of a loop read the same place",
    file: reductions,
    from: "offset: u * width, width, depth: here",
    to: "offset: 0, width, depth: here",
    only: "sum of products",
  },
  {
    what: "the rest of an axis is not written",
    file: "schedule/tile-axes.ts",
    from: "if (!whole.all) this.#sharing.loop(",
    to: "if (false) this.#sharing.loop(",
    only: "a map over a short axis",
  },
  {
    what: "the end of a tile of vectors is not written",
    file: "schedule/tile-axes.ts",
    from: "from: start, to: size, step: 1",
    to: "from: add(start, 1), to: size, step: 1",
    only: "exp of f32",
  },
  {
    what: "the last of places side by side is not written",
    file: "schedule/tile-axes.ts",
    from: "guard: lt(add(start, i), size), unclamped: this.#lift.bound(start, { offset: i })",
    to: "guard: lt(add(start, i + 1), size), unclamped: this.#lift.bound(start, { offset: i })",
    only: "sum of products with a weight",
  },
  {
    what: "results are stored by columns",
    file: "schedule/tile.ts",
    from: "for (const inner of nest.axes.slice(i + 1)) stride",
    to: "for (const inner of nest.axes.slice(0, i)) stride",
    only: "transposed",
  },
  // Addresses.
  {
    what: "a multiple is left out of an address",
    file: "schedule/lift/lift.ts",
    from: "put(place.depth, mul(place.index, dimExpr(coefficient)));",
    to: "put(place.depth, place.index);",
    only: "transposed",
  },
  {
    what: "the constant of an address is left out",
    file: "schedule/lift/lift.ts",
    from: "shift(base, 1);",
    to: "shift(base, 0);",
    only: "reversed",
  },
  {
    what: "clamps to one before the end",
    file: "schedule/nest/flatten.ts",
    from: "dimValue(subDim(size, 1)));",
    to: "dimValue(subDim(size, 2)));",
    only: "gather",
  },
  {
    what: "clamps where an index is in range",
    file: "schedule/nest/flatten.ts",
    from: "num(0)), dimValue",
    to: "num(1)), dimValue",
    only: "gather",
  },
  // Functions.
  {
    what: "a remainder takes the sign of what is divided",
    file: "schedule/lift/spell-function.ts",
    from: 'op("mod", x, y) : floorMod(x, y)',
    to: 'op("mod", x, y) : op("mod", x, y)',
    only: "mod of i32",
  },
  {
    what: "a quotient is cut off",
    file: "schedule/lift/spell-function.ts",
    from: "div(x, y) : floorDiv(x, y)",
    to: "div(x, y) : div(x, y)",
    only: "floordiv of i32",
  },
  {
    what: "sign of nan",
    file: "schedule/lift/spell-function.ts",
    from: "whole(-1), x));",
    to: "whole(-1), whole(0)));",
    only: "sign of f32",
  },
  {
    what: "select takes the other",
    file: "schedule/lift/spell-function.ts",
    from: "select(asTruth(a), x, y)",
    to: "select(asTruth(a), y, x)",
    only: "select by what is given",
  },
  {
    what: "exp of large numbers",
    file: "kernel/lower/exp.ts",
    from: "const highest = 89;",
    to: "const highest = 80;",
    only: "exp of f32",
  },
  {
    what: "exp, the last coefficient",
    file: "kernel/lower/exp.ts",
    from: "5.0000001201e-1",
    to: "4.9990001201e-1",
    only: "exp of f32",
  },
  {
    what: "tanh, where its halves meet",
    file: "kernel/lower/tanh.ts",
    from: "lt(a, 0.625)",
    to: "lt(a, 1.5)",
    only: "tanh of f32",
  },
  // Selections.
  {
    what: "equal keys: the last first",
    file: "schedule/sort-passes.ts",
    from: "lt(at(best.key, 0), key)",
    to: "lt(at(best.key, 0), add(key, 1))",
    only: "top_k",
  },
  {
    what: "a point that does not count has the key of nan",
    file: "schedule/sort-keys.ts",
    from: "select(keep, key, maskedKey)",
    to: "select(keep, key, nanKey)",
    only: "top_k where",
  },
  {
    what: "nan is the greatest",
    file: "schedule/sort-keys.ts",
    from: "select(lt(0x7f800000, magnitude), nanKey, number)",
    to: "number",
    only: "top_k",
  },
  {
    what: "-0 before 0",
    file: "schedule/sort-keys.ts",
    from: "sub(0, magnitude), bits)",
    to: "sub(-1, magnitude), bits)",
    only: "argsort of f32",
  },
  // Folds.
  {
    what: "a fold's guard is dropped",
    file: "schedule/nest/unfold.ts",
    from: "where: where === null ? null : substitute(where, at)",
    to: "where: null",
    only: "fold",
  },
  {
    what: "sums of a fold are not brought to the new greatest",
    file: "schedule/streamed/weights.ts",
    from: "b.store(s, row, fma(at(s, row, width), at(this.#alpha, row, width), x));",
    to: "b.store(s, row, add(at(s, row, width), x));",
    only: "fold",
  },
  {
    what: "masked places of a fold count",
    file: "schedule/streamed/item.ts",
    from: "export const masked = -1e30;",
    to: "export const masked = 0;",
    only: "fold",
  },
  {
    what: "what a fold sees ends one early",
    file: "schedule/streamed/visible.ts",
    from: "above ? 1 - strict : -strict",
    to: "above ? -strict : -strict",
    only: "fold",
  },
  // Programs.
  {
    what: "memory is given back while it is read",
    file: "program/places.ts",
    from: "b.last = Math.max(b.last, ordinal);",
    to: "b.last = Math.min(b.last, ordinal);",
    only: "std/norm layer_norm",
  },
  {
    what: "what a repeat reads from outside dies in its first round",
    file: "program/places.ts",
    from: "this.touch(buffer, Math.max(open.start, this.#ordinal - 1));",
    to: "",
    only: "std/decoder",
  },
  {
    what: "what a repeat reads from outside begins with it",
    file: "program/places.ts",
    from: "if (!b.inside.includes(o.id)) o.touched.add(buffer);",
    to: "if (b.inside.includes(o.id)) o.touched.add(buffer);",
    only: "std/decoder",
  },
  {
    what: "rows are appended at the front",
    file: "program/phase-builder.ts",
    from: "const rows = draft.rowsOf(a, draft.order.before);",
    to: "const rows = draft.rowsOf(a, 0);",
    only: "append of what was given",
  },
  {
    what: "all rounds of a repeat remember in one place",
    file: "program/phase-draft.ts",
    from: "copy = plus(copy, times(sizeOfScalar(at, this.loop), stride));",
    to: "copy = times(0, stride);",
    only: "repeat with memory",
  },
  {
    what: "a repeat gives the value of the round before",
    file: "program/phase-builder.ts",
    from: "count % 2 === 1 ? made : carry",
    to: "count % 2 === 1 ? carry : made",
    only: "repeat with memory",
  },
  {
    what: "a value that others read is overwritten by a repeat",
    file: "program/phase-builder.ts",
    from: "draft.uses.get(init) !== 1 || ",
    to: "",
    only: "a repeat whose first value",
  },
  {
    what: "rounds read the weights of the first",
    file: "program/phase-draft.ts",
    from: "return { ...at, offset: plus(at.offset ?? 0, offset) };",
    to: "return at;",
    only: "repeat with memory",
  },
  // Pieces.
  {
    what: "the piece is ignored",
    file: "schedule/nest/flatten.ts",
    from: "[rowMajor(inRange.slice(0, inFront), rest.slice(0, inFront)), index]",
    to: "[num(0), index]",
    only: "moe, greedy_router",
    mostElements: 64,
  },
  {
    what: "pieces of two axes are counted by the first",
    file: "schedule/nest/flatten.ts",
    from: "[rowMajor(inRange.slice(0, inFront), rest.slice(0, inFront)), index]",
    to: "[inRange[0] ?? num(0), index]",
    only: "moe, greedy_router",
    mostElements: 40,
  },
  {
    what: "an index has no piece in its kernel",
    file: "schedule/lift/lift.ts",
    from: "return { ...place, piece: found };",
    to: "return { ...place, piece: constant(0) };",
    only: "moe, greedy_router",
    mostElements: 64,
  },
];
