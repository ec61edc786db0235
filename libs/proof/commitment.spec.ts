import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { commitmentTo, wasSealed } from './commitment.ts';
import { eventLine, type OpenedValues, parseEventLine } from './export-lines.ts';

const salt = 'c2FsdA==';
const sealing = (person: string, values: readonly string[]): string =>
  JSON.stringify({ data: {}, metadata: { sealed: [{ person, commitment: commitmentTo(salt, values) }] } });

describe('what is shown beside a sealed event', () => {
  it('P9 is what was sealed, of that person, under that salt, in that order', () => {
    const event = sealing('p1', ['Ada', 'curl']);
    const was = (opened: OpenedValues): boolean => wasSealed(event, [opened]);
    expect(was({ person: 'p1', values: ['Ada', 'curl'], salt })).toBe(true);
    expect(was({ person: 'p2', values: ['Ada', 'curl'], salt })).toBe(false);
    expect(was({ person: 'p1', values: ['curl', 'Ada'], salt })).toBe(false);
    expect(was({ person: 'p1', values: ['Ada'], salt })).toBe(false);
    expect(was({ person: 'p1', values: ['Ada', 'curl'], salt: 'c2FsdB==' })).toBe(false);
    for (const none of ['{}', '[]', 'null', 'no JSON', '{"metadata":{}}'])
      expect(wasSealed(none, [{ person: 'p1', values: [], salt }])).toBe(false);
  });

  it('P9 is read from its line as it was written, whatever it says', () => {
    const text = fc.oneof(fc.string(), fc.constantFrom(',"event":{', '","event":{', ']', '"opened":[', '\\"'));
    const opened = fc.record({ person: text, values: fc.array(text), salt: text });
    fc.assert(
      fc.property(fc.nat(), fc.array(opened), fc.dictionary(text, text), (leaf, shown, data) => {
        const line = { leaf, hash: 'A'.repeat(43) + '=', event: JSON.stringify({ data }), opened: shown };
        expect(parseEventLine(Buffer.from(eventLine(line)))).toEqual({ ...line, event: Buffer.from(line.event) });
      }),
    );
  });

  it('is no line of an event where it is none of its shape', () => {
    const line = eventLine({ leaf: 1, hash: 'A'.repeat(43) + '=', event: '{"data":{}}', opened: [] });
    for (const opened of ['[null]', '[1]', '[{}]', '{}', '[', '[{"person":"p","values":"v","salt":"s"}]'])
      expect(parseEventLine(Buffer.from(line.replace('"opened":[]', `"opened":${opened}`)))).toBeNull();
  });
});
