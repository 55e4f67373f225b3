/** A difference as files that need nothing else: the definition alone, its kernel, and the numbers that the kernel was given. */
import { Builder } from "../../graph/builder.ts";
import type { Computed, Graph, Node } from "../../graph/node.ts";
import { print } from "../../graph/print.ts";
import { rebuilt } from "../../graph/rewrite.ts";
import { operandsOf } from "../../graph/walk.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { printKernel } from "../../kernel/print.ts";
import type { PackageFile } from "../../package/package-file.ts";
import type { Difference } from "./compare-calls.ts";

/** `node.dsg`, `kernel.dsk` and `values.json`. */
export function reproFiles(difference: Difference, kernels: readonly Kernel[]): readonly PackageFile[] {
  const { graph, node, step } = difference;
  const kernel = kernels.find(({ name }) => name === step.kernel.name);
  return [
    { name: "node.dsg", content: print(nodeAlone(graph, node)) },
    ...(kernel === undefined ? [] : [{ name: "kernel.dsk", content: printKernel(kernel) }]),
    { name: "values.json", content: valuesText(difference) },
  ];
}

/** A graph of one definition: what it reads is given. */
export function nodeAlone(graph: Graph, node: Computed): Graph {
  const builder = new Builder();
  const given = new Map<Node, Node>();
  for (const operand of operandsOf(node))
    given.set(operand, builder.input(operand.name, operand.type.dims, operand.type.dtype));
  const alone = rebuilt(builder, node, (operand) => given.get(operand) ?? operand);
  return { ...graph, results: [alone], effects: [] };
}

function valuesText({ step, given, expected, iterations, before, tokens, dims }: Difference): string {
  const numbers = (values: Float64Array): readonly (number | string)[] =>
    Array.from(values, (x) => (Number.isFinite(x) ? x : String(x)));
  const buffers = [...given].map(([{ name, elem, access }, values]) => ({
    name,
    elem,
    access,
    values: numbers(values),
  }));
  const about = {
    kernel: step.kernel.name,
    sizes: step.sizes,
    call: { tokens, before, iterations },
    dims,
    expected: numbers(expected),
  };
  const lines = buffers.map((buffer) => `    ${JSON.stringify(buffer)}`);
  return `{\n  "about": ${JSON.stringify(about)},\n  "buffers": [\n${lines.join(",\n")}\n  ]\n}\n`;
}
