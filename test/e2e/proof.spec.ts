import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { consistent, includes } from '../../libs/proof/proofs.ts';
import { formatVerifier, signatureLine, signerOf } from '../../libs/proof/note.ts';
import type { Verdict } from '../../libs/proof/verify-export.ts';
import { type CliRun, writ } from '../support/cli.ts';
import { leafOf, readCheckpoint, readLeaves, rootOf } from '../support/independent-verifier.ts';
import { createToken, startServer, type TestServer } from '../support/server.ts';
import { verifyText } from '../support/verified-export.ts';

const WITNESS = signerOf('witness.example/w1', 'cosignature', Buffer.alloc(32, 5));

let server: TestServer;
let agent: { id: string; token: string };
let key: string;

const get = (path: string, token = server.operator): Promise<Response> =>
  fetch(server.url + path, { headers: { authorization: `Bearer ${token}` } });
const textOf = async (path: string): Promise<string> => {
  const response = await get(path);
  expect(response.status).toBe(200);
  return await response.text();
};
const jsonOf = async <Body>(path: string): Promise<Body> => JSON.parse(await textOf(path)) as Body;

const verify = (text: string, by = key): Verdict => verifyText(text, [by]);

beforeAll(async () => {
  server = await startServer({ witnesses: [WITNESS] });
  agent = await createToken(server, { catalogue: 'comma', scopes: ['reports:read', 'reports:write'] });
  for (let call = 0; call < 30; call++) await server.call('GET', '/api/v1/me', { token: agent.token });
  await server.call('POST', '/api/v1/reports', { token: agent.token, body: { title: 'Proved' } });
  await server.call('GET', '/api/v1/tokens', { token: agent.token });
  ({
    keys: [key],
  } = await jsonOf<{ keys: [string] }>('/api/v1/audit/keys'));
});
afterAll(() => server.close());

