/**
 * Faults planted in copies of the passes, one a mutant: the text that is replaced, and the law that must refuse what comes
 * of it. A law that no mutant breaks would test nothing, and a mutant that every law accepts shows one that is missing.
 *
 * Faults of choice keep the meaning, so tests of structure catch them; planted by hand, each with the test that failed:
 * - unsorted prices for sorted rows: "experts are grouped from a few tokens on", "through indices a row a point…"
 * - bytes of what folds remove, bytes of the last step: "latent attention of … rows is absorbed below … tokens"
 * - a shared node that is paid for again: "a node that somebody else computes anyway"
 * - one round of fusion: "a gated layer is two kernels", "one token, fused…"
 * - small axes not enumerated: "rope is an epilogue of its projection"
 * - outputs of one tile counted as all: "a gated layer is two kernels"
 * - rounds of a repeat not counted: "what a repeat reads and does not change is computed once"
 * - index maps and sorted rows fused away: "fusion leaves the order that kernels read off"
 * - values expanded inside of a fold: "keys and values are expanded by kernels of their own"
 * - use counts of rebuilt nodes: "counts are those of before" (compiler/graph/rewrite.test.ts)
 * - a repeat that only remembers is dropped: "repeats that only remember", "a rewrite that makes a remembering repeat…"
 */
import type { LawName } from "./laws.ts";

