/** `{name}` in a checkpoint name stands for a static value, or for the index of a family around it. */
import type { StringLiteral } from "../ast/nodes.ts";
import { closest } from "../diagnostics/suggest.ts";
import { fail } from "./conditions.ts";
import { type Body, lookup } from "./context.ts";
import { addReference } from "./recorder.ts";

/** What a storage block calls the tensor it is asked for, with and without `.weight`. */
const storageNames: ReadonlySet<string> = new Set(["name", "stem"]);

export interface Hole {
  readonly name: string;
  /** Offset of the name in the source. */
  readonly start: number;
}

export function holesOf(literal: StringLiteral): readonly Hole[] {
  const found: Hole[] = [];
  const text = literal.span.source.text.slice(literal.span.start, literal.span.end);
  for (const match of text.matchAll(/\{([^{}]*)\}/g))
    found.push({ name: match[1] ?? "", start: literal.span.start + (match.index ?? 0) + 1 });
  return found;
}

export function checkInterpolation(literals: readonly StringLiteral[], own: readonly string[], body: Body): void {
  for (const literal of literals) {
    for (const { name, start } of holesOf(literal)) {
      if (own.includes(name)) continue;
      const span = { source: literal.span.source, start, end: start + name.length };
      const entity = lookup(body.scope, name);
      if (entity === null) {
        if (body.owner.kind === "block" && body.owner.params.length === 0 && storageNames.has(name)) continue;
        const near = closest(name, [...own, ...body.scope.names.keys()]);
        fail(body, "DS0101", {
          title: `unknown name \`${name}\``,
          at: span,
          label: "nothing of this name can be seen here",
          help: near === null ? null : `did you mean \`{${near}}\`?`,
        });
        continue;
      }
      entity.uses += 1;
      addReference(body.shared.recorder, span, entity.symbol);
      const value = body.shared.rules.define(entity, body);
      if (value.isStatic && value.axes.length === 0) continue;
      fail(body, "DS0126", {
        title: "a checkpoint name is known when compiling",
        at: span,
        label: `\`${name}\` is not`,
      });
    }
  }
}
