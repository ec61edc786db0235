import { parseInput } from '../gate/parse-input.ts';
import type { OperationSpec } from '../operation/operation.ts';
import { type FieldError, isProblem } from '../problem/problem.ts';
import type { Step } from './events.ts';
import { literalPart, type PlacedReference, referencesOf, RUN_FACTS } from './references.ts';

/**
 * What is wrong with steps, before there is a run: operations that are none or none of the catalogue's, references that
 * lead nowhere, input that its operation would refuse whatever is referred to.
 */
export function stepMistakes(
  steps: readonly Step[],
  catalogue: string,
  specNamed: (name: string) => OperationSpec | undefined,
): FieldError[] {
  const specs = steps.map(({ operation }) => specNamed(operation));
  return steps.flatMap(({ input }, index) => {
    const field = `steps.${index}`;
    const spec = specs[index];
    if (spec === undefined) return [{ field: `${field}.operation`, message: 'is no operation' }];
    if (spec.catalogue !== null && spec.catalogue !== catalogue) {
      return [{ field: `${field}.operation`, message: `is no operation of ${catalogue}` }];
    }
    if (!canBeStep(spec)) return [{ field: `${field}.operation`, message: 'cannot be the step of a routine' }];
    const references = referencesOf(input);
    return [
      ...references.flatMap((placed) => referenceMistakes(placed, index, specs, `${field}.input`)),
      ...inputMistakes(spec, input, references, `${field}.input`),
    ];
  });
}

/** Not what would make routines of routines, nor shows a secret that nobody could be shown (P5), nor is bytes. */
export const canBeStep = ({ inRoutines, showsSecret, streams, http }: OperationSpec): boolean =>
  inRoutines !== false && showsSecret !== true && streams === undefined && http.upload === undefined;

function referenceMistakes(
  { field, reference }: PlacedReference,
  index: number,
  specs: readonly (OperationSpec | undefined)[],
  prefix: string,
): FieldError[] {
  const wrong = (message: string): FieldError[] => [{ field: field === '' ? prefix : `${prefix}.${field}`, message }];
  if (field === '') return wrong('must be an object of fields, each a value or a reference');
  switch (reference.kind) {
    case 'malformed':
      return wrong(`$from must be a path like steps.0.items.0.id, or one of ${RUN_FACTS.join(', ')}`);
    case 'fact':
      return [];
    case 'answer': {
      if (reference.step >= index) return wrong('$from must name an earlier step');
      const answer = specs[reference.step]?.output;
      const missing = answer === undefined ? null : missingMember(answer, reference.path);
      return missing === null ? [] : wrong(`$from names ${missing}, which step ${reference.step} does not answer`);
    }
    default:
      return unknownReference(reference);
  }
}

type Schema = {
  readonly properties?: Readonly<Record<string, object>>;
  readonly items?: object;
};

/** The first member on the path that the schema of an answer, as far as it tells, does not have. */
function missingMember(schema: Schema, path: readonly string[]): string | null {
  let at: Schema | undefined = schema;
  for (const segment of path) {
    if (at?.properties !== undefined) {
      if (!Object.hasOwn(at.properties, segment)) return segment;
      at = at.properties[segment];
    } else if (at?.items !== undefined) {
      if (!/^\d+$/.test(segment)) return segment;
      at = at.items;
    } else return null;
  }
  return null;
}

/** What the operation's own class says of the literal part; what a reference may mend is not held against it. */
function inputMistakes(
  spec: OperationSpec,
  input: Step['input'],
  references: readonly PlacedReference[],
  prefix: string,
): FieldError[] {
  const parsed = parseInput(spec.input, literalPart(input));
  if (!isProblem(parsed)) return [];
  const open = references.map(({ field }) => field);
  const around = (a: string, b: string): boolean => a === b || a.startsWith(`${b}.`);
  return (parsed.errors ?? [{ field: '', message: parsed.detail }])
    .filter(({ field }) => !open.some((other) => field !== '' && (around(field, other) || around(other, field))))
    .map(({ field, message }) => ({ field: field === '' ? prefix : `${prefix}.${field}`, message }));
}

function unknownReference(reference: never): never {
  throw new Error(`unknown reference ${JSON.stringify(reference)}`);
}
