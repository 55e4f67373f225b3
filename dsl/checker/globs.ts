/** Patterns of tensor names: `*` matches any run of characters. */
export function globToRegExp(glob: string): RegExp {
  return new RegExp(
    `^${glob
      .split("*")
      .map((p) => p.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
      .join("[^]*?")}$`,
  );
}

/** A pattern that a model's text writes, below the prefix of the ancestor it comes from. */
export const placedGlob = (pattern: string, prefix: string): RegExp =>
  globToRegExp(prefix === "" ? pattern : `${prefix}.${pattern}`);
