import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ownMetadata } from '../../libs/event-log/own-metadata.ts';
import type { Verdict } from '../../libs/proof/verify-export.ts';
import type { OpenFile } from '../../libs/transparency/scheduled/export-folder.ts';
import {
  type ScheduledExportOptions,
  ScheduledExportRunner,
} from '../../libs/transparency/scheduled/scheduled-export-runner.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { verifyText } from '../support/verified-export.ts';

jest.setTimeout(120_000);

/** Every write to it fails as on a disk that is full: ENOSPC, from the kernel. */
const onFullDisk: OpenFile = (path) => {
  symlinkSync('/dev/full', path);
  return open(path, 'w');
};

describe('exports on a schedule', () => {
  let server: TestServer;
  let key: string;
  let folder: string;
  let faults: Error[];

  const runner = (options: Partial<ScheduledExportOptions> = {}): ScheduledExportRunner =>
    new ScheduledExportRunner({
      folder,
      every: '@daily',
      format: 'jsonl',
      log: server.log,
      tree: server.parts.tree,
      publisher: server.parts.publisher,
      alone: true,
      clock: Date.now,
      onFault: (error) => faults.push(error),
      ...options,
    });
  const use = () => server.call('GET', '/api/v1/me', { token: server.operator });
  const exported = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  const manifestOf = (file: string) =>
    JSON.parse(readFileSync(join(folder, `${file}.manifest.json`), 'utf8')) as {
      readonly from_leaf: number;
      readonly up_to: number;
      readonly sha256: string;
    };
  const verify = (file: string): Verdict => verifyText(readFileSync(join(folder, file), 'utf8'), [key]);

  beforeAll(async () => {
    server = await startServer();
    const keys = await server.call('GET', '/api/v1/audit/keys', { token: server.operator });
    [key] = keys.body['keys'] as [string];
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'writ-scheduled-'));
    faults = [];
    await use();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('P9 each goes on where the last one ended, and each is proved by itself', async () => {
    const first = runner();
    expect(await first.run()).toBe('written');
    await use();
    // Another process, or this one started again: the log knows.
    expect(await runner().run()).toBe('written');
    const [one = '', two = ''] = exported();
    expect(manifestOf(two).from_leaf).toBe(manifestOf(one).up_to);
    for (const file of [one, two]) {
      const { from_leaf: fromLeaf, up_to: upTo, sha256 } = manifestOf(file);
      expect(sha256).toBe(
        createHash('sha256')
          .update(readFileSync(join(folder, file)))
          .digest('hex'),
      );
      const verdict = verify(file);
      expect(verdict).toMatchObject({ findings: [], completeness: 'proved', fromLeaf, events: upTo - fromLeaf });
    }
    expect(await first.run()).toBe('nothing-new');
    const pushed = { id: randomUUID(), type: 'HistoryPushed', data: {}, metadata: ownMetadata() };
    await server.log.append('pushes-siem', 'any', [pushed]);
    expect(await first.run()).toBe('nothing-new');
    expect(exported()).toHaveLength(2);
  });

  it('P9 a line dropped from one is found', async () => {
    await runner().run();
    const [file = ''] = exported();
    const lines = readFileSync(join(folder, file), 'utf8').split('\n');
    lines.splice(3, 1);
    writeFileSync(join(folder, file), lines.join('\n'));
    expect(verify(file).findings).toContainEqual(expect.objectContaining({ kind: 'dropped' }));
  });

  it('a full disk is told, leaves nothing behind, and the next run takes up the same range', async () => {
    let full = true;
    const scheduled = runner({ openFile: (path) => (full ? onFullDisk(path) : open(path, 'wx')) });
    expect(await scheduled.run()).toBe('failed');
    expect(readdirSync(folder)).toEqual([]);
    expect(faults).toEqual([expect.objectContaining({ code: 'ENOSPC' })]);
    const status = await scheduled.status();
    expect(status.fault?.reason).toMatch(/ENOSPC/);
    expect(status.begun).not.toBeNull();

    await use();
    full = false;
    expect(await scheduled.run()).toBe('written');
    const [file = ''] = exported();
    expect(manifestOf(file)).toMatchObject({ from_leaf: status.begun?.from_leaf, up_to: status.begun?.up_to });
    expect(await scheduled.status()).toMatchObject({ fault: null, begun: null, up_to: status.begun?.up_to });
    expect(verify(file).findings).toEqual([]);
  });

  it('a folder that is not there is told, and not made', async () => {
    const scheduled = runner({ folder: join(folder, 'unmounted') });
    expect(await scheduled.run()).toBe('failed');
    expect((await scheduled.status()).fault?.reason).toMatch(/ENOENT.*unmounted/);
    expect(readdirSync(folder)).toEqual([]);
    mkdirSync(join(folder, 'unmounted'));
    expect(await scheduled.run()).toBe('written');
  });

  it('of several processes one writes a range', async () => {
    for (let round = 0; round < 5; round++) {
      await use();
      const outcomes = await Promise.all([1, 2, 3].map(() => runner({ alone: false }).run()));
      expect(outcomes.toSorted()).toEqual(['elsewhere', 'elsewhere', 'written']);
      expect(exported()).toHaveLength(round + 1);
    }
    const ranges = exported().map(manifestOf);
    ranges.slice(1).forEach(({ from_leaf: from }, index) => expect(from).toBe(ranges[index]?.up_to));
    expect(faults).toEqual([]);
  });

  it('what a killed process has begun is taken up, by others once it must be dead; a late one gives way', async () => {
    let goOn = (): void => undefined;
    const stuck = new Promise<void>((resolve) => (goOn = resolve));
    let reached = (): void => undefined;
    const writing = new Promise<void>((resolve) => (reached = resolve));
    const late = runner({
      alone: false,
      openFile: async (path) => {
        reached();
        await stuck;
        return await open(path, 'wx');
      },
    });
    const lateRun = late.run();
    await writing;
    const begun = (await late.status()).begun;
    writeFileSync(join(folder, `.${begun?.file}.killed.partial`), 'half');

    expect(await runner({ alone: false }).run()).toBe('elsewhere');
    const anHourOn = (): number => Date.now() + 3_600_000;
    const other = runner({ alone: false, clock: anHourOn });
    expect(await other.run()).toBe('written');
    const files = readdirSync(folder);
    expect(files.toSorted()).toEqual([begun?.file, `${begun?.file}.manifest.json`]);
    const bytes = readFileSync(join(folder, begun?.file ?? ''));

    goOn();
    expect(await lateRun).toBe('elsewhere');
    expect(readdirSync(folder)).toEqual(files);
    expect(readFileSync(join(folder, begun?.file ?? '')).equals(bytes)).toBe(true);
  });

  it('runs when its slot has come', async () => {
    const toTheMinuteMs = 60_000 - (Date.now() % 60_000);
    const scheduled = runner({ every: '* * * * *', clock: () => Date.now() + toTheMinuteMs - 300 }).start();
    const deadline = Date.now() + 30_000;
    while (exported().length === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    await scheduled.stop();
    expect(exported()).toHaveLength(1);
    expect((await scheduled.status()).next_at).not.toBeNull();
  });
});
