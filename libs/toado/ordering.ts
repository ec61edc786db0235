import { generateKeyBetween } from 'fractional-indexing';

/**
 * Positions in a column, or of columns in a project: texts compared byte by byte. Between any two there is another,
 * so putting one thing in its place never renumbers the others.
 */

/** Where to put something: at an end, or beside another. */
export type Placement = 'first' | 'last' | { readonly before: string } | { readonly after: string };

/** The positions something goes between; null: nothing is there. */
export interface Gap {
  readonly lower: string | null;
  readonly upper: string | null;
}

/**
 * A position in a gap. `scatter` (text of at least 6 characters, random) keeps two that are put into one gap at the
 * same time apart: 5 bits of each character choose one half of what is left, 30 bits in all. Where two neighbours do
 * share a position, so does what goes between them.
 */
export function positionIn(gap: Gap, scatter: string | null = null): string {
  const { lower, upper } = gap;
  if (lower !== null && upper !== null && lower >= upper) return lower;
  if (scatter === null) return generateKeyBetween(lower, upper);
  let [below, above] = boundsIn(gap);
  for (const character of scatter.slice(-SCATTER_CHARACTERS)) {
    for (let bit = 0; bit < BITS_A_CHARACTER; bit++) {
      const middle = generateKeyBetween(below, above);
      if ((character.charCodeAt(0) >> bit) & 1) below = middle;
      else above = middle;
    }
  }
  return generateKeyBetween(below, above);
}

/** At an open end a whole step of its own, so that positions do not grow with the number of those put there. */
function boundsIn({ lower, upper }: Gap): [string, string] {
  if (lower !== null && upper !== null) return [lower, upper];
  const step = generateKeyBetween(lower, upper);
  return upper === null ? [step, generateKeyBetween(step, null)] : [generateKeyBetween(null, step), step];
}

const SCATTER_CHARACTERS = 6;
const BITS_A_CHARACTER = 5;

export interface Placed {
  readonly id: string;
  readonly position: string;
}

/** Their order; ids decide between equals. */
export const inOrder = (a: Placed, b: Placed): number =>
  a.position === b.position ? (a.id < b.id ? -1 : 1) : a.position < b.position ? -1 : 1;

/** The gap a placement means among things, in any order; null: what it names is not there. */
export function gapAmong(things: readonly Placed[], placement: Placement): Gap | null {
  const positions = things.toSorted(inOrder);
  if (placement === 'first') return { lower: null, upper: positions[0]?.position ?? null };
  if (placement === 'last') return { lower: positions.at(-1)?.position ?? null, upper: null };
  const beside = 'before' in placement ? placement.before : placement.after;
  const index = positions.findIndex(({ id }) => id === beside);
  if (index === -1) return null;
  const lower = 'before' in placement ? index - 1 : index;
  return { lower: positions[lower]?.position ?? null, upper: positions[lower + 1]?.position ?? null };
}
