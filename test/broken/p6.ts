import type { Breakage } from './breakage.ts';

export const P6: readonly Breakage[] = [
  {
    broken: 'A view’s position is stored before its data: a crash between loses what lay there.',
    file: 'libs/projection/build-writer.ts',
    text: `await db.transaction().execute(async (trx) => {
      await moveCheckpoint(trx, move);
      await write(trx);
    });`,
    replacement: `await moveCheckpoint(db, move);
    await db.transaction().execute(write);`,
    spec: 'libs/read-db/pglite.spec.ts',
  },
  {
    broken: 'A former leader that wakes up late writes over what the new one has written.',
    file: 'libs/projection/builds.ts',
    text: ".where('position', 'is not distinct from', from)",
    replacement: '',
    spec: 'libs/read-db/pglite.spec.ts',
  },
  {
    broken: 'A view built from another log is taken for this one’s.',
    file: 'libs/projection/builds.ts',
    text: 'if (build.log_id !== logId || ahead || stale',
    replacement: 'if (ahead || stale',
    spec: 'libs/read-db/pglite.spec.ts',
    tests: 'P6 a read model of another log',
  },
  {
    broken: 'A view that is ahead of a log put back from a back-up goes on.',
    file: 'libs/projection/builds.ts',
    text: 'if (build.log_id !== logId || ahead || stale',
    replacement: 'if (build.log_id !== logId || stale',
    spec: 'libs/read-db/pglite.spec.ts',
  },
  {
    broken: 'A rebuild takes the old version’s place before it has caught up.',
    file: 'libs/projection/switch.ts',
    text: 'if (!(await writer.levelWith(trx, serving?.position ?? null))) throw new TooFarBehind();',
    replacement: '',
    spec: 'libs/projection/rebuild-pglite.spec.ts',
  },
  {
    broken: 'Verifying a view finds it the same, whatever it holds.',
    file: 'libs/projection/compare.ts',
    text: 'const same = ours.rows === anew.rows && ours.checksum === anew.checksum;',
    replacement: 'const same = ours.rows >= 0 && anew.rows >= 0;',
    spec: 'libs/projection/rebuild-pglite.spec.ts',
  },
  {
    broken: 'An event that cannot be applied is passed over, and nobody hears of it.',
    file: 'libs/projection/build-writer.ts',
    text: 'for (const one of parked) await park(trx, this.#build, one);\n        await this.#write(trx, buffer);',
    replacement: 'await this.#write(trx, buffer);',
    spec: 'libs/projection/rebuild-pglite.spec.ts',
  },
  {
    broken: 'What was moved to an archive is missing from a rebuild.',
    file: 'libs/retention/archived-log.ts',
    text: 'const events = inOrder([live, archived], backwards).slice(0, asked);',
    replacement: 'const events = inOrder([live, archived.slice(0, 0)], backwards).slice(0, asked);',
    spec: 'libs/retention/archived-log.spec.ts',
  },
  {
    broken: 'The view of live tokens is found sound by a verification, whatever it holds.',
    file: 'libs/hot-view/memory/memory-hot-view.ts',
    text: 'isDeepStrictEqual(value, written[name as keyof ViewToken]) ? [] : [name],',
    replacement: "isDeepStrictEqual(value, written[name as keyof ViewToken]) || name !== '' ? [] : [name],",
    spec: 'libs/hot-view/memory/memory-hot-view.spec.ts',
  },
];
