import { describe, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonicalEvent, canonicalJson } from './canonical-event.ts';

describe('the canonical form of an event', () => {
  it('P9 is that of RFC 8785, whatever the order and names of its members', () => {
    const value = fc.jsonValue({ stringUnit: 'grapheme' });
    fc.assert(
      fc.property(value, (json) => {
        expect(canonicalJson(json)).toBe(canonicalize(json));
        expect(canonicalJson(JSON.parse(canonicalJson(json)))).toBe(canonicalJson(json));
      }),
    );
    expect(canonicalJson({ '10': 1, '9': 2, b: 1e21, a: [0.1, -0], é: 'é' })).toBe(
      '{"10":1,"9":2,"a":[0.1,0],"b":1e+21,"é":"é"}',
    );
    expect(canonicalJson(JSON.parse('{"b":1,"__proto__":2}'))).toBe('{"__proto__":2,"b":1}');
  });

  it('P9 says the same of an event, wherever its log has put it', () => {
    const event = {
      stream: 'token-01',
      revision: 3,
      id: '6f2f1d7e-6d1a-4a2b-8f53-0d6f3b7f9f11',
      type: 'TokenRevoked',
      recordedAt: Date.UTC(2026, 10, 24),
      data: { at: '2026-11-24T00:00:00.000Z', reason: 'leak' },
      metadata: { $correlationId: 'c', $causationId: 'c', schema: 1 },
    };
    const text = canonicalEvent({ ...event, position: 17 });
    expect(text).toBe(canonicalEvent({ position: 99_000, ...event, data: { reason: 'leak', at: event.data.at } }));
    expect(text).toBe(
      '{"data":{"at":"2026-11-24T00:00:00.000Z","reason":"leak"},"id":"6f2f1d7e-6d1a-4a2b-8f53-0d6f3b7f9f11",' +
        '"metadata":{"$causationId":"c","$correlationId":"c","schema":1},"revision":3,"stream":"token-01",' +
        '"time":"2026-11-24T00:00:00.000Z","type":"TokenRevoked"}',
    );
  });
});
