/** How much a config may ask for before it is taken for a mistake: numbers far beyond any published model. */
export const limits = {
  /** Members of a family, and rows of a recurrence that are layers; as many as the checker looks at one by one. */
  members: 100_000,
  /** Tensors of one weight, over all layers and experts. */
  tensors: 2 ** 21,
  /** Rows of a recurrence that are written out one after the other, each inside the one before. */
  steps: 256,
} as const;
