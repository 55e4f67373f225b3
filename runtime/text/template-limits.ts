/** How much a chat template may be and do. The largest published templates have some 20,000 characters. */
export const templateLimits = {
  /** UTF-16 units of a template. */
  length: 2 ** 18,
  /** UTF-16 units of white space in a row: the library's lexer takes the square of it. */
  blankRun: 1000,
  /** Templates in one `tokenizer_config.json`. */
  templates: 64,
  /** UTF-16 units of the output, and of any text on the way to it. */
  output: 2 ** 22,
  /** Entries of a list or an object, those inside it included, that a template may build. */
  entries: 2 ** 20,
  /** Nesting of lists and objects, of the request and of what a template builds. */
  depth: 64,
  /** Nesting of statements, expressions and macro calls while running. */
  calls: 600,
  /** Nodes evaluated, each weighted by the text it gives; about two seconds. */
  work: 2_000_000,
  /** Work of one round of a loop beside its body: the library makes a scope and nine names for each. */
  round: 4,
  /** Numbers in a `range`, as in Jinja's sandbox (`jinja2.sandbox.MAX_RANGE`). */
  range: 100_000,
  /** Spaces of `indent` and `tojson(indent)`, and the length of `tojson` separators. */
  indent: 64,
} as const;
