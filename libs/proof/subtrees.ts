/**
 * A subtree that is full and aligned: the leaves from `index * 2**level`, `2**level` of them. Every range of leaves is
 * a short row of such subtrees, and their hashes never change once the tree has grown over them.
 */
export interface Subtree {
  readonly level: number;
  readonly index: number;
}

/** The fewest full subtrees that cover the leaves [from, to), left to right. */
export function subtreesOf(from: number, to: number): Subtree[] {
  const subtrees: Subtree[] = [];
  let at = from;
  while (at < to) {
    let level = 0;
    let width = 1;
    while (at % (2 * width) === 0 && at + 2 * width <= to) {
      level++;
      width *= 2;
    }
    subtrees.push({ level, index: at / width });
    at += width;
  }
  return subtrees;
}
