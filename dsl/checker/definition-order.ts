/**
 * Definitions after what they mention, so that finding one type does not descend through all of a long chain. Text order
 * where nothing is mentioned; circles are left to `define`, which reports them.
 */
import type { Body, Entity } from "./context.ts";

export function inDefinitionOrder(body: Body): readonly Entity[] {
  const { names } = body.scope;
  const mentioned = new Map<Entity, readonly Entity[]>();
  const mentions = (entity: Entity): readonly Entity[] => {
    const known = mentioned.get(entity);
    if (known !== undefined) return known;
    const found = new Set<Entity>();
    if (entity.source.kind === "definition") {
      for (const equation of entity.source.equations) collect(equation, names, found);
    }
    const list = [...found].filter((other) => other !== entity);
    mentioned.set(entity, list);
    return list;
  };
  const order: Entity[] = [];
  const seen = new Set<Entity>();
  const entered = new Set<Entity>();
  /** Those that lead back to one they are reached from: a recurrence has to be begun at its start. */
  const circular = new Set<Entity>();
  for (const root of names.values()) {
    // Depth first without recursion: `next` is where the walk through the mentions of an entity stands.
    const open: { entity: Entity; next: number }[] = seen.has(root) ? [] : [{ entity: root, next: 0 }];
    seen.add(root);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const other = mentions(top.entity)[top.next];
      top.next += 1;
      entered.add(top.entity);
      if (other === undefined) {
        if (!circular.has(top.entity)) order.push(top.entity);
        entered.delete(top.entity);
        open.pop();
      } else if (entered.has(other)) {
        circular.add(top.entity);
      } else if (!seen.has(other)) {
        seen.add(other);
        open.push({ entity: other, next: 0 });
      }
    }
  }
  return [...order, ...circular];
}

/** Names below a node; trees are no deeper than the parser's nesting limit. */
function collect(value: unknown, names: ReadonlyMap<string, Entity>, found: Set<Entity>): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) collect(item, names, found);
    return;
  }
  if ("kind" in value && value.kind === "name" && "text" in value && typeof value.text === "string") {
    const entity = names.get(value.text);
    if (entity !== undefined) found.add(entity);
    return;
  }
  for (const [key, inner] of Object.entries(value)) if (key !== "span") collect(inner, names, found);
}
