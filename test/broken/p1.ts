import type { Breakage } from './breakage.ts';

export const P1: readonly Breakage[] = [
  {
    broken: 'A call is answered while the journal still waits for the log.',
    file: 'libs/usage/journal.ts',
    text: 'return new Promise((resolve, reject) => {\n',
    replacement: 'return new Promise((resolve, reject) => {\n      resolve();\n',
    spec: 'libs/usage/journal.spec.ts',
  },
  {
    broken: 'A read is answered and never handed to the journal.',
    file: 'libs/gate/gate.ts',
    text: 'if (admitted?.itemised !== true) {',
    replacement: "if (admitted?.itemised !== true && spec.effect !== 'reads') {",
    spec: 'libs/gate/gate.spec.ts',
  },
  {
    broken: 'A use that the log did not take is answered all the same.',
    file: 'libs/usage/journal.ts',
    text: 'for (const { reject } of batch) reject(failure);',
    replacement: 'for (const { resolve } of batch) resolve();',
    spec: 'libs/gate/gate.spec.ts',
  },
  {
    broken: 'Of a token’s refusals only the first of a minute has an event of its own.',
    file: 'libs/usage/denials.ts',
    text: 'const SINGLY_RECORDED = 20;',
    replacement: 'const SINGLY_RECORDED = 1;',
    spec: 'libs/gate/gate.spec.ts',
  },
  {
    broken: 'A write’s event does not say which use of a token it was.',
    file: 'libs/gate/call.ts',
    text: "      use: this.use('allowed', null, status, resource),\n",
    replacement: '',
    spec: 'test/e2e/toado-tickets.spec.ts',
  },
  {
    broken: 'The embedded log says that it has stored what it has not committed yet; killed, it loses that.',
    file: 'libs/event-log/sqlite/sqlite-writer.worker.ts',
    text: `db.exec('BEGIN IMMEDIATE');
      const results = requests.map(append);
      committing = true;
      db.exec('COMMIT');`,
    replacement: `if (!db.isTransaction) db.exec('BEGIN IMMEDIATE');
      const results = requests.map(append);
      committing = true;
      setTimeout(() => db.isTransaction && db.exec('COMMIT'), 100);`,
    spec: 'libs/event-log/sqlite/sqlite-event-log.spec.ts',
  },
  {
    broken: 'An append whose answer was lost is taken for not stored, though nobody knows.',
    file: 'libs/event-log/eventstoredb/append-failure.ts',
    text: "if (code !== undefined) return { kind: 'unknown' };",
    replacement: "if (code !== undefined) return { kind: 'not-stored' };",
    spec: 'libs/event-log/eventstoredb/append-failure.spec.ts',
  },
  {
    broken: 'A stream of changes is on record only once it has ended.',
    file: 'libs/gate/gate.ts',
    text: 'if (!isProblem(result) && result.position !== undefined && result.position !== null) return;',
    replacement:
      'if (!isProblem(result) && (result.content !== undefined || (result.position !== undefined && result.position !== null))) return;',
    spec: 'libs/gate/gate.spec.ts',
  },
  {
    broken: 'A process that others took for dead answers a call whose use it has not stored.',
    file: 'libs/usage/journal.ts',
    text: 'if (entries.length > 0) await this.#segmentOf(today).append(entries);',
    replacement: '',
    spec: 'libs/usage/journal.spec.ts',
  },
  {
    broken: 'An append that is repeated, because its answer was lost, is told that it failed.',
    file: 'libs/event-log/sqlite/sqlite-writer.worker.ts',
    text: 'if (found !== undefined && at !== head && events.length > 0) {',
    replacement: 'if (found !== undefined && at !== head && events.length > 1_000) {',
    spec: 'libs/event-log/sqlite/sqlite-event-log.contract.spec.ts',
  },
];
