import { describe, expect, it } from '@jest/globals';
import { checkpointText, parseCheckpoint } from './checkpoint.ts';
import { leafHash } from './hash.ts';
import {
  formatVerifier,
  noteOf,
  parseNote,
  parseVerifier,
  signatureLine,
  signaturesOn,
  signerOf,
  type Verifier,
} from './note.ts';

/** The example of golang.org/x/mod/sumdb/note. */
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const ANSWER =
  'If you think cryptography is the answer to your problem,\n' +
  "then you don't know what your problem is.\n" +
  '\n' +
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';

const peter = parseVerifier(PETER) as Verifier;
const log = signerOf('writ.example/log', 'ed25519', Buffer.alloc(32, 7));
const witness = signerOf('witness.example/w1', 'cosignature', Buffer.alloc(32, 9));
const text = checkpointText({ origin: 'writ.example/log', size: 42, root: leafHash('root') });

describe('signed notes', () => {
  it('P9 a note signed by others is verified', () => {
    expect(formatVerifier(peter)).toBe(PETER);
    expect(signaturesOn(parseNote(ANSWER)!, [peter])).toEqual([{ kind: 'signed', by: peter, unixSeconds: null }]);
  });

  it('P9 a changed text, or a signature of another key under the same name, is forged', () => {
    const edited = parseNote(ANSWER.replace('problem,', 'problems,'))!;
    expect(signaturesOn(edited, [peter])).toMatchObject([{ kind: 'forged' }]);
    const note = parseNote(noteOf(text, [signatureLine(text, log)]))!;
    const impostor = { ...log, key: peter.key };
    expect(signaturesOn(note, [impostor])).toMatchObject([{ kind: 'forged' }]);
    expect(signaturesOn(note, [peter])).toEqual([]);
  });

  it('P9 log and witness sign the same checkpoint, each in its own way', () => {
    const note = parseNote(noteOf(text, [signatureLine(text, log), signatureLine(text, witness, 1_679_315_147)]))!;
    expect(note.text).toBe(text);
    expect(signaturesOn(note, [log, witness])).toMatchObject([
      { kind: 'signed', unixSeconds: null },
      { kind: 'signed', unixSeconds: 1_679_315_147 },
    ]);
    expect(parseVerifier(formatVerifier(witness))).toMatchObject({ type: 'cosignature', keyId: witness.keyId });
  });

  it.each([
    ['no blank line', text],
    ['no last newline', noteOf(text, [signatureLine(text, log)]).trimEnd()],
    ['a control character', noteOf(text.replace('42', '4\t2'), [signatureLine(text, log)])],
    ['a line that is no signature', noteOf(text, ['- writ.example/log AAAA\n'])],
    ['more signatures than anyone reads', noteOf(text, Array(101).fill(signatureLine(text, log)))],
  ])('is none: %s', (_, note) => expect(parseNote(note)).toBeNull());

  it.each([PETER.replace('c74f20a3', 'c74f20a4'), 'PeterNeumann+c74f20a3', '', 'a b+c74f20a3+AAAA'])(
    '%s is no key',
    (key) => expect(parseVerifier(key)).toBeNull(),
  );
});

describe('checkpoints', () => {
  it('are written and read the one way', () => {
    expect(checkpointText(parseCheckpoint(text)!)).toBe(text);
    expect(parseCheckpoint(`${text}extension\n`)).toMatchObject({ size: 42 });
  });

  it.each([
    '',
    'a\n1\n',
    text.replace('42', '042'),
    text.replace('42', '-1'),
    text.replace('=', ''),
    `${text}\n`,
    text.trimEnd(),
  ])('%j is none', (bad) => expect(parseCheckpoint(bad)).toBeNull());
});
