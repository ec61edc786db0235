import type { Step } from './events.ts';

/**
 * References in a step's input: `{"$from": "steps.0.items.0.id"}`, an object of that one member, stands for a value of
 * an earlier step's answer; `{"$from": "run.day"}` for a fact of the run. A path is member names and list places, and
 * nothing else: it is looked up, never evaluated.
 */
const FROM = '$from';
const SEGMENT = /^[A-Za-z0-9_-]{1,64}$/;
const LONGEST_PATH = 200;
const PLACE = /^\d{1,6}$/;

/** What a run knows of itself. */
export const RUN_FACTS = ['run.id', 'run.slot', 'run.day', 'routine.id', 'routine.name'] as const;
export type RunFact = (typeof RUN_FACTS)[number];

export type Reference =
  | { readonly kind: 'answer'; readonly text: string; readonly step: number; readonly path: readonly string[] }
  | { readonly kind: 'fact'; readonly text: RunFact }
  | { readonly kind: 'malformed' };

/** A reference and where in the input it stands: `limits.reads`; empty: the input itself. */
export interface PlacedReference {
  readonly field: string;
  readonly reference: Reference;
}

export function referencesOf(input: unknown, field = ''): PlacedReference[] {
  if (typeof input !== 'object' || input === null) return [];
  if (Object.hasOwn(input, FROM)) return [{ field, reference: parseReference(input as Record<string, unknown>) }];
  return Object.entries(input).flatMap(([key, value]) => referencesOf(value, field === '' ? key : `${field}.${key}`));
}

function parseReference(holder: Readonly<Record<string, unknown>>): Reference {
  const text = holder[FROM];
  if (typeof text !== 'string' || Object.keys(holder).length > 1 || text.length > LONGEST_PATH) {
    return { kind: 'malformed' };
  }
  if (isFact(text)) return { kind: 'fact', text };
  const [root, step = '', ...path] = text.split('.');
  if (root !== 'steps' || !PLACE.test(step) || !path.every((segment) => SEGMENT.test(segment))) {
    return { kind: 'malformed' };
  }
  return { kind: 'answer', text, step: Number(step), path };
}

const isFact = (text: string): text is RunFact => (RUN_FACTS as readonly string[]).includes(text);

/** The references of later steps to this one's answer: all of it that has to be kept. */
export function referencesTo(index: number, steps: readonly Step[]): Extract<Reference, { kind: 'answer' }>[] {
  return steps
    .slice(index + 1)
    .flatMap(({ input }) => referencesOf(input))
    .map(({ reference }) => reference)
    .filter((reference) => reference.kind === 'answer')
    .filter(({ step }) => step === index);
}

/** The value at a path, own members only; undefined: there is none. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  let at: unknown = value;
  for (const segment of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, segment)) return undefined;
    if (Array.isArray(at) && !PLACE.test(segment)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[segment];
  }
  return at;
}

export type Resolved =
  | { readonly kind: 'resolved'; readonly input: Record<string, unknown> }
  | { readonly kind: 'unresolved'; readonly text: string };

/** The input with each reference replaced by its value, known by the reference's text. */
export function resolve(input: Step['input'], values: ReadonlyMap<string, unknown>): Resolved {
  for (const { reference } of referencesOf(input)) {
    if (reference.kind === 'malformed') return { kind: 'unresolved', text: '' };
    if (values.get(reference.text) === undefined) return { kind: 'unresolved', text: reference.text };
  }
  return { kind: 'resolved', input: replace(input, values) as Record<string, unknown> };
}

function replace(value: unknown, values: ReadonlyMap<string, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((member) => replace(member, values));
  if (Object.hasOwn(value, FROM)) return values.get((value as Record<string, string>)[FROM] ?? '');
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, replace(member, values)]));
}

/** The input without what its references stand for: what can be checked before there is a run. */
export function literalPart(input: Step['input']): Record<string, unknown> {
  const strip = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.filter((member) => !isReference(member)).map(strip);
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, member]) => !isReference(member))
        .map(([key, member]) => [key, strip(member)]),
    );
  };
  return strip(input) as Record<string, unknown>;
}

const isReference = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, FROM);
