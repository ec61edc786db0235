import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RecordedEvent } from '../event-log/event-log.ts';
import { canonicalEvent } from './canonical-event.ts';
import { checkpointText } from './checkpoint.ts';
import { base64Of, eventLine, type ExportFilter } from './export-lines.ts';
import { Frontier } from './frontier.ts';
import { type Hash, leafHash } from './hash.ts';
import { noteOf, signatureLine, signerOf } from './note.ts';
import { type Subtree, subtreesOf } from './subtrees.ts';
import { JOURNALS_STREAM, tallyName, UsesOfToken } from './tally.ts';
import { ExportVerifier, type Verdict } from './verify-export.ts';

const signer = signerOf('writ.example/log', 'ed25519', Buffer.alloc(32, 1));
const JOURNAL = 'usage-01BOOT-2026-11-24';
const [MINE, OTHER] = ['01MINE', '01OTHER'];

const event = (index: number, type: string, stream: string, revision: number, data: unknown): RecordedEvent => ({
  id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
  type,
  stream,
  revision,
  position: index * 10,
  recordedAt: Date.UTC(2026, 10, 24, 12, 0, index),
  data,
  metadata: { $correlationId: `r${index}`, $causationId: `r${index}`, schema: 1 },
});

/** A journal of uses by two tokens, tallied every five uses. */
function logOf(calls: readonly string[]): RecordedEvent[] {
  const events = [event(0, 'JournalOpened', JOURNALS_STREAM, 0, { journal: JOURNAL, at: '' })];
  let uses = new Map<string, UsesOfToken>();
  let from = 0;
  const add = (type: string, data: object): void => {
    events.push(event(events.length, type, JOURNAL, events.length - 1, data));
  };
  calls.forEach((token, index) => {
    add('TokenUsed', { token });
    const ofToken = uses.get(token) ?? new UsesOfToken();
    uses.set(token, ofToken);
    ofToken.add(events.at(-1)!.id);
    if (index % 5 !== 4) return;
    const tokens = Object.fromEntries([...uses].map(([id, of]) => [tallyName(id), of.tally()]));
    add('UsesTallied', { from_revision: from, since: '2026-11-24T12:00:00.000Z', tokens, last: false, at: '' });
    from = events.length - 1;
    uses = new Map();
  });
  return events;
}

const shownTo = (token: string | undefined) => (one: RecordedEvent) =>
  token === undefined || one.type !== 'TokenUsed' || (one.data as { token: string }).token === token;

/** An honest exporter, but for what it is told to hide. */
function exportOf(events: RecordedEvent[], filter: ExportFilter, hide: (leaf: number) => boolean = () => false) {
  const texts = events.map(canonicalEvent);
  const frontier = new Frontier();
  texts.forEach((text) => frontier.append(leafHash(text)));
  const text = checkpointText({ origin: signer.name, size: texts.length, root: frontier.root() });
  const checkpoint = noteOf(text, [signatureLine(text, signer)]);
  const lines = [JSON.stringify({ kind: 'export', format: 'writ-export/v1', checkpoint, filter, made_at: '' })];
  const hashesOf = (from: number, to: number): string[] => subtreesOf(from, to).map((one) => base64Of(fullHash(one)));
  const fullHash = ({ level, index }: Subtree): Hash => {
    const part = new Frontier();
    for (let leaf = index * 2 ** level; leaf < (index + 1) * 2 ** level; leaf++) part.append(leafHash(texts[leaf]!));
    return part.root();
  };
  let hiddenFrom: number | null = null;
  let shown = 0;
  for (const [leaf, one] of events.entries()) {
    if (!shownTo(filter.token)(one) || hide(leaf)) {
      hiddenFrom ??= leaf;
      continue;
    }
    if (hiddenFrom !== null) {
      lines.push(JSON.stringify({ kind: 'hidden', from: hiddenFrom, to: leaf, hashes: hashesOf(hiddenFrom, leaf) }));
    }
    hiddenFrom = null;
    shown++;
    lines.push(eventLine({ leaf, hash: base64Of(leafHash(texts[leaf]!)), event: texts[leaf]! }));
  }
  if (hiddenFrom !== null) {
    const to = events.length;
    lines.push(JSON.stringify({ kind: 'hidden', from: hiddenFrom, to, hashes: hashesOf(hiddenFrom, to) }));
  }
  lines.push(JSON.stringify({ kind: 'end', events: shown, sha256: shaOf(lines) }));
  return lines;
}

const shaOf = (lines: readonly string[]): string => hash('sha256', lines.map((line) => `${line}\n`).join(''), 'hex');

/** Some lines fall into several cuts, and some cuts hold several lines. */
const CUT_BYTES = 700;

function verify(lines: readonly string[], keys = [signer]): Verdict {
  const verifier = new ExportVerifier(keys);
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  for (let from = 0; from < bytes.length; from += CUT_BYTES) verifier.write(bytes.subarray(from, from + CUT_BYTES));
  return verifier.finish();
}

