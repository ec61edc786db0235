import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, type ValidationError, validateSync } from 'class-validator';
import { containsSecret, type FieldError, invalid, malformed, type Problem } from '../problem/problem.ts';
import { parseToken, TOKEN_SHAPE } from '../tokens/token-format.ts';

/** Nesting no input of ours needs; deeper JSON is refused before anything walks it recursively. */
const DEEPEST = 32;

/**
 * Input of an operation by its class-validator class: known fields only, each as declared, and no token in any text
 * (P5: what is stored for good must not hold a secret).
 */
export function parseInput<Input extends object>(
  InputClass: new () => Input,
  raw: Readonly<Record<string, unknown>>,
): Input | Problem {
  if (takesNothing(InputClass) && Object.keys(raw).length === 0) return new InputClass();
  const bad = walk(raw, '', 0);
  if (bad !== null) return bad;
  const input = plainToInstance(InputClass, raw, { exposeDefaultValues: true });
  const errors = validateSync(input, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: false });
  return errors.length === 0 ? input : invalid(errors.flatMap((error) => fieldErrors(error, '')));
}

const withoutFields = new WeakMap<new () => object, boolean>();

/** Asked of each class once: class-validator looks through the fields of all classes every time. */
function takesNothing(InputClass: new () => object): boolean {
  let nothing = withoutFields.get(InputClass);
  if (nothing === undefined) {
    nothing = getMetadataStorage().getTargetValidationMetadatas(InputClass, '', true, false).length === 0;
    withoutFields.set(InputClass, nothing);
  }
  return nothing;
}

/** What no input may hold, whatever its class says; null when it holds none of it. */
function walk(value: unknown, path: string, depth: number): Problem | null {
  if (typeof value === 'string') return textProblem(value, path);
  if (typeof value !== 'object' || value === null) return null;
  if (depth >= DEEPEST) return malformed('The input is nested too deeply.', path.slice(0, path.indexOf('.')));
  for (const [key, member] of Object.entries(value)) {
    // A key that is no good is not quoted: the problem names what holds it.
    const found = textProblem(key, path) ?? walk(member, path === '' ? key : `${path}.${key}`, depth + 1);
    if (found !== null) return found;
  }
  return null;
}

function textProblem(text: string, field: string): Problem | null {
  if (holdsToken(text)) return containsSecret(field);
  // Neither can be kept by a database, nor be the same for everyone who reads it.
  if (text.includes('\0') || !text.isWellFormed()) {
    return invalid([{ field, message: 'must be Unicode text without U+0000' }]);
  }
  return null;
}

/** Whether a text holds a well-formed token: shape and checksum, so prose is never mistaken for one. */
export function holdsToken(text: string): boolean {
  if (text.length < 64) return false;
  for (const [candidate] of text.matchAll(TOKEN_SHAPE)) {
    if (parseToken(candidate) !== null) return true;
  }
  return false;
}

function fieldErrors(error: ValidationError, path: string): FieldError[] {
  const field = path === '' ? error.property : `${path}.${error.property}`;
  const own = Object.values(error.constraints ?? {}).map((message) => ({
    field,
    message: message.startsWith(`${error.property} `) ? message.slice(error.property.length + 1) : message,
  }));
  return [...own, ...(error.children ?? []).flatMap((child) => fieldErrors(child, field))];
}