describe('the proof of the history', () => {
  it('P9 a verifier written from the texts alone finds every stored event under the signed root', async () => {
    const { size, root } = readCheckpoint(await textOf('/api/v1/audit/checkpoint'), key);
    const fetchTile = async (path: string) =>
      Buffer.from(await (await get(`/api/v1/audit/tile/${path}`)).arrayBuffer());
    const leaves = await readLeaves(size, fetchTile);
    expect(rootOf(leaves).equals(root)).toBe(true);
    const stored = await Array.fromAsync(server.log.stored!.readAll({ limit: size }));
    expect(stored).toHaveLength(size);
    stored.forEach(({ stream, revision, id, type, recordedAt, data, metadata }, leaf) => {
      const event = { stream, revision, id, type, time: new Date(recordedAt).toISOString(), data, metadata };
      expect(leafOf(JSON.parse(JSON.stringify(event))).equals(leaves[leaf]!)).toBe(true);
    });
    expect((await get(`/api/v1/audit/tile/0/000.p/${size + 40}`)).status).toBe(404);
    expect((await get('/api/v1/audit/tile/entries/000')).status).toBe(404);
  });

  it('P9 inclusion and consistency are proved against the signed root', async () => {
    const older = readCheckpoint(await textOf('/api/v1/audit/checkpoint'), key);
    const report = (await server.events('report-'))[0]!;
    type Proof = { leaf: number; leaf_hash: string; proof: string[]; size: number; root: string; checkpoint: string };
    const bytes = (base64: string) => Buffer.from(base64, 'base64');
    const inclusion = await jsonOf<Proof>(`/api/v1/audit/proofs/inclusion?position=${report.position}`);
    const { size, root } = readCheckpoint(inclusion.checkpoint, key);
    const path = inclusion.proof.map(bytes);
    expect(includes(inclusion.leaf, size, bytes(inclusion.leaf_hash), path, root)).toBe(true);
    const growth = await jsonOf<Proof>(`/api/v1/audit/proofs/consistency?from=${older.size}`);
    const newer = readCheckpoint(growth.checkpoint, key);
    expect(newer.size).toBeGreaterThan(older.size);
    expect(consistent(older, newer, growth.proof.map(bytes))).toBe(true);
    expect((await get('/api/v1/audit/proofs/inclusion?position=999999999')).status).toBe(404);
  });

  it('P9 an event is proved under a checkpoint that covers it already, and one since then under a new one', async () => {
    const proofOf = ({ position }: { readonly position: number }) =>
      jsonOf<{ leaf: number; size: number }>(`/api/v1/audit/proofs/inclusion?position=${position}`);
    const [report] = await server.events('report-');
    const signed = readCheckpoint(await textOf('/api/v1/audit/checkpoint'), key);
    await server.call('GET', '/api/v1/me');
    expect((await proofOf(report!)).size).toBeLessThanOrEqual(signed.size);
    const since = (await server.events('usage-')).findLast(({ type }) => type === 'TokenUsed');
    const proof = await proofOf(since!);
    expect(proof.size).toBeGreaterThan(signed.size);
    expect(proof.leaf).toBeLessThan(proof.size);
  });

  it('P9 an export of everything, and of one token, verifies offline; an edited one does not', async () => {
    const whole = await textOf('/api/v1/audit/export');
    expect(verify(whole)).toMatchObject({ findings: [], completeness: 'proved' });
    const mine = await textOf(`/api/v1/audit/export?token=${agent.id}`);
    const verdict = verify(mine);
    expect(verdict).toMatchObject({ findings: [], completeness: 'proved' });
    const types = mine.match(/"type":"(Token|Report)[A-Za-z]+"/g) ?? [];
    expect(types.filter((type) => type === '"type":"TokenUsed"')).toHaveLength(31);
    expect(types).toContain('"type":"ReportCreated"');
    expect(types).toContain('"type":"TokenCreated"');
    expect(verdict.hidden).toBeGreaterThan(0);
    expect(verify(mine.replace('"Proved"', '"Forged"')).findings).toContainEqual(
      expect.objectContaining({ kind: 'altered' }),
    );
  });

  it('P5 P9 no export holds a secret', async () => {
    const secrets = [server.operator, agent.token].map((token) => token.slice(-38, -6));
    for (const format of ['jsonl', 'csv', 'cloudevents']) {
      const text = await textOf(`/api/v1/audit/export?format=${format}`);
      for (const secret of secrets) expect(text).not.toContain(secret);
    }
  });

  it('a CSV is defused: no cell begins a formula', async () => {
    const headers = { 'user-agent': '=HYPERLINK("http://evil")', authorization: `Bearer ${agent.token}` };
    await fetch(`${server.url}/api/v1/me`, { headers });
    const csv = await textOf('/api/v1/audit/export?format=csv');
    expect(csv).toContain(`"'=HYPERLINK(""http://evil"")"`);
    expect(csv).not.toMatch(/(?:^|,)"?[=@]/m);
  });

  it('CloudEvents are one a line, each whole', async () => {
    const lines = (await textOf('/api/v1/audit/export?format=cloudevents&type=TokenCreated')).trim().split('\n');
    const created = lines
      .map((line) => JSON.parse(line) as { type: string })
      .filter(({ type }) => type === 'writ.TokenCreated');
    expect(created).toHaveLength(2);
    expect(created[0]).toMatchObject({ specversion: '1.0', datacontenttype: 'application/json' });
  });

  it('P9 a witness cosigns, and its word stands under the checkpoint; a stranger’s does not', async () => {
    const note = await textOf('/api/v1/audit/checkpoint');
    const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
    const cosign = (signer: typeof WITNESS) =>
      server.call('POST', '/api/v1/audit/checkpoint/cosignatures', {
        token: server.operator,
        body: { note: note + signatureLine(text, signer, 1_800_000_000) },
      });
    expect((await cosign(signerOf('stranger.example', 'cosignature', Buffer.alloc(32, 6)))).status).toBe(422);
    const answer = await cosign(WITNESS);
    expect(answer).toMatchObject({ status: 201, body: { witnesses: [WITNESS.name] } });
    expect(await jsonOf('/api/v1/audit/keys')).toMatchObject({ witnesses: [formatVerifier(WITNESS)] });
    const { size } = readCheckpoint(note, key);
    const position = answer.headers.get('x-log-position') ?? '';
    const cosigned = await fetch(`${server.url}/api/v1/audit/checkpoint?size=${size}`, {
      headers: { authorization: `Bearer ${server.operator}`, 'x-log-position': position },
    });
    expect(await cosigned.text()).toBe(note + signatureLine(text, WITNESS, 1_800_000_000));
  });

  it('P13 who may not read the audit trail gets none of it', async () => {
    for (const path of ['checkpoint', 'tile/0/000', 'export', 'keys', 'proofs/consistency?from=1']) {
      expect((await get(`/api/v1/audit/${path}`, agent.token)).status).toBe(403);
    }
  });
});

describe('writ audit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'writ-audit-'));
  const file = join(folder, 'history.jsonl');
  const run = (...words: string[]): Promise<CliRun> =>
    writ(words, { WRIT_URL: server.url, WRIT_TOKEN: server.operator, DATA_DIR: folder });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('P9 exports, and proves what it exported without asking anybody', async () => {
    const exported = await run('audit', 'export', '--to', file, '--token', agent.id);
    expect(exported).toMatchObject({ exit: 0 });
    const manifest = JSON.parse(readFileSync(`${file}.manifest.json`, 'utf8')) as { sha256: string };
    expect(manifest.sha256).toBe(createHash('sha256').update(readFileSync(file)).digest('hex'));
    const keys = await run('audit', 'keys');
    writeFileSync(join(folder, 'writ.pub'), keys.out);
    const verified = await writ(['audit', 'verify', file, '--key', join(folder, 'writ.pub')], {});
    expect(verified).toMatchObject({ exit: 0, err: '' });
    expect(verified.out).toMatch(/^Proved: \d+ events shown, \d+ hidden, .*complete up to there/);
  });

  it('P10 replays the whole history into a file, which is such an export', async () => {
    const all = join(folder, 'all.jsonl');
    expect(await run('replay', '--all', '--to', all)).toMatchObject({ exit: 0, err: '' });
    expect(verify(readFileSync(all, 'utf8'))).toMatchObject({ findings: [], hidden: 0 });
    for (const words of [
      ['--all'],
      ['--to', all],
      [agent.id, '--all', '--to', all],
      ['--all', '--to', all, '--speed', '2'],
    ])
      expect(await run('replay', ...words)).toMatchObject({ exit: 2, err: expect.stringContaining('--all --to FILE') });
  });

  it('P9 names the event that was altered, and ends with 1', async () => {
    const forged = join(folder, 'forged.jsonl');
    writeFileSync(forged, readFileSync(file, 'utf8').replace('"Proved"', '"Forged"'));
    const verified = await run('audit', 'verify', forged, '--key', key);
    expect(verified.exit).toBe(1);
    expect(verified.out).toMatch(/NOT PROVED.*\nline \d+: the event of leaf \d+ was altered/);
    expect(await run('audit', 'verify', forged)).toMatchObject({ exit: 2 });
  });

  it('P9 a key is rotated while the server runs: both sign, then the new one alone', async () => {
    const onDisk = (...args: string[]): Promise<CliRun> => writ(['key', ...args], { DATA_DIR: server.dataDir });
    const change = async (): Promise<string> => {
      await server.call('POST', '/api/v1/reports', { token: agent.token, body: { title: 'One more' } });
      return await textOf('/api/v1/audit/export');
    };
    const holds = (text: string, by: string): boolean => verify(text, by).findings.length === 0;
    const added = await onDisk('add');
    expect(added.exit).toBe(0);
    const fresh = added.out.trim().split('\n').at(-1)!;
    expect((await jsonOf<{ keys: string[] }>('/api/v1/audit/keys')).keys).toEqual([fresh, key]);
    const both = await change();
    expect([holds(both, key), holds(both, fresh)]).toEqual([true, true]);
    const [, oldId = ''] = key.split('+');
    expect((await onDisk('list')).out).toMatch(new RegExp(`${oldId} +${key.replaceAll('+', '\\+')}`));
    expect(await onDisk('drop', oldId)).toMatchObject({ exit: 0 });
    const after = await change();
    expect([holds(after, key), holds(after, fresh), holds(both, key)]).toEqual([false, true, true]);
    const [, freshId = ''] = fresh.split('+');
    expect(await onDisk('drop', freshId)).toMatchObject({ exit: 2, err: expect.stringMatching(/last one is not/) });
    expect(await onDisk('drop', 'nonesuch')).toMatchObject({ exit: 2 });
  });
});
