/** Fields of a message: NUL-terminated texts, read with their meaning and written with it. */

/** How the wire writes a double that is not set. */
export const UNSET_DOUBLE_TEXT = '1.7976931348623157E308';
const UNSET_INTEGER = 2147483647;

/** A message that does not say what its type requires. Answered with error 320; the connection stays. */
export class FieldError extends Error {}

/** Reads the fields of one message in order. Throws FieldError where a field is missing or says nothing sensible. */
export class FieldReader {
  readonly #fields: readonly string[];
  #next: number;

  constructor(fields: readonly string[], start: number) {
    this.#fields = fields;
    this.#next = start;
  }

  get remaining(): number {
    return this.#fields.length - this.#next;
  }

  text(): string {
    if (this.#next >= this.#fields.length) throw new FieldError(`the message ends after ${this.#next} fields`);
    return this.#fields[this.#next++];
  }

  /** The next field, which stays. */
  peek(): string {
    return this.#next < this.#fields.length ? this.#fields[this.#next] : '';
  }

  skip(count: number): void {
    for (let i = 0; i < count; i++) this.text();
  }

  /** Empty: 0. */
  int(name: string): number {
    const text = this.text();
    if (text === '') return 0;
    const value = Number(text);
    // Python clients write 0.0 for an integer field that a user set to a float
    if (!Number.isInteger(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER)
      throw new FieldError(`${name} '${excerpt(text)}' is not an integer`);
    return value;
  }

  /** Empty or 2147483647: null. */
  optionalInt(name: string): number | null {
    if (this.peek() === '') {
      this.text();
      return null;
    }
    const value = this.int(name);
    return value === UNSET_INTEGER ? null : value;
  }

  /** Empty or unset: 0. */
  double(name: string): number {
    return this.optionalDouble(name) ?? 0;
  }

  /** Empty or 1.797...E308: null. NaN and infinities are refused: no price, no quantity is one. */
  optionalDouble(name: string): number | null {
    const text = this.text();
    if (text === '') return null;
    const value = Number(text);
    if (!Number.isFinite(value)) throw new FieldError(`${name} '${excerpt(text)}' is not a number`);
    return value === Number.MAX_VALUE ? null : value;
  }

  /** As `optionalDouble`, and Infinity is one ("up to the midpoint"). */
  optionalOffset(name: string): number | null {
    if (this.peek() === 'Infinity' || this.peek() === 'Infinite') {
      this.text();
      return Infinity;
    }
    return this.optionalDouble(name);
  }

  bool(name: string): boolean {
    return this.optionalBool(name) ?? false;
  }

  /** Empty or 2147483647: null. */
  optionalBool(name: string): boolean | null {
    const text = this.text();
    switch (text) {
      case '':
      case '2147483647':
        return null;
      case '0':
      case 'false':
      case 'False':
        return false;
      case '1':
      case 'true':
      case 'True':
        return true;
      default:
        throw new FieldError(`${name} '${excerpt(text)}' is neither 0 nor 1`);
    }
  }

  /** A count of groups that follow. */
  count(name: string): number {
    const value = this.int(name);
    if (value < 0 || value > this.remaining)
      throw new FieldError(`${name} is ${value}, and ${this.remaining} fields follow`);
    return value;
  }

  /** Throws where fields are left over: the message was not what its type says at this version. */
  end(): void {
    if (this.remaining > 0) {
      const rest = this.#fields.slice(this.#next, this.#next + 5).map((field) => `'${excerpt(field)}'`);
      throw new FieldError(`${this.remaining} fields are left over: ${rest.join(', ')}`);
    }
  }
}

function excerpt(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}

/** Writes the fields of one message. */
export class FieldWriter {
  #out = '';

  get text(): string {
    return this.#out;
  }

  add(...fields: readonly (string | number | boolean)[]): this {
    for (const field of fields) this.#out += `${typeof field === 'boolean' ? (field ? 1 : 0) : clean(field)}\0`;
    return this;
  }

  /** null: the empty field. */
  optional(...fields: readonly (number | null)[]): this {
    for (const field of fields) this.#out += field === null ? '\0' : `${field}\0`;
    return this;
  }

  /** null: 1.797...E308, as the gateway writes margins and P&L that are not known. */
  unsettable(...fields: readonly (number | null)[]): this {
    for (const field of fields) this.#out += `${field ?? UNSET_DOUBLE_TEXT}\0`;
    return this;
  }
}

/** A NUL inside a text would shift every field after it. */
export function clean(field: string | number): string | number {
  return typeof field === 'string' && field.includes('\0') ? field.replaceAll('\0', '') : field;
}

/** Texts in 7 bits: other characters as \uXXXX (server versions from 153 on, for messages and long names). */
export function ascii7(text: string): string {
  return text.replace(/[^ -~\t\r\n]/g, (character) =>
    character === '\0' ? '' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
