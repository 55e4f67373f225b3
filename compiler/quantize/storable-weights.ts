/** Which weights of a bound model may be packed in a storage format, and which of them are, unless something else is asked for. */
import type { Block, ModelItem, Storage } from "../../dsl/ast/nodes.ts";
import type { BoundModel, CheckedProject } from "../../dsl/checker/check-project.ts";
import { placedGlob } from "../../dsl/checker/globs.ts";
import type { PlacedWeight } from "../../dsl/checker/instances/build.ts";
import { tensorNames } from "../../dsl/checker/weights.ts";
import { spanText } from "../../dsl/diagnostics/source.ts";
import { flatItems } from "../../dsl/graph-view/walk-equations.ts";
import { type ReadingsOf, readingsOfBlock, readingsOfModel } from "../../dsl/graph-view/weight-reads.ts";

/**
 * Why a matrix stays as it is. `declared`: its type is one that the text asks for at least, as `f32` of a router. `rows`:
 * rows of it are fetched, as of embeddings and tables. `vocabulary`: it has an axis that ids of tokens are of, as a
 * head has. `not-at`: the storage line names it.
 */
export type StaysBecause = "declared" | "rows" | "vocabulary" | "not-at";

export interface StorableWeight {
  /** Best spelling, with holes for members of families. */
  readonly pattern: string;
  readonly shape: readonly number[];
  readonly tensors: readonly StorableTensor[];
}

export interface StorableTensor {
  /** Best first. */
  readonly spellings: readonly string[];
  /** Where a checkpoint may have the same numbers again. */
  readonly copies: readonly string[];
  /** Null: it is packed. */
  readonly stays: StaysBecause | null;
}

export interface StorageLine {
  readonly item: Storage;
  /** Of the tensors of the ancestor it comes from. */
  readonly prefix: string;
}

export const storageLines = (model: BoundModel): readonly StorageLine[] =>
  model.path.items.flatMap(({ item, ancestor }) =>
    item.kind === "storage" ? [{ item, prefix: ancestor.prefix }] : [],
  );

/** Real weights with as many axes as the format has, in the order of the text. Those of which no size is known are left out. */
export function storableWeights(
  { bound, files }: Pick<CheckedProject, "bound" | "files">,
  { item, prefix }: StorageLine,
  axes: number,
): readonly StorableWeight[] {
  if (bound === null) return [];
  const items = bound.path.items.map((tagged) => tagged.item);
  const ofModel = readingsOfModel(items);
  const vocabularies = tokenAxes(items);
  const globs = item.notAt.map(({ value }) => placedGlob(value, prefix));
  const readings = new Map<PlacedWeight["decl"], ReadingsOf>(
    [...files.values()].flatMap(({ declarations }) =>
      declarations.flatMap((decl) => (decl.kind === "block" ? weightsWith(decl, readingsOfBlock(decl)) : [])),
    ),
  );
  const weightStays = ({ decl, weight }: PlacedWeight): StaysBecause | null => {
    if (weight.type !== "real") return "declared";
    const found = (readings.get(decl) ?? ofModel)(decl.name.text);
    if (found.has("embedding") || found.has("table")) return "rows";
    const sizes = (decl.type.axes ?? []).map(({ size }) => spanText(size.span));
    return !readings.has(decl) && sizes.some((size) => vocabularies.has(size)) ? "vocabulary" : null;
  };
  return bound.weights.flatMap((placed): readonly StorableWeight[] => {
    const { weight, element, indices } = placed;
    const [pattern] = weight.tensors;
    const isPlain = element.kind === "float" && plainTypes.has(element.word);
    if (weight.sizes?.length !== axes || pattern === undefined || !isPlain) return [];
    const stays = weightStays(placed);
    const spelled = weight.tensors.map((p) => [...tensorNames(p, indices)]);
    const copied = weight.copies.map((p) => [...tensorNames(p, indices)]);
    const tensors = (spelled[0] ?? []).map((_, i): StorableTensor => {
      const spellings = spelled.flatMap((names) => names[i] ?? []);
      const named = spellings.some((name) => globs.some((glob) => glob.test(name)));
      return {
        spellings,
        copies: copied.flatMap((names) => names[i] ?? []),
        stays: stays ?? (named ? "not-at" : null),
      };
    });
    return [{ pattern, shape: weight.sizes, tensors }];
  });
}

/** Others are formats of storage: a weight that is declared in one has the numbers of its codes. */
const plainTypes: ReadonlySet<string> = new Set(["real", "f64", "f32", "bf16", "f16"]);

const weightsWith = (block: Block, of: ReadingsOf): readonly (readonly [PlacedWeight["decl"], ReadingsOf])[] =>
  flatItems(block.items).flatMap((item) => (item.kind === "weight" ? [[item, of] as const] : []));

/** Axes that inputs of entries are indices of, as the text writes them: `V` of `ids: [T] in V`. */
const tokenAxes = (items: readonly ModelItem[]): ReadonlySet<string> =>
  new Set(
    items.flatMap((item) =>
      item.kind === "entry"
        ? item.params.flatMap(({ type: { scalar } }) =>
            scalar?.kind === "index-type" ? [spanText(scalar.axis.span)] : [],
          )
        : [],
    ),
  );
