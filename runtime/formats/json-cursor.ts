/**
 * Strict JSON (RFC 8259), read by a caller who knows what it expects. `JSON.parse` does not do for files that nobody vouches
 * for: it drops all but the last of equal names, builds whatever it is given, and does not say where a mistake is. A
 * cursor builds only what is asked for, shows every member in the order of the file, and knows its byte. Linear time.
 */
import { WeightsError, type WeightsErrorCode } from "./weights-error.ts";

export interface JsonText {
  /** Well-formed UTF-8: the caller has checked that. */
  readonly bytes: Uint8Array;
  readonly file: string;
  /** Where in the file `bytes` begins; errors count from the start of the file. */
  readonly origin: number;
}

/** Nesting that a skipped value may have; what is read by name is never deeper than its schema. */
const deepestSkipped = 64;

const quote = 0x22;
const comma = 0x2c;
const minus = 0x2d;
const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

const escapes: ReadonlyMap<number, string> = new Map([
  [quote, '"'],
  [backslash, "\\"],
  [0x2f, "/"],
  [0x62, "\b"],
  [0x66, "\f"],
  [0x6e, "\n"],
  [0x72, "\r"],
  [0x74, "\t"],
]);

const literals = ["true", "false", "null"];
const isDigit = (byte: number): boolean => byte >= zero && byte <= nine;
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

export class JsonCursor {
  /** Named in errors while the caller is inside a tensor's entry. */
  tensor: string | null = null;
  readonly #bytes: Uint8Array;
  readonly #file: string;
  readonly #origin: number;
  // A byte order mark inside a name is part of the name.
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  #at = 0;

  constructor({ bytes, file, origin }: JsonText) {
    this.#bytes = bytes;
    this.#file = file;
    this.#origin = origin;
  }

  /** The byte of the file at which the next value or sign begins, spaces left out. */
  position(): number {
    this.#space();
    return this.#origin + this.#at;
  }

