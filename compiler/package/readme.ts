/** The README of a package: how it is used, what it needs, what it costs. */
import { longCount } from "../../dsl/graph-view/format-count.ts";
import { byteText, countText, secondsText } from "./number-words.ts";
import type { PackageFacts } from "./package-facts.ts";

/** `page`: whether a page comes along. */
export const readmeText = (facts: PackageFacts, page = false): string =>
  [
    `# ${facts.model}`,
    `A model compiled by dsc ${facts.compiler} for ${facts.target}. ${aboutOf(facts).runs} It holds no weights.`,
    usage(aboutOf(facts), facts.model),
    ...(facts.drafts ? [drafts] : []),
    ...(facts.tables.length === 0 ? [] : [tables(facts)]),
    ...(page ? [pageNotes(aboutOf(facts))] : []),
    numbers(facts),
    memory(facts),
    cost(facts),
    files(aboutOf(facts)),
  ].join("\n\n");

/** What is special of a target, to those who use a package. */
interface AboutTarget {
  /** Where it runs, and what that takes. */
  readonly runs: string;
  /** Lines before the example. */
  readonly before: readonly string[];
  /** What it takes of a machine. */
  readonly machine: string;
  /** What a page's server may do for it beyond handing out files. */
  readonly served: string;
  /** By file: what it is. */
  readonly kernels: readonly (readonly [file: string, what: string])[];
}
const anywhere = "a page and in a worker";
const wasm: AboutTarget = {
  runs: `It runs in Node, in ${anywhere}, needs no other package, and works under \`default-src 'self'; script-src 'self' 'wasm-unsafe-eval'\`.`,
  before: [],
  machine: `Several threads are used where memory can be shared: in Node always, in a page when it is cross-origin isolated
(\`Cross-Origin-Opener-Policy: same-origin\`, \`Cross-Origin-Embedder-Policy: require-corp\`). Elsewhere one thread does the
same.`,
  served: " With the two headers above it uses several threads.",
  kernels: [
    ["`kernels/*.wasm`", "the kernels: with and without relaxed SIMD, for one thread and for several"],
    ["`kernels/simd.wat`, `kernels/kernels.dsk`", "the same to read: as WebAssembly text, and as dsc writes kernels"],
  ],
};
const webgpu: AboutTarget = {
  runs: `It runs in ${anywhere} where the browser has WebGPU, and in Node with the package \`webgpu\`, and works under \`default-src 'self'\`.`,
  before: [
    '// In Node: npm install webgpu, import { create } from "webgpu", and load({ weights, gpu }) with',
    "// const gpu = create([]), which is kept as long as the model.",
  ],
  machine: `It takes no more than what every WebGPU adapter has; f16 and subgroups are used where an adapter has them and computes rightly with
them, which is tried when the model is loaded.`,
  served: "",
  kernels: [
    [
      "`kernels/*.wgsl`",
      "the kernels for any adapter (`plain`), and those that are others with f16 and with subgroups",
    ],
    ["`kernels/checks.json`", "inputs and results by which kernels are tried on an adapter when the model is loaded"],
    ["`kernels/kernels.dsk`", "the same as dsc writes kernels"],
  ],
};
const aboutOf = ({ target }: PackageFacts): AboutTarget => (target === "webgpu" ? webgpu : wasm);

const usage = ({ before, machine }: AboutTarget, model: string): string => `## Usage

\`\`\`js
${[...before, 'import { load } from "./index.js";'].join("\n")}

const model = await load({ weights: "folder of the checkpoint, a file or a URL" });
const session = model.session();
for await (const { text } of session.generate("Once upon a time", { maxTokens: 100 })) console.log(text);

const logits = await session.forward([1, 2, 3], { all: true }); // Float32Array, a row of the vocabulary a token
session.rollback(3); // forgets the last three tokens
model.dispose();
\`\`\`

${machine} \`index.d.ts\` and \`runtime/runtime.d.ts\` say the rest.

A bundler moves scripts away from \`program.json\` and \`kernels/\`, which are read when the model is loaded: hand out this folder as it is, and say
where with \`load({ weights, base: "/${model}/" })\`.`;

const pageNotes = ({ served }: AboutTarget): string => `## Page

\`index.html\` loads weights and talks with the model. Serve this folder from any static server that answers ranges, such as \`npx serve\`, over
https or from localhost.${served} What it offers to load stands in the file's \`dsc-weights\`, and
behind \`?weights=\` in its address.`;

const drafts = `Tokens are guessed ahead where the checkpoint has the weights for it: \`generate(prompt, { draft: 2 })\` guesses two at a time,
\`draft: 0\` none. \`model.info.draft\` says whether they can be, \`session.statistics\` how many guesses were right.`;

function tables({ tables: all }: PackageFacts): string {
  const named = all.map(({ name, shape }) => `\`${name}\` [${shape.map(longCount).join(", ")}]`);
  return `Tables are not loaded with the weights, their rows are looked up: ${named.join(", ")}. \`load({ weights, tables: "source" })\` leaves them
where the checkpoint is, \`"memory"\` holds them as they are stored; \`model.tables\` tells how many rows were wanted and read.`;
}

function numbers({ vocabulary, context, sizes, weightTypes }: PackageFacts): string {
  const fixed = Object.entries(sizes).map(([name, value]) => `${name} = ${value}`);
  return `## Numbers

| | |
| --- | --- |
| vocabulary | ${longCount(vocabulary)} |
| context | ${longCount(context)} tokens |
| weights kept as | ${weightTypes.join(", ")} |
| sizes | ${fixed.join(", ")} |`;
}

function memory({ memory: card }: PackageFacts): string {
  const phases = card.phases.map(
    (p) =>
      `| a call of ${p.tokens} in \`${p.phase}\` (${p.results.join(", ")}) | ${byteText(p.arena)} | ${byteText(p.peak)} alive at once |`,
  );
  return `## Memory

As loaded without other sizes: \`load\` takes \`context\` and \`chunk\`. Calls of all phases share the memory of the largest.

| what | takes | |
| --- | --- | --- |
| weights | ${byteText(card.weights)} | shared by all sessions |
| constants | ${byteText(card.constants)} | shared by all sessions |
| a remembered token | ${byteText(card.statePerToken)} | of each session |
| ${longCount(card.context)} remembered tokens | ${byteText(card.stateAtContext)} | of each session |
${phases.join("\n")}
| scratch of a thread | ${byteText(card.scratch)} | |`;
}

function cost({ cost: phases, target }: PackageFacts): string {
  const rows = phases.map(
    (p) =>
      `| ${p.phase} | ${p.tokens} behind ${p.before} | ${p.kernels} | ${countText(p.flops)}FLOP | ${byteText(p.bytes)} | ${byteText(p.weights)} | ${secondsText(p.seconds)} |`,
  );
  return `## Cost

What a call computes and moves, and how long that takes at least on the machine that the description of \`${target}\` assumes.
It is a model for choosing plans, not a measurement; \`dsc bench\` measures.

| phase | tokens | kernels run | arithmetic | traffic | of it weights | at least |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join("\n")}`;
}

const files = ({ kernels }: AboutTarget): string => `## Files

| file | what |
| --- | --- |
| \`index.js\`, \`index.d.ts\` | the entry |
| \`program.json\` | which kernels run, in which order, on which memory |
${kernels.map(([file, what]) => `| ${file} | ${what} |`).join("\n")}
| \`runtime/\` | plays the program |
| \`LICENSES\` | of the runtime and the libraries in it |
`;
