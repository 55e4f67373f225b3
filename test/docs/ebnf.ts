/** The grammar as the manual prints it: read, and run on tokens. Every way of reading is tried; there is no order of choice. */
import type { IToken } from "chevrotain";
import { Hole, keywordTypes, Name, NumberToken, ScalarWord, StringToken } from "../../dsl/lexer/tokens.ts";

export type Rule =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "sequence" | "choice"; readonly parts: readonly Rule[] }
  | { readonly kind: "optional" | "repeated"; readonly inner: Rule };

export type Ebnf = ReadonlyMap<string, Rule>;

export function readEbnf(text: string): Ebnf {
  const signs = text.match(/"[^"]+"|[A-Za-z]+|[=.|(){}[\]]/g) ?? [];
  let at = 0;
  const take = (expected: string): void => {
    if (signs[at] !== expected) throw new Error(`expected ${expected}, found ${signs[at]} (sign ${at})`);
    at += 1;
  };
  const choice = (): Rule => {
    const parts = [sequence()];
    while (signs[at] === "|") {
      at += 1;
      parts.push(sequence());
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: "choice", parts };
  };
  const bracketed = (close: string): Rule => {
    at += 1;
    const inner = choice();
    take(close);
    return inner;
  };
  const sequence = (): Rule => {
    const parts: Rule[] = [];
    for (;;) {
      const sign = signs[at];
      if (sign === undefined || [".", "|", ")", "}", "]"].includes(sign)) return { kind: "sequence", parts };
      if (sign === "(") parts.push(bracketed(")"));
      else if (sign === "[") parts.push({ kind: "optional", inner: bracketed("]") });
      else if (sign === "{") parts.push({ kind: "repeated", inner: bracketed("}") });
      else {
        at += 1;
        parts.push(sign.startsWith('"') ? { kind: "literal", text: sign.slice(1, -1) } : { kind: "name", name: sign });
      }
    }
  };
  const rules = new Map<string, Rule>();
  while (at < signs.length) {
    const name = signs[at] ?? "";
    at += 1;
    take("=");
    if (rules.has(name)) throw new Error(`${name} is defined twice`);
    rules.set(name, choice());
    take(".");
  }
  return rules;
}

/** What the grammar leaves to the lexer, by name. */
const terminals: Readonly<Record<string, (token: IToken) => boolean>> = {
  Name: ({ tokenType }) => tokenType === Name,
  Word: ({ tokenType }) => tokenType === Name || keywordTypes.has(tokenType),
  Number: ({ tokenType }) => tokenType === NumberToken,
  String: ({ tokenType }) => tokenType === StringToken,
  ScalarWord: ({ tokenType }) => tokenType.CATEGORIES?.includes(ScalarWord) === true,
};

/** Words in quotes are tokens of their own, save the contextual ones, which are names that read so. */
const isLiteral = (token: IToken, text: string): boolean =>
  token.image === text && (token.tokenType !== Hole || text === "_");

/** Names that no rule and no terminal defines, and rules that nothing mentions. */
export function looseEnds(ebnf: Ebnf): readonly string[] {
  const mentioned = new Set<string>(["File"]);
  for (const rule of ebnf.values()) visit(rule, (one) => one.kind === "name" && mentioned.add(one.name));
  const known = new Set([...ebnf.keys(), ...Object.keys(terminals)]);
  return [...[...mentioned].filter((name) => !known.has(name)), ...[...known].filter((name) => !mentioned.has(name))];
}

function visit(rule: Rule, see: (rule: Rule) => void): void {
  see(rule);
  if (rule.kind === "sequence" || rule.kind === "choice") for (const part of rule.parts) visit(part, see);
  if (rule.kind === "optional" || rule.kind === "repeated") visit(rule.inner, see);
}

export function literals(ebnf: Ebnf): ReadonlySet<string> {
  const found = new Set<string>();
  for (const rule of ebnf.values()) visit(rule, (one) => one.kind === "literal" && found.add(one.text));
  return found;
}

/** Whether the tokens are a `File`. */
export function accepts(ebnf: Ebnf, tokens: readonly IToken[]): boolean {
  const memo = new Map<string, ReadonlySet<number>>();
  /** Where a reading of `rule` that begins at one of `starts` may end. */
  const ends = (rule: Rule, starts: ReadonlySet<number>): ReadonlySet<number> => {
    switch (rule.kind) {
      case "literal":
        return step(starts, (token) => isLiteral(token, rule.text));
      case "name": {
        const terminal = terminals[rule.name];
        if (terminal !== undefined) return step(starts, terminal);
        const all = new Set<number>();
        for (const start of starts) for (const end of endsOf(rule.name, start)) all.add(end);
        return all;
      }
      case "sequence": {
        let reached = starts;
        for (const part of rule.parts) {
          if (reached.size === 0) return reached;
          reached = ends(part, reached);
        }
        return reached;
      }
      case "choice":
        return new Set(rule.parts.flatMap((part) => [...ends(part, starts)]));
      case "optional":
        return new Set([...starts, ...ends(rule.inner, starts)]);
      case "repeated": {
        const all = new Set(starts);
        let fresh = starts;
        while (fresh.size > 0) {
          fresh = new Set([...ends(rule.inner, fresh)].filter((end) => !all.has(end)));
          for (const end of fresh) all.add(end);
        }
        return all;
      }
    }
  };
  const step = (starts: ReadonlySet<number>, fits: (token: IToken) => boolean): ReadonlySet<number> => {
    const next = new Set<number>();
    for (const at of starts) {
      const token = tokens[at];
      if (token !== undefined && fits(token)) next.add(at + 1);
    }
    return next;
  };
  const endsOf = (name: string, start: number): ReadonlySet<number> => {
    const key = `${name} ${start}`;
    const known = memo.get(key);
    if (known !== undefined) return known;
    const rule = ebnf.get(name);
    if (rule === undefined) throw new Error(`the grammar has no rule ${name}`);
    const found = ends(rule, new Set([start]));
    memo.set(key, found);
    return found;
  };
  return endsOf("File", 0).has(tokens.length);
}