  fail(code: WeightsErrorCode, message: string, byte: number = this.#origin + this.#at): never {
    throw new WeightsError({ code, file: this.#file, tensor: this.tensor, byte, message });
  }

  /** Reads an object: `member` is called behind each name and its colon, and must read or skip the value. */
  object(member: (name: string, byte: number) => void, otherwise: () => never): void {
    if (this.#next() !== openBrace) otherwise();
    this.#at += 1;
    if (this.#next() === closeBrace) {
      this.#at += 1;
      return;
    }
    for (;;) {
      const byte = this.position();
      if (this.#peek() !== quote) this.#unexpected("a name in double quotes");
      const name = this.#string();
      if (this.#next() !== colon) this.#unexpected("a colon after the name");
      this.#at += 1;
      member(name, byte);
      if (this.#afterItem(closeBrace)) return;
    }
  }

  /** Reads an array: `element` is called before each element and must read or skip it. */
  array(element: () => void, otherwise: () => never): void {
    if (this.#next() !== openBracket) otherwise();
    this.#at += 1;
    if (this.#next() === closeBracket) {
      this.#at += 1;
      return;
    }
    do element();
    while (!this.#afterItem(closeBracket));
  }

  string(otherwise: () => never): string {
    if (this.#next() !== quote) otherwise();
    return this.#string();
  }

  /** A number without sign, fraction or exponent, up to 2^53 - 1. */
  count(otherwise: () => never): number {
    const first = this.#next();
    if (!isDigit(first)) otherwise();
    const from = this.#at;
    const plain = this.#number();
    if (!plain) {
      this.#at = from;
      otherwise();
    }
    let value = 0;
    for (let i = from; i < this.#at; i += 1) {
      value = value * 10 + ((this.#bytes[i] ?? 0) - zero);
      if (!Number.isSafeInteger(value)) {
        this.#at = from;
        otherwise();
      }
    }
    return value;
  }

  /** Checks the grammar of any value and forgets it; gives the number if it is one, else null. */
  skip(depth = 0): number | null {
    if (depth > deepestSkipped)
      this.fail("nested-too-deeply", `JSON is nested more than ${deepestSkipped} levels deep`);
    const first = this.#next();
    const deeper = (): unknown => this.skip(depth + 1);
    const never = (): never => this.#unexpected("a value");
    if (first === openBrace) this.object(deeper, never);
    else if (first === openBracket) this.array(deeper, never);
    else if (first === quote) this.#string();
    else if (first === minus || isDigit(first)) return this.#numberValue();
    else this.#literal();
    return null;
  }

  /** Only spaces may follow. */
  end(): void {
    this.#space();
    if (this.#at < this.#bytes.length) this.#unexpected("nothing more");
  }

  #peek(): number {
    return this.#bytes[this.#at] ?? -1;
  }

  #space(): void {
    while (isSpace(this.#peek())) this.#at += 1;
  }

  #next(): number {
    this.#space();
    return this.#peek();
  }

  /** True behind the closing sign; false behind a comma. */
  #afterItem(close: number): boolean {
    const next = this.#next();
    if (next !== comma && next !== close) this.#unexpected(`a comma or ${String.fromCharCode(close)}`);
    this.#at += 1;
    return next === close;
  }

  #unexpected(wanted: string): never {
    const byte = this.#peek();
    const found = byte < 0 ? "the end" : quotedByte(byte);
    return this.fail("bad-json", `this is not JSON: ${wanted} should stand here, not ${found}`);
  }

  #literal(): void {
    for (const literal of literals) {
      let length = 0;
      while (length < literal.length && this.#bytes[this.#at + length] === literal.charCodeAt(length)) length += 1;
      if (length < literal.length) continue;
      this.#at += length;
      return;
    }
    this.#unexpected("a value");
  }

  #numberValue(): number {
    const from = this.#at;
    this.#number();
    return Number(this.#utf8.decode(this.#bytes.subarray(from, this.#at)));
  }

  /** Steps over a number; true when it is digits alone. */
  #number(): boolean {
    const from = this.#at;
    if (this.#peek() === minus) this.#at += 1;
    // A digit behind a leading zero is left standing, and is then no comma.
    if (this.#peek() === zero) this.#at += 1;
    else this.#digits();
    const whole = this.#at;
    if (this.#peek() === dot) {
      this.#at += 1;
      this.#digits();
    }
    if ((this.#peek() | 0x20) === 0x65) {
      this.#at += 1;
      if (this.#peek() === minus || this.#peek() === 0x2b) this.#at += 1;
      this.#digits();
    }
    return this.#at === whole && isDigit(this.#bytes[from] ?? 0);
  }

  #digits(): void {
    if (!isDigit(this.#peek())) this.#unexpected("a digit");
    while (isDigit(this.#peek())) this.#at += 1;
  }

  /** At the opening quote; ends behind the closing one. */
  #string(): string {
    this.#at += 1;
    let text = "";
    let from = this.#at;
    for (;;) {
      const byte = this.#peek();
      if (byte === quote || byte === backslash) {
        text += this.#utf8.decode(this.#bytes.subarray(from, this.#at));
        this.#at += 1;
        if (byte === quote) return text;
        text += this.#escape();
        from = this.#at;
      } else if (byte < 0x20) this.#unexpected(byte < 0 ? "the closing quote" : "no bare control character");
      else this.#at += 1;
    }
  }

  /** Behind the backslash. A surrogate must come with its other half: alone it is no character. */
  #escape(): string {
    const start = this.#at - 1;
    const simple = escapes.get(this.#peek());
    if (simple !== undefined) {
      this.#at += 1;
      return simple;
    }
    if (this.#peek() !== 0x75) this.#unexpected("an escape that JSON knows");
    const unit = this.#hex();
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    if (unit < 0xdc00 && this.#peek() === backslash && this.#bytes[this.#at + 1] === 0x75) {
      this.#at += 1;
      const low = this.#hex();
      if (low >= 0xdc00 && low <= 0xdfff) return String.fromCharCode(unit, low);
    }
    return this.fail("bad-json", "this is not JSON: half a surrogate pair is no character", this.#origin + start);
  }

  /** At the `u` of an escape; ends behind its four digits. */
  #hex(): number {
    this.#at += 1;
    let value = 0;
    for (let i = 0; i < 4; i += 1) {
      const byte = this.#peek();
      const digit = isDigit(byte) ? byte - zero : (byte | 0x20) - 0x61 + 10;
      if (digit > 15 || (!isDigit(byte) && digit < 10)) this.#unexpected("four hexadecimal digits");
      value = value * 16 + digit;
      this.#at += 1;
    }
    return value;
  }
}

const quotedByte = (byte: number): string =>
  byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `the byte 0x${byte.toString(16).padStart(2, "0")}`;
