import { expect, it } from '@jest/globals';
import { ceilingContract } from '../../../test/contract/ceiling.contract.ts';
import { hotViewContract, type OpenedView, viewToken } from '../../../test/contract/hot-view.contract.ts';
import { MemoryHotView } from './memory-hot-view.ts';

const openForContract = async (): Promise<OpenedView> => {
  let nowMs = 1_800_000_000_000;
  return {
    view: new MemoryHotView(
      () => nowMs,
      () => nowMs,
    ),
    advance: (ms) => {
      nowMs += ms;
    },
    nowMs: () => nowMs,
  };
};
hotViewContract('memory', openForContract);
ceilingContract('memory', openForContract);

it('P2 an expiry that has passed by the wall clock has passed, however far the view’s own lags', async () => {
  const [viewMs, wallMs] = [1_800_000_000_000, 1_800_000_600_000];
  const view = new MemoryHotView(
    () => viewMs,
    () => wallMs,
  );
  view.certify(null);
  const token = viewToken({ expiresAtMs: wallMs - 1 });
  view.put([token]);
  const request = { id: token.id, digest: token.digest, scope: null, cost: { reads: 1, writes: 0, handshakes: 0 } };
  expect(view.admit(request)).toMatchObject({ kind: 'refused', reason: 'expired' });
});
