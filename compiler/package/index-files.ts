/** The typed entry of a package, `index.js` and `index.d.ts`: the runtime's `load` at this place, and the model's own numbers. */
import { longCount } from "../../dsl/graph-view/format-count.ts";
import { byteText } from "./number-words.ts";
import type { PackageFacts } from "./package-facts.ts";
import type { RuntimeExports } from "./runtime-exports.ts";

const runtime = "./runtime/runtime.js";

/** `program`: the hash of program.json. */
export function indexScript(facts: PackageFacts, { values }: RuntimeExports, program: string): string {
  const others = values.filter((name) => name !== "loadPackage");
  return [
    `/** ${title(facts)} */`,
    `import { loadPackage } from "${runtime}";`,
    "",
    `export { ${others.join(", ")} } from "${runtime}";`,
    "",
    `export const facts = ${frozenText(shownFacts(facts))};`,
    "",
    `export const load = (options) => loadPackage(import.meta.url, options, ${JSON.stringify(program)});`,
    "",
  ].join("\n");
}

/** The numbers that are the model's own, as \`facts\` exports them. */
const shownFacts = ({ model, compiler, target, vocabulary, context, sizes, memory, cost }: PackageFacts) => ({
  model,
  compiler,
  target,
  vocabulary,
  context,
  sizes,
  memory: { weights: memory.weights, token: memory.statePerToken, arena: memory.arena },
  cost: Object.fromEntries(cost.map(({ phase, ...numbers }) => [phase, numbers])),
});

const title = ({ model, target, compiler }: PackageFacts): string =>
  `The model ${model}, compiled for ${target} by dsc ${compiler}.`;

export function indexTypes(facts: PackageFacts, { values, types }: RuntimeExports): string {
  const others = values.filter((name) => name !== "loadPackage");
  const fields = Object.entries(shownFacts(facts)).flatMap(([name, value]) => {
    const about = aboutFacts(facts).flatMap(([key, text]) => (key === name ? [`  /** ${text} */`] : []));
    const type = measured.has(name) ? typeText(value, () => "number") : typeText(value, String);
    return [...about, `  readonly ${name}: ${type};`];
  });
  return [
    `/** ${title(facts)} */`,
    `import type { LoadOptions, Model } from "${runtime}";`,
    "",
    `export { ${others.join(", ")} } from "${runtime}";`,
    `export type { ${types.join(", ")} } from "${runtime}";`,
    "",
    "/** Numbers of the model, as types. */",
    "export interface Facts {",
    ...fields,
    "}",
    "",
    "export declare const facts: Facts;",
    "",
    "/**",
    ...loadDoc(facts).map((line) => ` * ${line}`.trimEnd()),
    " */",
    "export declare function load(options: LoadOptions): Promise<Model>;",
    "",
  ].join("\n");
}

const aboutFacts = ({ vocabulary, context }: PackageFacts): readonly (readonly [string, string])[] => [
  ["compiler", "The version of dsc that has written the package."],
  ["vocabulary", `V: ids of tokens are 0 … ${longCount(vocabulary - 1)}, and a row of logits has V numbers.`],
  ["context", `Most tokens that a session remembers: ${longCount(context)}.`],
  ["sizes", "What the model's config fixes, by the names of its text."],
  ["memory", "Bytes of all weights, of what a session keeps of each token, and of a call."],
  ["cost", "What a call in a phase computes and moves, in operations and bytes, at the sizes that it was planned for."],
];

function loadDoc({ vocabulary: v, memory }: PackageFacts): readonly string[] {
  return [
    "Loads weights and gives the model.",
    "",
    "Shapes, row-major, with T the tokens of a call:",
    "- `forward(tokens)`: tokens [T] -> logits [V] of the last token,",
    `  with \`all: true\` [T, V]; V = ${v}, f32.`,
    `- Weights take ${byteText(memory.weights)}, each remembered token ${byteText(memory.statePerToken)},`,
    `  a context of ${memory.context} tokens ${byteText(memory.stateAtContext)} a session.`,
  ];
}

function frozenText(value: unknown, indent = ""): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(
    ([name, x]) => `${indent}  ${keyText(name)}: ${frozenText(x, `${indent}  `)},\n`,
  );
  return `Object.freeze({\n${fields.join("")}${indent}})`;
}

/** Facts that a better compiler changes: nobody's types should hang on them. */
const measured: ReadonlySet<string> = new Set(["memory", "cost"]);

function typeText(value: unknown, ofNumber: (value: number) => string): string {
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([name, x]) => `readonly ${keyText(name)}: ${typeText(x, ofNumber)};`);
    return `{ ${fields.join(" ")} }`;
  }
  return typeof value === "number" ? ofNumber(value) : JSON.stringify(value);
}

const keyText = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));
