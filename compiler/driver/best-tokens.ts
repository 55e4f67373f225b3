/**
 * Candidates for the next token as nodes of the graph, for targets whose runtime reads only those back (`runtime/artifact/best-tokens.ts`
 * says which). Of a long vocabulary each block's best are chosen first, all blocks side by side, and then the best of these: equal logits
 * keep the order of their ids, as a block's are in that order and blocks are.
 */
import { bestTokens, choiceOutputs, tokenChoices } from "../../runtime/artifact/best-tokens.ts";
import type { Elaborated } from "../elaborate/elaborate.ts";
import type { Builder } from "../graph/builder.ts";
import { evalDim } from "../graph/dim.ts";
import type { Axis, Node, Scalar } from "../graph/node.ts";
import { add, axis, call, mul, name, num, read, reduce } from "../graph/scalar.ts";
import { UnsupportedError } from "../program/unsupported.ts";
import { fixedSizes } from "./phases.ts";

/** Of the axis that is searched; a row of up to twice as many is no blocks. */
const blockLength = 2048;

/** The same with the best `most` of the result `next` or `logits`; as it is where there is none. Throws UnsupportedError. */
export function withBestTokens(e: Elaborated, most: number): Elaborated {
  const at = e.results.findIndex((r) => r === "next" || r === "logits");
  const logits = e.graph.results[at];
  if (logits === undefined) return e;
  const { inverseTemperature } = bestTokens;
  const names = tokenChoices.flatMap((choice) => choiceOutputs[choice]);
  const taken = [...names, inverseTemperature].find((n) => e.results.includes(n) || e.inputs.has(n));
  if (taken !== undefined) throw new UnsupportedError(`${taken} is the name of something else for this target`);
  const row = rowOf(e.builder, logits, fixedSizes(e.graph));
  const nodes = [...bestOf(row, most), ...greedyOf(row)];
  return {
    ...e,
    results: [...e.results, ...names],
    graph: { ...e.graph, results: [...e.graph.results, ...nodes] },
    inputs: new Map([...e.inputs, [inverseTemperature, null]]),
  };
}

interface Row {
  readonly builder: Builder;
  readonly logits: Node;
  /** One for each row of logits. */
  readonly rows: readonly Axis[];
  readonly vocabulary: number;
  /** Of how many ids a block is, and how many there are. */
  readonly length: number;
  readonly blocks: number;
}

function rowOf(builder: Builder, logits: Node, sizes: ReturnType<typeof fixedSizes>): Row {
  const [width, ...before] = [...logits.type.dims].reverse();
  if (width === undefined) throw new UnsupportedError("logits without ids");
  const rows = before.reverse().map((size, i) => axis(`t${i}`, size));
  const vocabulary = evalDim(width, sizes);
  const blocks = vocabulary <= 2 * blockLength ? 1 : Math.ceil(vocabulary / blockLength);
  return { builder, logits, rows, vocabulary, length: blocks === 1 ? vocabulary : blockLength, blocks };
}
const inRows = ({ rows }: Row): readonly Scalar[] => rows.map((a) => name(a.name));
const logitOf =
  (row: Row) =>
  (id: Scalar): Scalar =>
    read(row.logits, [...inRows(row), id]);

/** Ids of blocks: the axis of the blocks, and of each one's places. */
function blocked({ vocabulary, length, blocks }: Row) {
  const [block, place] = [axis("b", blocks), axis("i", length)];
  /** In the vocabulary, for the last block too. */
  const inside = (from: Scalar, i: Scalar): Scalar | null =>
    blocks * length === vocabulary ? null : call("lt", add(from, i), num(vocabulary));
  const from = mul(name(block.name), num(length));
  return { block, place, inside, from, id: add(from, name(place.name)), where: inside(from, name(place.name)) };
}

/** As `choiceOutputs.best` names them. */
function bestOf(row: Row, most: number): readonly Node[] {
  const { builder: b, rows, vocabulary, length, blocks } = row;
  const { block, place, inside, id, where } = blocked(row);
  const k = Math.min(most, vocabulary);
  const slot = axis("k", k);
  const [logit, at] = [logitOf(row), inRows(row)];
  const whole = (): Node => b.topK("best_ids", rows, axis("v", vocabulary), k, logit(name("v")));
  const byBlocks = (): Node => {
    const first = b.topK("best_ids.of_blocks", [...rows, block], place, k, logit(id), where);
    const one = axis("c", blocks * k);
    const [of, nth] = [call("floordiv", name(one.name), num(k)), call("mod", name(one.name), num(k))];
    const start = mul(of, num(length));
    const known = b.map("best_ids.of_all", [...rows, one], add(start, read(first, [...at, of, nth])), "i32");
    const score = logit(read(known, [...at, name(one.name)]));
    const best = b.topK("best_ids.chosen", rows, one, k, score, inside(start, nth));
    const chosen = read(best, [...at, name(slot.name)]);
    return b.map("best_ids", [...rows, slot], read(known, [...at, chosen]), "i32");
  };
  const ids = blocks === 1 ? whole() : byBlocks();
  const best = b.map("best_logits", [...rows, slot], logit(read(ids, [...at, name(slot.name)])));

  const inverse = read(b.input(bestTokens.inverseTemperature, [1]), [num(0)]);
  const top = read(best, [...at, num(0)]);
  const weight = call("exp", mul(call("sub", logit(id), top), inverse));
  // A sum a block, which are a few numbers to add for whoever reads them: one sum of all would be one workgroup's work.
  return [ids, best, b.map("weight_sum", [...rows, block], reduce("sum", [place], weight, where))];
}

/** As `choiceOutputs.greedy` names them, of each block: to find the best of these is as little work as to read one. */
function greedyOf(row: Row): readonly Node[] {
  const { builder: b, rows } = row;
  const { block, place, id, where } = blocked(row);
  const logit = logitOf(row)(id);
  const domain = [...rows, block];
  const most = b.map("greedy_logits", domain, reduce("max", [place], logit, where));
  const isMost = call("eq", logit, read(most, [...inRows(row), name(block.name)]));
  const first = reduce("min", [place], call("select", isMost, id, num(row.vocabulary)), where);
  const numbers = reduce("sum", [place], call("exp", call("neg", call("abs", logit))), where);
  return [b.map("greedy_ids", domain, first, "i32"), most, b.map("greedy_numbers", domain, numbers)];
}
