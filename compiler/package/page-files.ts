/** The page of a package, `index.html` and what it loads: the same for every model but for its name and what is offered to be loaded. */
import type { PackageFacts } from "./package-facts.ts";
import type { PackageFile } from "./package-file.ts";

/** Of the page's bundle: the text with places, `{{name}}`, for what is the model's own. */
const template = "page.html";

/** `weights`: an address, absolute or from the page on; null for none. */
export function pageFiles(
  { model, target, compiler }: PackageFacts,
  files: readonly PackageFile[],
  weights: string | null,
): readonly PackageFile[] {
  const about = `compiled for ${target} by dsc ${compiler}`;
  const places: Readonly<Record<string, string>> = { model, about, weights: weights ?? "" };
  const own = files.filter(({ name }) => name !== "LICENSES"); // it is that of the package
  return own.map(({ name, content }) =>
    name === template
      ? { name: "index.html", content: filled(textOf(content), places) }
      : { name: `page/${name}`, content },
  );
}

const textOf = (content: PackageFile["content"]): string =>
  typeof content === "string" ? content : new TextDecoder().decode(content);

const filled = (text: string, places: Readonly<Record<string, string>>): string =>
  text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = places[name];
    if (value === undefined) throw new Error(`the page has a place for ${name}`);
    return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  });
