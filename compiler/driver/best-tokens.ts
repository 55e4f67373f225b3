/**
 * Candidates for the next token as nodes of the graph, for targets whose runtime reads only those back (`runtime/artifact/best-tokens.ts`
 * says which). Of a long vocabulary each block's best are chosen first, all blocks side by side, and then the best of these: equal logits
 * keep the order of their ids, as a block's are in that order and blocks are.
 */
import { bestTokens } from "../../runtime/artifact/best-tokens.ts";
import type { Elaborated } from "../elaborate/elaborate.ts";
import type { Builder } from "../graph/builder.ts";
import { evalDim } from "../graph/dim.ts";
import type { Node, Scalar } from "../graph/node.ts";
import { add, axis, call, dimValue, mul, name, num, read, reduce } from "../graph/scalar.ts";
import { UnsupportedError } from "../program/unsupported.ts";
import { fixedSizes } from "./phases.ts";

/** Of the axis that is searched; a row of up to twice as many is no blocks. */
const blockLength = 2048;

/** The same with the best `most` of the result `next` or `logits`; as it is where there is none. Throws UnsupportedError. */
export function withBestTokens(e: Elaborated, most: number): Elaborated {
  const at = e.results.findIndex((r) => r === "next" || r === "logits");
  const logits = e.graph.results[at];
  if (logits === undefined) return e;
  const { ids, inverseTemperature, ...others } = bestTokens;
  const names = [ids, ...Object.values(others)];
  const taken = [...names, inverseTemperature].find((n) => e.results.includes(n) || e.inputs.has(n));
  if (taken !== undefined) throw new UnsupportedError(`${taken} is the name of something else for this target`);
  const nodes = bestOf({ builder: e.builder, logits, sizes: fixedSizes(e.graph) }, most);
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
  readonly sizes: ReturnType<typeof fixedSizes>;
}

/** Ids, their logits, and the sum of weights. */
function bestOf({ builder: b, logits, sizes }: Row, most: number): readonly Node[] {
  const [width, ...before] = [...logits.type.dims].reverse();
  if (width === undefined) throw new UnsupportedError("logits without ids");
  const rows = before.reverse().map((size, i) => axis(`t${i}`, size));
  const vocabulary = evalDim(width, sizes);
  const k = Math.min(most, vocabulary);
  const blocks = vocabulary <= 2 * blockLength ? 1 : Math.ceil(vocabulary / blockLength);
  const length = blocks === 1 ? vocabulary : blockLength;
  const logit = (v: Scalar): Scalar => read(logits, [...rows.map((a) => name(a.name)), v]);
  const [block, place, slot] = [axis("b", blocks), axis("i", length), axis("k", k)];
  /** In the vocabulary, for the last block too. */
  const inside = (from: Scalar, i: Scalar): Scalar | null =>
    blocks * length === vocabulary ? null : call("lt", add(from, i), dimValue(width));
  const from = mul(name(block.name), num(length));

  const inRows = rows.map((a) => name(a.name));
  const whole = (): Node => b.topK("best_ids", rows, axis("v", width), k, logit(name("v")));
  const byBlocks = (): Node => {
    const id = add(from, name(place.name));
    const body = logit(id);
    const first = b.topK("best_ids.of_blocks", [...rows, block], place, k, body, inside(from, name(place.name)));
    const one = axis("c", blocks * k);
    const [of, at] = [call("floordiv", name(one.name), num(k)), call("mod", name(one.name), num(k))];
    const start = mul(of, num(length));
    const known = b.map("best_ids.of_all", [...rows, one], add(start, read(first, [...inRows, of, at])), "i32");
    const best = b.topK(
      "best_ids.chosen",
      rows,
      one,
      k,
      logit(read(known, [...inRows, name(one.name)])),
      inside(start, at),
    );
    return b.map(
      "best_ids",
      [...rows, slot],
      read(known, [...inRows, read(best, [...inRows, name(slot.name)])]),
      "i32",
    );
  };
  const ids = blocks === 1 ? whole() : byBlocks();
  const best = b.map("best_logits", [...rows, slot], logit(read(ids, [...inRows, name(slot.name)])));

  const inverse = read(b.input(bestTokens.inverseTemperature, [1]), [num(0)]);
  const top = read(best, [...inRows, num(0)]);
  const weight = (v: Scalar): Scalar => call("exp", mul(call("sub", logit(v), top), inverse));
  // A sum a block, which are a few numbers to add for whoever reads them: one sum of all would be one workgroup's work.
  const id = add(from, name(place.name));
  const sum = reduce("sum", [place], weight(id), inside(from, name(place.name)));
  return [ids, best, b.map("weight_sum", [...rows, block], sum)];
}
