/** The texts that the playground opens with, and what was changed in them. */

/** As the playground's folder holds them: `texts.json`. */
export interface Texts {
  readonly compiler: string;
  /** By path: those of the library begin with `std/`. */
  readonly texts: Readonly<Record<string, string>>;
  /** By the path of a model's text: a config of it. */
  readonly configs: Readonly<Record<string, string>>;
  /** What it opens with. */
  readonly first: string;
}

export class EditedTexts {
  readonly given: Texts;
  #edits: Readonly<Record<string, string>> = {};
  /** The file that is shown, and the model that is compiled. */
  shown: string;
  entry: string;

  constructor(given: Texts) {
    this.given = given;
    this.shown = given.first;
    this.entry = given.first;
  }

  get edits(): Readonly<Record<string, string>> {
    return this.#edits;
  }

  get paths(): readonly string[] {
    return Object.keys(this.given.texts);
  }

  textOf(path: string): string {
    return this.#edits[path] ?? this.given.texts[path] ?? "";
  }

  lineOf(path: string, line: number): string {
    return this.textOf(path).split("\n")[line - 1] ?? "";
  }

  /** A text as it is again is no edit. */
  edit(text: string): void {
    const { [this.shown]: _, ...others } = this.#edits;
    this.#edits = text === this.given.texts[this.shown] ? others : { ...others, [this.shown]: text };
  }

  isEdited(path: string): boolean {
    return Object.hasOwn(this.#edits, path);
  }
}
