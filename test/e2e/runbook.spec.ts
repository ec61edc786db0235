import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ViewStatus } from '../../libs/projection/maintained-view.ts';
import { Callers, createToken, PLENTY, type Token } from '../faults/load.ts';
import { type CliRun, writ } from '../support/cli.ts';
import { foundWorkspace } from '../support/found-workspace.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { startSharedParts } from '../support/shared-parts.ts';

jest.setTimeout(300_000);

/** The commands of the first block under a heading of the runbook, without what is said beside them. */
function commandsUnder(heading: string): string[] {
  const document = readFileSync('docs/operations-runbook.md', 'utf8');
  const part = document.slice(document.indexOf(`\n## ${heading}\n`));
  const block = /```\n(.*?)```/s.exec(part)?.[1] ?? '';
  return block
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/ +#.*$/, ''));
}

const [REBUILD, STOP, GO_ON, VERIFY] = commandsUnder('Rebuilding a read model under load') as [
  string,
  string,
  string,
  string,
];
const HOT_VIEW = commandsUnder('The hot view looks wrong');
const IN_THE_RUNBOOK = 'reports';

/** What a deployment is made of, and who asks it. */
interface Deployment {
  readonly servers: readonly ServerProcess[];
  readonly operator: string;
}

interface Setup {
  readonly what: string;
  /** @param ending what is to be done at the end, in turn from the last */
  start(dataDir: string, ending: (() => Promise<unknown>)[]): Promise<Deployment>;
}

const SETUPS: readonly Setup[] = [
  {
    what: 'embedded',
    async start(dataDir, ending) {
      const server = await startServerProcess({ DATA_DIR: dataDir });
      ending.push(() => server.stop());
      return { servers: [server], operator: readFileSync(join(dataDir, 'operator-token'), 'utf8').trim() };
    },
  },
  {
    what: 'two processes over EventStoreDB (its double), Redis and PostgreSQL',
    async start(dataDir, ending) {
      const { env, stop } = await startSharedParts('the runbook', dataDir);
      ending.push(stop);
      const operator = await foundWorkspace(env);
      const servers = await Promise.all([startServerProcess(env), startServerProcess(env)]);
      ending.push(() => Promise.all(servers.map((server) => server.stop())));
      return { servers, operator };
    },
  },
];

describe.each(SETUPS)('the runbook, followed under load, $what', ({ start }) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-runbook-'));
  const ending: (() => Promise<unknown>)[] = [];
  const loaded = new AbortController();
  const callers = new Callers();
  let load: Promise<unknown>;
  let names: readonly string[];
  let run: (command: string) => Promise<CliRun>;

  const statusOf = async (name: string): Promise<ViewStatus> =>
    JSON.parse((await run(`writ projections status ${name} --json`)).out) as ViewStatus;

  beforeAll(async () => {
    const { servers, operator } = await start(dataDir, ending);
    const [{ url }] = servers as [ServerProcess];
    const env = { WRIT_URL: url, WRIT_TOKEN: operator, DATA_DIR: dataDir };
    run = (command) => writ(command.split(' ').slice(1), env);
    expect(await run('writ demo')).toMatchObject({ exit: 0 });
    const token = await createToken(callers, url, { id: 'operator', token: operator }, 'busy', PLENTY);
    await history(url, token);
    load = Promise.all(servers.flatMap((server) => callsOf(server, token)));
    names = (JSON.parse((await run('writ projections list --json')).out) as { items: ViewStatus[] }).items
      .map(({ name }) => name)
      .filter((name) => name !== 'hot-view');
  });
  afterAll(async () => {
    loaded.abort();
    await load;
    for (const end of ending.toReversed()) await end();
    rmSync(dataDir, { recursive: true });
  });

  /** A log worth rebuilding from: so much that a rebuild can be stopped before it is done. */
  const history = async (url: string, token: Token): Promise<void> => {
    const written = new AbortController();
    const reading = Array.from({ length: AT_ONCE }, () => callers.read(url, token, { signal: written.signal }));
    await callers.answered(FIRST_CALLS);
    written.abort();
    await Promise.all(reading);
  };
  /** Calls that are under way all the while. */
  const callsOf = ({ url }: ServerProcess, token: Token): Promise<void>[] => {
    const pace = { pauseMs: PAUSE_MS, signal: loaded.signal };
    return [callers.read(url, token, pace), callers.write(url, token, true, pace)];
  };

  it('P6 every read model is rebuilt, stopped and gone on with, and is then what the log says', async () => {
    const stopped: string[] = [];
    for (const name of names) {
      const typed = (command: string): Promise<CliRun> => run(command.replace(IN_THE_RUNBOOK, name));
      let over = false;
      const rebuilding = typed(REBUILD).finally(() => (over = true));
      while (!over && (await statusOf(name)).rebuild === null);
      const stop = await typed(STOP);
      if (stop.exit === 0) {
        stopped.push(name);
        expect(stop.out).toMatch(/^state +rebuild stopped$/m);
        expect((await statusOf(name)).rebuild).toMatchObject({ state: 'stopped' });
      }
      expect([name, await rebuilding]).toEqual([name, expect.objectContaining({ exit: 0, err: '' })]);
      const wentOn = await typed(GO_ON);
      expect([name, wentOn]).toEqual([name, expect.objectContaining({ exit: 0, err: '' })]);
      expect((await statusOf(name)).rebuild).toBeNull();
      const verified = await typed(VERIFY);
      expect([name, verified]).toEqual([
        name,
        expect.objectContaining({ exit: 0, out: expect.stringMatching(/^same: \d+ rows/), err: '' }),
      ]);
    }
    // One that is done before it can be stopped says so; not all of them are.
    expect(stopped).not.toEqual([]);
  });

  it('P6 the hot view is verified, rebuilt and verified', async () => {
    expect(HOT_VIEW).toHaveLength(3);
    for (const command of HOT_VIEW) {
      const { exit, err } = await run(command);
      expect([command, exit, err]).toEqual([command, 0, '']);
    }
  });

  it('P6 a script rebuilds one without waiting, and sees when it is done', async () => {
    expect(await run('writ projections rebuild reports --detach --json')).toMatchObject({ exit: 0 });
    while ((await statusOf('reports')).rebuild !== null) await sleep(LOOK_MS);
    expect(await run('writ projections verify reports')).toMatchObject({ exit: 0 });
  });

  it('calls were answered all the while', () => {
    const { answers } = callers;
    expect(answers.length).toBeGreaterThan(FIRST_CALLS + LEAST_CALLS);
    const failed = answers.filter(({ status }) => status !== 200 && status !== 201);
    // A machine that is very busy lets a view in Redis grow stale for a moment.
    expect(failed.filter(({ status }) => status !== 503)).toEqual([]);
    expect(failed.length).toBeLessThan(answers.length / 100);
  });
});

/** Calls before the first command, and how many of them are under way together. */
const FIRST_CALLS = 4_000;
const AT_ONCE = 10;
/** Between the calls of one caller, from then on; and how many there are to be at least. */
const PAUSE_MS = 100;
const LEAST_CALLS = 200;
const LOOK_MS = 50;
