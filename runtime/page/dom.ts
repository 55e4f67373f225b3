/** The page's own elements, found once and held against what the page takes them for. */

/** Throws where page.html and this script are of different packages. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${type.name} called ${id}`);
}

/** An element with text alone in it: nothing that a model or a server says is taken for HTML. */
export function element<N extends keyof HTMLElementTagNameMap>(
  name: N,
  { className = "", text = "" }: { readonly className?: string; readonly text?: string } = {},
): HTMLElementTagNameMap[N] {
  const made = document.createElement(name);
  if (className !== "") made.className = className;
  if (text !== "") made.textContent = text;
  return made;
}

/** A number of a field; null where it is empty. */
export function numberOf({ value }: HTMLInputElement): number | null {
  return value.trim() === "" ? null : Number(value);
}

/** For those who do not see the page. */
export function announce(text: string): void {
  byId("status", HTMLParagraphElement).textContent = text;
}
