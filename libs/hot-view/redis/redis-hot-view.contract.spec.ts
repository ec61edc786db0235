import { afterAll, beforeAll } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ceilingContract } from '../../../test/contract/ceiling.contract.ts';
import { hotViewContract, type OpenedView } from '../../../test/contract/hot-view.contract.ts';
import { startRedis, type TestRedis } from '../../../test/support/redis.ts';
import { RedisHotView } from './redis-hot-view.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis('hot view: redis');
}, 300_000);
afterAll(() => redis.stop());

// A namespace for each test; the clock is the server's, moved by an offset, and no beat ever grows stale.
const openForContract = async (): Promise<OpenedView> => {
  let offsetMs = 0;
  const view = await RedisHotView.open({
    url: redis.url,
    namespace: `test-${randomUUID()}`,
    clockOffsetMs: () => offsetMs,
    wallClock: () => Date.now() + offsetMs,
    staleMs: 1_000_000_000,
  });
  return {
    view,
    advance: (ms) => {
      offsetMs += ms;
    },
    nowMs: () => Date.now() + offsetMs,
  };
};
hotViewContract('redis', openForContract);
ceilingContract('redis', openForContract);
