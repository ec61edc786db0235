import { hotViewContract } from '../../../test/contract/hot-view.contract.ts';
import { MemoryHotView } from './memory-hot-view.ts';

hotViewContract('memory', async () => {
  let nowMs = 1_800_000_000_000;
  return {
    view: new MemoryHotView(() => nowMs),
    advance: (ms) => {
      nowMs += ms;
    },
    nowMs: () => nowMs,
  };
});
