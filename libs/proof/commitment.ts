import { hash } from 'node:crypto';
import type { OpenedValues } from './export-lines.ts';

/** Binds whoever told it to the values, and tells nothing of them to who has not the salt. Base64. */
export const commitmentTo = (salt: string, values: readonly string[]): string =>
  hash('sha256', salt + JSON.stringify(values), 'base64');

interface Sealed {
  readonly person: string;
  readonly commitment: string;
}

/** Whether these are the values that were sealed in an event (its canonical form), each under its commitment. */
export function wasSealed(event: string, opened: readonly OpenedValues[]): boolean {
  const sealed = sealedIn(event);
  return opened.every(({ person, values, salt }) =>
    sealed.some((each) => each.person === person && each.commitment === commitmentTo(salt, values)),
  );
}

/** None where it is no event, or one that holds nothing sealed. */
function sealedIn(event: string): readonly Sealed[] {
  try {
    const { metadata } = JSON.parse(event) as { readonly metadata: { readonly sealed?: readonly Sealed[] } };
    return metadata.sealed ?? [];
  } catch {
    return [];
  }
}
