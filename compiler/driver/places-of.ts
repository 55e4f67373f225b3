/** Where the text defines what the labels of a graph's nodes name. */
import { placeText } from "../directives/directives.ts";
import type { Elaborated } from "../elaborate/elaborate.ts";

/**
 * `models/deepseek-llm.ds:78:3`; of what passes make of a definition and name after it, `layer.y.factor` and `attn.latent_p`, its
 * place. Null where there is none.
 */
export function placesOf({ places }: Pick<Elaborated, "places">): (label: string) => string | null {
  return (label) => {
    const of = namesIn(label).find((name) => places.has(name));
    const span = of === undefined ? undefined : places.get(of);
    return span === undefined ? null : placeText(span);
  };
}

/** `attn.latent_p`, `attn.latent`, `attn.p`, and the same of what is around. */
function namesIn(label: string): readonly string[] {
  const dot = label.lastIndexOf(".");
  const [around, own] = [label.slice(0, dot + 1), label.slice(dot + 1)];
  const words = own.split("_");
  const starts = words.map((_, i) => words.slice(0, words.length - i));
  const ends = words.slice(1).map((_, i) => words.slice(i + 1));
  const here = [...starts, ...ends].map((part) => `${around}${part.join("_")}`);
  return dot < 0 ? here : [...here, ...namesIn(label.slice(0, dot))];
}
