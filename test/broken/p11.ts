import type { Breakage } from './breakage.ts';

export const P11: readonly Breakage[] = [
  {
    broken: 'Every refusal of a token is an event of its own.',
    file: 'libs/usage/denials.ts',
    text: 'const SINGLY_RECORDED = 20;',
    replacement: 'const SINGLY_RECORDED = 20_000;',
    spec: 'libs/usage/denials.spec.ts',
  },
  {
    broken: 'A flood from everywhere takes memory without bound.',
    file: 'libs/usage/denials.ts',
    text: 'const full = this.#tallies.size >= MOST_KEYS;',
    replacement: 'const full = this.#tallies.size >= MOST_KEYS * 1_000;',
    spec: 'libs/usage/denials.spec.ts',
  },
  {
    broken: 'A flood from one network is an event for each of its addresses.',
    file: 'libs/usage/denials.ts',
    text: 'const address = networkOf(denial.clientAddress);',
    replacement: 'const address = denial.clientAddress;',
    spec: 'libs/usage/denials.spec.ts',
  },
  {
    broken: 'Refusals beyond the bound are not counted at all.',
    file: 'libs/usage/denials.ts',
    text: 'tally.count++;',
    replacement: "if (tally.operation !== '*') tally.count++;",
    spec: 'libs/usage/denials.spec.ts',
  },
  {
    broken: 'While the log stands still, calls wait without bound.',
    file: 'libs/usage/journal.ts',
    text: 'const MOST_WAITING = 10_000;',
    replacement: 'const MOST_WAITING = 10_000_000;',
    spec: 'libs/usage/journal.spec.ts',
  },
  {
    broken: 'While the log stands still, calls wait for as long as it does.',
    file: 'libs/usage/journal.ts',
    text: ' || (oldest !== undefined && nowMs - oldest.sinceMs > LONGEST_WAIT_MS)',
    replacement: ' || (oldest !== undefined && nowMs < oldest.sinceMs)',
    spec: 'libs/usage/journal.spec.ts',
  },
  {
    broken: 'A token is refused as often as it likes, each time on record.',
    file: 'libs/hot-view/memory/memory-hot-view.ts',
    text: 'const withinRefusals = refusals.used(second) < REFUSALS_PER_MINUTE;',
    replacement: 'const withinRefusals = refusals.used(second) >= 0;',
    spec: 'libs/hot-view/memory/memory-hot-view.spec.ts',
  },
  {
    broken: 'A token is refused by Redis as often as it likes, each time on record.',
    file: 'libs/hot-view/redis/prelude.lua.ts',
    text: 'if used(refusals) >= ${REFUSALS_PER_MINUTE} then',
    replacement: 'if used(refusals) >= 1000000 then',
    spec: 'libs/hot-view/redis/redis-hot-view.contract.spec.ts',
  },
  {
    broken: 'A call that shows no credential is an event in the log.',
    file: 'libs/gate/gate.ts',
    text: "this.#denials.count({ token: null, reason: 'unknown', ...aggregateOf(spec, envelope) });",
    replacement: `this.#denials.count({ token: null, reason: 'unknown', ...aggregateOf(spec, envelope) });
    void this.#denials.flush();`,
    spec: 'libs/gate/gate.spec.ts',
  },
  {
    broken: 'A mistyped token is looked up.',
    file: 'libs/tokens/token-format.ts',
    text: 'if (checksum(text.slice(0, end)) !== text.slice(end)) return null;',
    replacement: '',
    spec: 'libs/tokens/token-format.spec.ts',
  },
  {
    broken: 'An over-long credential is read and hashed.',
    file: 'libs/gate/authenticate.ts',
    text: "if (value.length > MAX_TOKEN_LENGTH + 'Bearer '.length) return credentialTooLong();",
    replacement: '',
    spec: 'libs/gate/gate.spec.ts',
  },
  {
    broken: 'A token may hold as many MCP streams open as it likes.',
    file: 'libs/mcp/open-streams.ts',
    text: 'const MOST_STREAMS_A_TOKEN = 32;',
    replacement: 'const MOST_STREAMS_A_TOKEN = 3_200;',
    spec: 'test/e2e/mcp-streams.spec.ts',
  },
  {
    broken: 'Who knows a token’s id, and not its secret, fills up its refusals.',
    file: 'libs/hot-view/memory/memory-hot-view.ts',
    text: "if (entry === undefined || !known) return { kind: 'unknown' };",
    replacement:
      "if (entry === undefined) return { kind: 'unknown' };\n    if (!known) return this.#refuse(entry, 'revoked', 0, [], 1);",
    spec: 'libs/hot-view/memory/memory-hot-view.spec.ts',
  },
];
