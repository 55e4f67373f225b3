/**
 * What `runtime/text/` uses of `@huggingface/jinja`, with types: the package's own declarations import each other
 * without file endings and are lost under `NodeNext`.
 */
import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import type { TemplateValue } from "./template-value.ts";

/** A node of a parsed template: the fields that are read here. */
export interface TemplateNode {
  readonly type: string;
  readonly operand?: TemplateNode;
  readonly filter?: TemplateNode;
  readonly callee?: TemplateNode;
  readonly args?: readonly TemplateNode[];
  readonly argument?: TemplateNode;
  readonly object?: TemplateNode;
  readonly property?: TemplateNode;
  readonly computed?: boolean;
  readonly iterable?: TemplateNode;
  readonly lhs?: TemplateNode;
  readonly body?: readonly TemplateNode[];
  /** Of an identifier, its name; of a keyword argument, its node. */
  readonly value?: unknown;
  /** Of a member made by us: it is called at once, and the call was looked at. */
  readonly called?: boolean;
  /** Of a node made by us: what it evaluates to. */
  readonly held?: TemplateValue;
}

/** Names and their values. */
export interface Scope {
  readonly set: (name: string, value: unknown) => unknown;
}

export interface TemplateToken {
  readonly type: string;
  readonly value: string;
}

interface InterpreterLike {
  run(program: TemplateNode): TemplateValue;
  evaluate(node: TemplateNode | undefined, scope: Scope): TemplateValue;
}

interface JinjaLibrary {
  readonly tokenize: (
    source: string,
    options: { readonly lstrip_blocks: boolean; readonly trim_blocks: boolean },
  ) => readonly TemplateToken[];
  readonly parse: (tokens: readonly TemplateToken[]) => TemplateNode;
  readonly Environment: new () => Scope;
  readonly Interpreter: new (scope: Scope) => InterpreterLike;
}

/** Named one by one, so that a bundle leaves out the rest. */
export const jinja: JinjaLibrary = { Environment, Interpreter, parse, tokenize } as unknown as JinjaLibrary;
