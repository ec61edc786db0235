import { plainToInstance } from 'class-transformer';
import { type ValidationError, validateSync } from 'class-validator';
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
  const walked = walk(raw, 0);
  if (walked === 'too-deep') return malformed('The input is nested too deeply.');
  if (walked === 'secret') return containsSecret();
  const input = plainToInstance(InputClass, raw, { exposeDefaultValues: true });
  const errors = validateSync(input, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: false });
  return errors.length === 0 ? input : invalid(errors.flatMap((error) => fieldErrors(error, '')));
}

function walk(value: unknown, depth: number): 'fine' | 'too-deep' | 'secret' {
  if (typeof value === 'string') return holdsToken(value) ? 'secret' : 'fine';
  if (typeof value !== 'object' || value === null) return 'fine';
  if (depth >= DEEPEST) return 'too-deep';
  for (const [key, member] of Object.entries(value)) {
    if (holdsToken(key)) return 'secret';
    const found = walk(member, depth + 1);
    if (found !== 'fine') return found;
  }
  return 'fine';
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
