/** How wide a vector may be along an axis of which a factor is known. */

/** The largest power of two that divides `multiple`, at most `most`. */
export function widthFor(multiple: number, most: number): number {
  let width = 1;
  while (width * 2 <= most && multiple % (width * 2) === 0) width *= 2;
  return width;
}
