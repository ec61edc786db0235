import type { Breakage } from './breakage.ts';

export const P10: readonly Breakage[] = [
  {
    broken: 'A token shown as it was on a day shows what happened to it since.',
    file: 'libs/tokens/load-token.ts',
    text: 'eventTimeMs(event) <= atMs;',
    replacement: 'eventTimeMs(event) <= atMs + 31_536_000_000;',
    spec: 'projections/token-uses/replay-agrees.spec.ts',
  },
  {
    broken: 'An expiry is held against today, whatever day is asked for.',
    file: 'libs/tokens/token.ts',
    text: "if (token.expiresAtMs !== null && token.expiresAtMs <= atMs) return 'expired';",
    replacement: "if (token.expiresAtMs !== null && token.expiresAtMs <= Date.now()) return 'expired';",
    spec: 'libs/tokens/decide.spec.ts',
  },
  {
    broken: 'The end of a rotation’s overlap waits for an event.',
    file: 'libs/tokens/token.ts',
    text: "if (retiresAtMs !== null && retiresAtMs <= atMs) return 'rotated';",
    replacement: '',
    spec: 'libs/tokens/decide.spec.ts',
  },
  {
    broken: 'A successor counts as active before its predecessor has named it.',
    file: 'libs/tokens/token.ts',
    text: "return activated ? token.status : 'inert';",
    replacement: "return activated || atMs > 0 ? token.status : 'inert';",
    spec: 'libs/tokens/decide.spec.ts',
  },
  {
    broken: 'A company’s limits of today are shown for a day before they were changed.',
    file: 'libs/tokens/company-limits.ts',
    text: 'if (eventTimeMs(event) > atMs) break;',
    replacement: '',
    spec: 'projections/token-uses/replay-agrees.spec.ts',
  },
  {
    broken: 'What was used at an instant counts uses that came after it.',
    file: 'projections/token-uses/queries.ts',
    text: "part === 'use' && time <= to);",
    replacement: "part === 'use');",
    spec: 'libs/read-db/pglite.spec.ts',
  },
  {
    broken: 'What was used at an instant leaves out the uses of the token before its rotation.',
    file: 'projections/token-uses/queries.ts',
    text: 'new Set([token, ...lineage])',
    replacement: 'new Set([token, ...lineage.slice(0, 0)])',
    spec: 'libs/read-db/pglite.spec.ts',
  },
  {
    broken: 'A replay from the log tells more than had happened by the instant.',
    file: 'libs/tokens/replay/token-replay.ts',
    text: 'if (lineageKey(id) !== this.#lineage || this.#isBeyond(event)) return false;',
    replacement: 'if (lineageKey(id) !== this.#lineage) return false;',
    spec: 'projections/token-uses/replay-agrees.spec.ts',
  },
  {
    broken: 'In the view an expiry waits for an event.',
    file: 'libs/hot-view/memory/memory-hot-view.ts',
    text: "if (token.expiresAtMs !== null && token.expiresAtMs <= nowMs) return 'expired';",
    replacement: '',
    spec: 'libs/hot-view/memory/memory-hot-view.spec.ts',
  },
  {
    broken: 'The record of a token at an instant shows its company’s limits of today.',
    file: 'libs/tokens/token-records.ts',
    text: 'return loadCompanyLimits(this.log, workspace, ids, atMs);',
    replacement: 'return loadCompanyLimits(this.log, workspace, ids);',
    spec: 'test/e2e/company-limits.spec.ts',
  },
];