export interface Mutant {
  readonly what: string;
  /** Below compiler/passes/. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly law: LawName;
}

export const mutants: readonly Mutant[] = [
  // split-concat
  {
    what: "the second half is not shifted",
    file: "split-concat.ts",
    from: "new Map(low ? [] : [[cut.index, add(name(cut.index), dimValue(cut.at))] as const])",
    to: "new Map<string, Scalar>()",
    law: "concatenations of three parts",
  },
  {
    what: "the second half is as long as the whole",
    file: "split-concat.ts",
    from: "size: low ? cut.at : subDim(a.size, cut.at)",
    to: "size: low ? cut.at : a.size",
    law: "concatenations of three parts",
  },
  {
    what: "i <= k is cut at k",
    file: "split-concat.ts",
    from: "at: addDim(subDim(zeroDim, constant), strict ? 0 : 1), first: true",
    to: "at: subDim(zeroDim, constant), first: true",
    law: "cuts from either side",
  },
  {
    what: "k < i is cut at k",
    file: "split-concat.ts",
    from: "at: addDim(constant, strict ? 1 : 0), first: false",
    to: "at: constant, first: false",
    law: "cuts from either side",
  },
  {
    what: "the halves are exchanged",
    file: "split-concat.ts",
    from: "num(here.first === low ? 1 : 0)",
    to: "num(here.first === low ? 0 : 1)",
    law: "cuts from either side",
  },
  {
    what: "halves of a maximum are added",
    file: "split-concat.ts",
    from: 'max: "maximum"',
    to: 'max: "add"',
    law: "concatenations of three parts",
  },
  {
    what: "the guard stays behind",
    file: "split-concat.ts",
    from: "e.where === null ? null : substitute(e.where, shift)",
    to: "e.where",
    law: "concatenations of three parts",
  },
  {
    what: "a read of one half takes the other",
    file: "split-concat.ts",
    from: "holds === null ? null : holds ? a : b",
    to: "holds === null ? null : holds ? b : a",
    law: "concatenations of three parts",
  },
  {
    what: "an axis on one side of a cut is taken for the other",
    file: "split-concat.ts",
    from: "if (atLeast(cut.at, size, s.place)) return split({ ...opened, body: onSide(opened.body, cut, true) }, s);",
    to: "if (atLeast(cut.at, size, s.place)) return split({ ...opened, body: onSide(opened.body, cut, false) }, s);",
    law: "cuts from either side",
  },
  // associate
  {
    what: "guards are dropped",
    file: "contraction/emit.ts",
    from: "names.some((x) => now.has(x)) && names.every((x) => open.has(x))",
    to: "names.length < 0",
    law: "a guard goes with its axis, once",
  },
  {
    what: "guards are applied at every step that has their indices",
    file: "contraction/emit.ts",
    from: "names.some((x) => now.has(x)) && names.every((x) => open.has(x))",
    to: "names.some((x) => open.has(x))",
    law: "a guard goes with its axis, once",
  },
  {
    what: "guards without a factor that holds their indices",
    file: "associate.ts",
    from: "return hosted && term.axes",
    to: "return term.axes",
    law: "a guard of two axes",
  },
  {
    what: "a node stands for its factors whatever it has summed",
    file: "contraction/tree.ts",
    from: "k.leaves === mask && k.closes === closed",
    to: "k.leaves === mask",
    law: "a node that has summed less",
  },
  {
    what: "an index is summed while a factor outside wants it",
    file: "contraction/tree.ts",
    from: "return own & (~p.summed | outside);",
    to: "return own & ~p.summed;",
    law: "latent attention, all passes",
  },
  {
    what: "reads move out of the guard that keeps them in range",
    file: "associate.ts",
    from: "if (!inner.every(({ f }) => unprotected(f)) || !outer.every(unprotected)) return e;",
    to: "",
    law: "reads that a guard keeps in range",
  },
  {
    what: "reads move out of the branch that keeps them in range",
    file: "associate.ts",
    from: "if (!inner.every(({ f }) => unprotected(f)) || !outer.every(unprotected)) return e;",
    to: "",
    law: "reads that a branch keeps in range",
  },
  {
    what: "a quotient moves out of a sum over nothing",
    file: "associate.ts",
    from: "if (mayBeEmpty && outer",
    to: "if (mayBeEmpty && outer.length < 0 && outer",
    law: "sums over nothing",
  },
  {
    what: "factors without a summed index are lost",
    file: "associate.ts",
    from: "productFrom([...outer, emitTree",
    to: "productFrom([emitTree",
    law: "factors without a summed index",
  },
  // select-all
  {
    what: "an axis of one point more is taken for all",
    file: "select-all.ts",
    from: "atLeast(n.k, n.over.size, place)",
    to: "atLeast(addDim(n.k, 1), n.over.size, place)",
    law: "a choice from one point more",
  },
  {
    what: "all points are chosen, visible or not",
    file: "select-all.ts",
    from: "if (where === null) return num(1);",
    to: "if (where !== null) return num(1);",
    law: "a choice of all of memory",
  },
  {
    what: "a tensor stays as long as the slots",
    file: "select-all.ts",
    from: "n.domain.map(resized), moved",
    to: "n.domain, moved",
    law: "slots that are reduced",
  },
  {
    what: "a result in the order of slots",
    file: "selecting/slots.ts",
    from: "return !g.results.some(isOfSlots);",
    to: "return true;",
    law: "slots in their order",
  },
  {
    what: "slots that hold nothing are counted",
    file: "selecting/slots.ts",
    from: "if (where === null || !conjuncts(where).some(",
    to: "if (where !== null && !conjuncts(where).some(",
    law: "slots in their order",
  },
  {
    what: "any guard of a slot says that it is filled",
    file: "selecting/slots.ts",
    from: "if (affineKey(said) === affineKey(meant)) return slots;",
    to: "return slots;",
    law: "slots in their order",
  },
  {
    what: "slots of two rows are one axis",
    file: "selecting/slots.ts",
    from: "if (known !== undefined && !sameRow(known.row, r.row)) return false;",
    to: "",
    law: "slots in their order",
  },
  {
    what: "the row may change where slots are reduced",
    file: "selecting/slots.ts",
    from: "if (slots.row.some((x) => [...freeNames(x)].some((i) => !bound.has(i)))) return false;",
    to: "",
    law: "slots in their order",
  },
  {
    what: "any count is the count of the row",
    file: "selecting/slots.ts",
    from: "? said : null;",
    to: "? said : said;",
    law: "slots that a count fills",
  },
  {
    what: "the number of a slot is a value",
    file: "selecting/slots.ts",
    from: 'if (e.kind === "name") return !found.has(e.name);',
    to: 'if (e.kind === "name") return true;',
    law: "slots in their order",
  },
  // restrict-to-demand
  {
    what: "values are read at what is selected, though they are computed by slot",
    file: "restrict-to-demand.ts",
    from: "x.at.map((i, position) => (position === along ? slot : i)),",
    to: "x.at,",
    law: "experts, all passes",
  },
  {
    what: "points are computed at the slot instead of what it selects",
    file: "restrict-to-demand.ts",
    from: "i === along ? [[a.name, through] as const] : []",
    to: "i === along ? [[a.name, name(axis.name)] as const] : []",
    law: "experts, all passes",
  },
  {
    what: "what is wanted whole is computed at selected points too",
    file: "restrict-to-demand.ts",
    from: "isWhole: (p) => whole.has(was(p))",
    to: "isWhole: () => false",
    law: "selections that are shared",
  },
  {
    what: "a selection by other rows than the reader's",
    file: "restrict-to-demand.ts",
    from: "slot === undefined || shared.includes(-1) ? null",
    to: "slot === undefined ? null",
    law: "sparse attention, all passes",
  },
  // group-by-selection
  {
    what: "the inverse is the permutation itself",
    file: "grouping/group-by.ts",
    from: 'b.argsort(label("inverse"), p, from)',
    to: "order",
    law: "readers of grouped rows",
  },
  {
    what: "token and slot are exchanged",
    file: "grouping/group-by.ts",
    from: "[t.name, read(sorted.token, here)],\n    [j.name, read(sorted.slot, here)],",
    to: "[t.name, read(sorted.slot, here)],\n    [j.name, read(sorted.token, here)],",
    law: "experts, all passes",
  },
  {
    what: "readers take the rows in sorted order",
    file: "grouping/group-by.ts",
    from: "return read(to, [read(inverse, [add(mul(dimValue(slots), t), j)]), ...rest]);",
    to: "return read(to, [add(mul(dimValue(slots), t), j), ...rest]);",
    law: "experts, all passes",
  },
  {
    what: "what a row selects is that of its place before sorting",
    file: "grouping/group-by.ts",
    from: 'group: index("group", chosen(from))',
    to: 'group: index("group", chosen(name("p")))',
    law: "readers of grouped rows",
  },
  {
    what: "a read at another slot is taken for one at the own",
    file: "grouping/group-by.ts",
    from: "if (!isAt(r, pair)) return inTokenOrder(r, moved, sorted);",
    to: "",
    law: "readers of grouped rows",
  },
  // fold-reductions
  {
    what: "reductions under other guards join",
    file: "folding/fold-sum.ts",
    from: 'return guard === (sum.where === null ? "" : key(sum.where)) ?',
    to: "return guard !== undefined ?",
    law: "reductions under other guards",
  },
  {
    what: "sums that cannot be rescaled are folded",
    file: "folding/fold-sum.ts",
    from: "return isLegal(fold) ?",
    to: "return fold.steps.length > 0 ?",
    law: "sums that cannot be rescaled",
  },
  {
    what: "exp(m - x) counts as exp(x - m): the law by itself",
    file: "folding/fold-sum.ts",
    from: "masters !== null && (masters",
    to: "true || (masters",
    law: "sums that cannot be rescaled",
  },
  {
    what: "a quotient moves out of a fold over nothing",
    file: "folding/fold-sum.ts",
    from: "empty && outside.some(mayBeInfinite) ?",
    to: "empty && outside.length < 0 ?",
    law: "sums over nothing",
  },
  {
    what: "a step comes before what it depends on",
    file: "folding/fold-sum.ts",
    from: "steps.push({ how: x.monoid",
    to: "steps.unshift({ how: x.monoid",
    law: "latent attention, all passes",
  },
  {
    what: "the maximum is left out of the exponent",
    file: "folding/fold-sum.ts",
    from: "const steps = f.steps.map((s) => ({ ...s, body: use(s.body) }));",
    to: 'const steps = f.steps.map((s) => (s.how === "max" ? { ...s, body: num(0) } : { ...s, body: use(s.body) }));',
    law: "scores of ten thousand",
  },
  {
    what: "what hides behind a bound index joins",
    file: "folding/fold-sum.ts",
    from: "if (free.has(over.name) || [...around].some((a) => free.has(a))) return x;",
    to: "if (free.has(over.name)) return x;",
    law: "reductions that vary with a bound index",
  },
  {
    what: "a sum in a branch is computed outside of it",
    file: "fold-reductions.ts",
    from: "visit(c, always && !(branches && i > 0));",
    to: "visit(c, always);",
    law: "several sums in a node",
  },
  // fuse
  {
    what: "bound names of the producer are not made fresh",
    file: "open.ts",
    from: "instantiate(n.body, new Map(n.domain.map((a, i) => [a.name, at[i] ?? num(Number.NaN)])), taken)",
    to: "instantiate(n.body, new Map(n.domain.map((a, i) => [a.name, at[i] ?? num(Number.NaN)])), new Set())",
    law: "names of producers and readers",
  },
  {
    what: "indices of the producer are taken in reverse",
    file: "open.ts",
    from: "n.domain.map((a, i) => [a.name, at[i] ?? num(Number.NaN)])",
    to: "n.domain.map((a, i) => [a.name, at[at.length - 1 - i] ?? num(Number.NaN)])",
    law: "names of producers and readers",
  },
  {
    what: "64-bit numbers are put in place of their rounded values",
    file: "fuse.ts",
    from: 'if (!isTransparent(body)) return "its values are of another kind than what they are computed from";',
    to: "",
    law: "whole numbers of 64 bit",
  },
  {
    what: "branches that nothing reaches are left",
    file: "fusion/work-graph.ts",
    from: "present === undefined || present === n ? n : simplified(this.#builder, present, facts)",
    to: "present ?? n",
    law: "random graphs, exact passes",
  },
  // outline-factors
  {
    what: "a guarded read is computed at all points",
    file: "outline-factors.ts",
    from: " || group.some(reaches)) return sum;",
    to: ") return sum;",
    law: "factors that a guard keeps in range",
  },
  {
    what: "the outlined factor stays in the sum too",
    file: "outline-factors.ts",
    from: "const rest = list.filter((f) => !group.includes(f));",
    to: "const rest = list;",
    law: "factors that outputs share",
  },
  // weights of which a launch may have a part
  {
    what: "rows are read where no guard protects them",
    file: "outline-rows.ts",
    from: "if (!staysInRange(r, placeOf(facts, used))) return null;",
    to: "",
    law: "rows of tables that may be in parts",
  },
  {
    what: "rows go back to who reads them",
    file: "fusion/windows.ts",
    from: "if (own.some(isLookedUp) &&",
    to: "if (own.length < 0 &&",
    law: "rows of tables that may be in parts",
  },
  {
    what: "a sum goes through several parts",
    file: "fusion/windows.ts",
    from: "if (changes) return",
    to: "if (changes && own.length < 0) return",
    law: "sums of weights that may be in parts",
  },
  {
    what: "parts of one weight are those of another",
    file: "fusion/windows.ts",
    from: "if (ways.size > 1)",
    to: "if (ways.size > 9)",
    law: "sums of weights that may be in parts",
  },
  // index arithmetic
  {
    what: "lt decides as le",
    file: "in-range.ts",
    from: 'const least = e.fn === "lt" ? 1 : 0;',
    to: "const least = 0;",
    law: "index arithmetic",
  },
  {
    what: "indices that may be equal are",
    file: "in-range.ts",
    from: "gap.low.key === zeroDim.key && gap.high.key === zeroDim.key",
    to: "gap.low.key === zeroDim.key || gap.high.key === zeroDim.key",
    law: "index arithmetic",
  },
  {
    what: "a rest larger than the divisor is left in place",
    file: "rules/index-rules.ts",
    from: "return inside ? { quotient, rest } : null;",
    to: "return { quotient, rest };",
    law: "index arithmetic",
  },
  {
    what: "quotient and remainder of different numbers are put together",
    file: "rules/index-rules.ts",
    from: "&& same(y, x)",
    to: "",
    law: "index arithmetic",
  },
];
