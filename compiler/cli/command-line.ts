/** What a command takes, told once: read with `parseArgs`, and printed as its help. */
import { parseArgs } from "node:util";
import { closest } from "../../dsl/diagnostics/suggest.ts";
import { exitCodeMeanings, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";

export interface OptionSpec {
  /** The word that stands for its value: `config.json`; null for a switch. */
  readonly value: string | null;
  readonly repeats?: boolean;
  readonly about: string;
}

export interface CommandSpec {
  readonly name: string;
  readonly about: string;
  /** What stands after the command's name: `FILE… [options]`. */
  readonly usage: string;
  readonly operands: { readonly least: number; readonly most: number; readonly word: string };
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Paragraphs below the options. */
  readonly notes: readonly string[];
}

export interface CommandLine {
  readonly operands: readonly string[];
  readonly has: (option: string) => boolean;
  /** The value of an option that is given at most once. */
  readonly value: (option: string) => string | null;
  readonly values: (option: string) => readonly string[];
}

const usageFailure = (spec: CommandSpec, message: string, hint: string | null = null): Failure =>
  new Failure(exitCodes.usage, message, hint ?? `see \`dsc help ${spec.name}\``);

export function readCommandLine(spec: CommandSpec, args: readonly string[]): CommandLine | Failure {
  const options = Object.fromEntries(
    Object.entries(spec.options).map(([name, { value }]) => [
      name,
      { type: value === null ? ("boolean" as const) : ("string" as const), multiple: true },
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const operands: string[] = [];
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(spec.options, token.name) ? spec.options[token.name] : undefined;
    if (option === undefined) return unknownOption(spec, token.rawName);
    if (option.value === null && token.value !== undefined) {
      return usageFailure(spec, `${token.rawName} takes no value`);
    }
    if (option.value !== null && !token.inlineValue && (token.value === undefined || isOption(token.value))) {
      return usageFailure(spec, `${token.rawName} needs a value: ${token.rawName} ${option.value}`);
    }
    const values = given.get(token.name) ?? [];
    if (values.length > 0 && option.repeats !== true && option.value !== null) {
      return usageFailure(spec, `${token.rawName} is given twice`);
    }
    given.set(token.name, [...values, token.value ?? ""]);
  }
  const { least, most, word } = spec.operands;
  if (operands.length < least) return usageFailure(spec, `${spec.name} needs a ${word}`);
  const surplus = operands[most];
  if (surplus !== undefined) return usageFailure(spec, `${spec.name} does not know what to do with \`${surplus}\``);
  return {
    operands,
    has: (option) => given.has(option),
    value: (option) => given.get(option)?.[0] ?? null,
    values: (option) => given.get(option) ?? [],
  };
}

/** `-` alone is a name for standard input and output. */
const isOption = (text: string): boolean => text.startsWith("-") && text !== "-";

function unknownOption(spec: CommandSpec, name: string): Failure {
  const near = closest(name.replace(/^-+/, ""), [...Object.keys(spec.options), "help"]);
  const hint = near === null ? null : `did you mean \`--${near}\`? see \`dsc help ${spec.name}\``;
  return usageFailure(spec, `${spec.name} has no option ${name}`, hint);
}

export function helpOf(spec: CommandSpec, width: number): string {
  const options = [
    ...Object.entries(spec.options).map(([name, option]): readonly [string, string] => [
      `--${name}${option.value === null ? "" : ` ${option.value}`}${option.repeats === true ? " …" : ""}`,
      option.about,
    ]),
    ["--help", "this text"] as const,
  ];
  return [
    `dsc ${spec.name}: ${spec.about}`,
    `\nUsage: dsc ${spec.name} ${spec.usage}`,
    `\nOptions:\n${twoColumns(options, width)}`,
    ...spec.notes.map((note) => `${wrap(note, width).join("\n")}\n`),
    exitCodeHelp(width),
  ].join("\n");
}

export const exitCodeHelp = (width: number): string =>
  `Exit codes:\n${twoColumns(
    exitCodeMeanings.map(([code, meaning]) => [String(code), meaning] as const),
    width,
  )}`;

/** Names on the left, wrapped text on the right; a name that is too long has a line of its own. */
export function twoColumns(rows: readonly (readonly [string, string])[], width: number): string {
  const widest = Math.max(0, ...rows.map(([name]) => name.length).filter((length) => length <= 30));
  return rows
    .flatMap(([name, about]) => {
      const lines = wrap(about, Math.max(24, width - widest - 4));
      const head = name.length > widest ? [`  ${name}`, ""] : [`  ${name.padEnd(widest)}`];
      const [first = "", ...rest] = lines;
      const indent = " ".repeat(widest + 2);
      return head.length === 1
        ? [`${head[0]}  ${first}`.trimEnd(), ...rest.map((line) => `${indent}  ${line}`)]
        : [head[0] ?? "", ...lines.map((line) => `${indent}  ${line}`)];
    })
    .join("\n")
    .concat("\n");
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + word.length + 1 > width) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line];
}
