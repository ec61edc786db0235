import { describe, expect, it } from '@jest/globals';
import { addToList, parseCount, parseDuration, parseRequestId, parseTime, parseTokenId } from './arguments.ts';
import { WrongUsage } from './failures.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z');
const ID = '01J9ZK3V8Q6T4W2Y0B7D5F1G3H';

describe('what people type', () => {
  it.each([
    ['90s', 90],
    ['45m', 2_700],
    ['12h', 43_200],
    ['30d', 2_592_000],
    ['2w', 1_209_600],
  ])('reads %s as %d seconds', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each(['', '5', 'h', '1.5h', '-1h', '1 h', '1y', '1h30m'])('refuses the duration %j', (text) => {
    expect(() => parseDuration(text)).toThrow(WrongUsage);
  });

  it.each([
    ['12h', '2026-11-25T00:00:00.000Z'],
    ['2027-01-31T12:00:00+01:00', '2027-01-31T11:00:00.000Z'],
    ['2027-01-31t12:00:00z', '2027-01-31T12:00:00.000Z'],
  ])('reads %s as %s', (text, time) => {
    expect(parseTime(text, NOW)).toBe(time);
  });

  it.each(['tomorrow', '2027-01-31', '2027-01-31T12:00:00', '2027-13-31T12:00:00Z', '999999999w'])(
    'refuses the time %j',
    (text) => {
      expect(() => parseTime(text, NOW)).toThrow(WrongUsage);
    },
  );

  it.each(['0', '-1', '1.5', '1e12', 'NaN', '', '9999999999'])('refuses the count %j', (text) => {
    expect(() => parseCount(text, '--reads')).toThrow(WrongUsage);
  });

  it('takes lists repeated or by commas', () => {
    expect(addToList('c', addToList('a, b,'))).toEqual(['a', 'b', 'c']);
  });

  it.each(['', ID.toLowerCase(), `${ID}0`, '../me', `${ID}/rotate`])('refuses the id %j', (text) => {
    expect(() => parseTokenId(text)).toThrow(WrongUsage);
    expect(() => parseRequestId(text)).toThrow(WrongUsage);
  });

  it('P5 tells the id of a token pasted instead of it, and repeats no secret', () => {
    const secret = 'aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dEabcdef';
    expect(() => parseTokenId(`comma_sk_${ID}${secret}`)).toThrow(ID);
    for (const parse of [parseTokenId, parseRequestId, parseDuration, (text: string) => parseCount(text, '--reads')]) {
      expect(() => parse(`comma_sk_${ID}${secret}`)).not.toThrow(secret);
    }
  });
});
