/**
 * The memory view alone: admissions a second and bytes per token at several sizes. Run as a process of its own with
 * --expose-gc; prints one line of JSON.
 */
import { MemoryHotView } from '../../libs/hot-view/memory/memory-hot-view.ts';
import { tokenDigest } from '../../libs/tokens/token-format.ts';
import { median } from './load.ts';
import { idOf, secretOf, tokenOf } from './made-tokens.ts';

export interface ViewFigures {
  readonly tokens: number;
  readonly admitsPerSecond: number;
  /** The digest of the shown token and then the admission, as every call does both. */
  readonly digestsAndAdmitsPerSecond: number;
  readonly bytesPerToken: number;
  readonly bytesPerWindow: number;
}

const SIZES = [1_000, 100_000, 1_000_000];
const PICKS = 100_000;
const PASSES = 5;
const PER_PUT = 1_000;
const COST = { reads: 1, writes: 0, handshakes: 0 };

const figures: ViewFigures[] = [];
for (const size of SIZES) figures.push(measure(size));
console.log(JSON.stringify(figures));

function measure(size: number): ViewFigures {
  const emptyBytes = memory();
  const view = new MemoryHotView();
  for (let start = 0; start < size; start += PER_PUT) {
    view.put(Array.from({ length: Math.min(PER_PUT, size - start) }, (_, index) => tokenOf(start + index)));
  }
  view.certify(null);
  const fullBytes = memory();

  // Texts of their own, as calls bring them; tokens from all over.
  const picks = Array.from({ length: PICKS }, () => {
    const index = Math.floor(Math.random() * size);
    return { id: idOf(index), text: secretOf(index), digest: tokenDigest(secretOf(index)), scope: null, cost: COST };
  });
  const touched = new Set(picks.map(({ id }) => id)).size;
  const beforeWindows = memory();
  for (const pick of picks) view.admit(pick);
  const windowBytes = memory() - beforeWindows;

  const admits = timed(() => {
    for (const pick of picks) admitted(view.admit(pick).kind);
  });
  const digestsAndAdmits = timed(() => {
    for (const pick of picks) admitted(view.admit({ ...pick, digest: tokenDigest(pick.text) }).kind);
  });
  return {
    tokens: size,
    admitsPerSecond: admits,
    digestsAndAdmitsPerSecond: digestsAndAdmits,
    bytesPerToken: (fullBytes - emptyBytes) / size,
    bytesPerWindow: windowBytes / touched,
  };
}

/** Of several passes over the picks, the middle one. */
function timed(pass: () => void): number {
  const perSecond = Array.from({ length: PASSES }, () => {
    const startedMs = performance.now();
    pass();
    return PICKS / ((performance.now() - startedMs) / 1000);
  });
  return median(perSecond);
}

function admitted(kind: string): void {
  if (kind !== 'admitted') throw new Error(`a call was not admitted: ${kind}`);
}

function memory(): number {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
