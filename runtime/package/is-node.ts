/** Node, or what calls itself so, by what only it has. */
export function isNode(): boolean {
  const process: unknown = Reflect.get(globalThis, "process");
  if (typeof process !== "object" || process === null) return false;
  const versions: unknown = Reflect.get(process, "versions");
  return typeof versions === "object" && versions !== null && typeof Reflect.get(versions, "node") === "string";
}
