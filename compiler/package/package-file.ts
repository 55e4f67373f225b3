/** A file of a package, before it is written anywhere. */
export interface PackageFile {
  /** Inside of the package, with `/`. */
  readonly name: string;
  readonly content: string | Uint8Array;
}
