export const PROMISES = Array.from({ length: 13 }, (_, index) => `P${index + 1}`);

/** One clause of a promise, broken on purpose in the code that keeps it. It compiles, and throws nothing. */
export interface Breakage {
  /** What would be wrong, in the words of who would feel it. */
  readonly broken: string;
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly text: string;
  readonly replacement: string;
  /** Of this spec a test that names the promise must fail. */
  readonly spec: string;
  /** Which of its tests run, as a regular expression on their names; default: those that name the promise. */
  readonly tests?: string;
}

/** Whether a test names a promise: it, or what it stands in, has a title that begins `P3 …` or `P1 P3 …`. */
export const namesPromise = (titles: readonly string[], promise: string): boolean =>
  titles.some((title) => new RegExp(`^(?:P\\d+ )*${promise} `).test(title));