/** The end line as it should be after a forger has been through. */
const reended = (lines: readonly string[]): string[] => {
  const body = lines.slice(0, -1);
  const events = body.filter((line) => line.startsWith('{"kind":"event"')).length;
  return [...body, JSON.stringify({ kind: 'end', events, sha256: shaOf(body) })];
};

const kinds = ({ findings }: Verdict): string[] => findings.map(({ kind }) => kind);
const uses = Array.from({ length: 43 }, (_, index) => (index % 3 === 0 ? MINE : OTHER));

describe('verifying an export', () => {
  it('P9 an honest one is sound, whole or of one token', () => {
    const whole = verify(exportOf(logOf(uses), {}));
    expect(whole).toMatchObject({ findings: [], events: 52, hidden: 0, completeness: 'proved' });
    const mine = verify(exportOf(logOf(uses), { token: MINE }));
    expect(mine).toMatchObject({ findings: [], events: 24, hidden: 28, completeness: 'proved' });
    const byType = verify(exportOf(logOf(uses), { type: 'TokenUsed' }));
    expect(byType.completeness).toBe('proved');
  });

  it('P9 one event edited, dropped, added or moved is named', () => {
    const lines = exportOf(logOf(uses), {});
    const edited = lines.with(8, lines[8]!.replace(OTHER, MINE));
    expect(verify(reended(edited)).findings).toContainEqual({ kind: 'altered', line: 9, leaf: 7 });
    const dropped = lines.toSpliced(7, 1);
    expect(verify(reended(dropped)).findings).toEqual([{ kind: 'dropped', from: 6, to: 7 }]);
    const added = lines.toSpliced(7, 0, lines[6]!);
    expect(verify(reended(added)).findings).toEqual([{ kind: 'added', line: 8, leaf: 5 }]);
    const moved = lines.with(7, lines[9]!).with(9, lines[7]!);
    expect(verify(reended(moved)).findings).toContainEqual({ kind: 'reordered', line: 10, leaf: 6 });
  });

  it('P9 a forger who mends hash, count and SHA-256 still does not have the signed root', () => {
    const lines = exportOf(logOf(uses), {});
    const text = canonicalEvent(logOf(uses)[7]!).replace(OTHER, MINE);
    const forged = lines.with(8, eventLine({ leaf: 7, hash: base64Of(leafHash(text)), event: text }));
    expect(kinds(verify(reended(forged)))).toEqual(['root_differs']);
  });

  it('P9 any one byte changed, anywhere, is found', () => {
    const text = exportOf(logOf(uses.slice(0, 9)), { token: MINE }).join('\n');
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 1, max: 94 }), (at, by) => {
        const changed = String.fromCharCode(32 + ((text.charCodeAt(at) - 32 + by + 95) % 95));
        const lines = (text.slice(0, at) + changed + text.slice(at + 1)).split('\n');
        expect(verify(lines).findings).not.toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('P9 a use hidden from an export of one token is found by its journal’s tally', () => {
    const hideOne = exportOf(logOf(uses), { token: MINE }, (leaf) => leaf === 8);
    expect(verify(hideOne).findings).toEqual([
      { kind: 'incomplete', journal: JOURNAL, reason: 'it tallied 2 uses up to revision 11; 1 are shown' },
    ]);
    const hideTally = exportOf(logOf(uses), { token: MINE }, (leaf) => leaf === 6 || leaf === 4);
    expect(kinds(verify(hideTally))).toEqual(['incomplete']);
    // All that a tally counts, and the tally with it.
    const hideStretch = exportOf(logOf(uses), { token: MINE }, (leaf) => [1, 4, 6].includes(leaf));
    expect(kinds(verify(hideStretch))).toEqual(['incomplete']);
  });

  it('P9 a use that stands in the log in the place of another is found by its journal’s tally', () => {
    const events = logOf(uses);
    const forged = events.with(8, { ...events[8]!, id: '00000000-0000-4000-8000-00000000f0f0' });
    expect(verify(exportOf(forged, { token: MINE })).findings).toEqual([
      { kind: 'incomplete', journal: JOURNAL, reason: 'it tallied 2 uses up to revision 11; 2 are shown' },
    ]);
  });

  it('P9 an export cut short, unsigned, or signed by another key is none', () => {
    const lines = exportOf(logOf(uses), {});
    expect(kinds(verify(lines.slice(0, 20)))).toContain('cut_short');
    expect(kinds(verify(lines, []))).toEqual(['unsigned']);
    expect(kinds(verify(lines, [signerOf('writ.example/log', 'ed25519', Buffer.alloc(32, 2))]))).toEqual(['unsigned']);
    const head = JSON.parse(lines[0]!) as { checkpoint: string };
    const unfiltered = JSON.stringify({ ...head, filter: undefined });
    expect(kinds(verify(reended(lines.with(0, unfiltered))))).toContain('unreadable');
    const larger = head.checkpoint.replace('\n52\n', '\n53\n');
    expect(kinds(verify(reended(lines.with(0, JSON.stringify({ ...head, checkpoint: larger })))))).toContain(
      'unsigned',
    );
  });
});
