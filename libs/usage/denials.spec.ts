import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import { type Denial, Denials } from './denials.ts';
import { networkOf } from './network.ts';
import type { TokenUsesDenied } from './use.ts';

const NOW = Date.parse('2026-01-01T12:00:00.000Z');
const unknown = (clientAddress: string): Denial => ({
  token: null,
  face: 'rest',
  operation: 'who_am_i',
  reason: 'unknown',
  clientAddress,
});

describe('P11 refusals are bounded', () => {
  let log: MemoryEventLog;
  let denials: Denials;
  let nowMs: number;
  const written = async (): Promise<TokenUsesDenied['data'][]> => {
    await denials.flush();
    return (await Array.fromAsync(log.readAll())).map(({ data }) => data as TokenUsesDenied['data']);
  };

  beforeEach(() => {
    log = new MemoryEventLog();
    nowMs = NOW;
    denials = new Denials(log, () => nowMs);
  });
  afterEach(() => denials.close());

  it('the first 20 of a token, a reason and a minute stand singly', () => {
    const single = Array.from({ length: 21 }, () => denials.isSingle('t', 'throttled'));
    expect(single).toEqual([...Array(20).fill(true), false]);
    expect(denials.isSingle('t', 'missing_scope')).toBe(true);
    expect(denials.isSingle('other', 'throttled')).toBe(true);
    nowMs += 60_000;
    expect(denials.isSingle('t', 'throttled')).toBe(true);
  });

  it('a flood from one network is one event', async () => {
    for (let call = 0; call < 10_000; call++) denials.count(unknown(`203.0.113.${call % 256}`));
    expect(await written()).toEqual([
      expect.objectContaining({ token: null, reason: 'unknown', address: '203.0.113.0/24', count: 10_000 }),
    ]);
  });

  it('a flood from everywhere is bounded, and none of it uncounted', async () => {
    for (let call = 0; call < 50_000; call++) denials.count(unknown(`10.${call % 250}.${Math.floor(call / 250)}.1`));
    const events = await written();
    expect(events.length).toBeLessThanOrEqual(4_097);
    expect(events.reduce((sum, { count }) => sum + count, 0)).toBe(50_000);
  });

  it('what the log does not take is kept for the next time', async () => {
    const append = log.append.bind(log);
    log.append = async () => Promise.reject(new Error('down'));
    denials.count(unknown('203.0.113.1'));
    await expect(denials.flush()).rejects.toThrow('down');
    log.append = append;
    denials.count(unknown('203.0.113.2'));
    expect(await written()).toEqual([expect.objectContaining({ count: 2 })]);
  });

  it.each([
    ['203.0.113.77', '203.0.113.0/24'],
    ['::ffff:203.0.113.77', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['nonsense', 'unknown'],
  ])('%s lies in %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
