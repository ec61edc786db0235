import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { NewEvent } from '../event-log/event-log.ts';
import { PERSONAL_DATA, personalValuesOf } from './personal-data.ts';

/** Every type of event there is: members of the unions named …Event, and what stands alone beside a stream's name. */
function declaredTypes(): ReadonlyMap<string, string> {
  const types = new Map<string, string>();
  for (const file of readdirSync('libs', { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.endsWith('.spec.ts')) continue;
    const text = readFileSync(join('libs', file), 'utf8');
    // An event names its data; a command has its members beside the type.
    for (const [, type = ''] of text.matchAll(/readonly type: '(\w+)';\s+(?:\/\*\*[^/]*\*\/\s+)?readonly data: /g))
      types.set(type, file);
  }
  return types;
}

const event = (type: string, data: object, metadata: object = {}): NewEvent => ({
  id: '0b9e4c0e-1d0c-4b55-9c5b-0c6a9a3a7a11',
  type,
  data,
  metadata: { $correlationId: 'c', $causationId: 'c', schema: 1, ...metadata },
});
const found = (stream: string, given: NewEvent): readonly string[] =>
  personalValuesOf(stream, given).map(({ person, at, value }) => `${at} of ${person}: ${value}`);

describe('what is personal in an event', () => {
  it('is said of every type of event that is declared anywhere', () => {
    const declared = declaredTypes();
    expect(declared.size).toBeGreaterThan(50);
    expect([...declared].filter(([type]) => !Object.hasOwn(PERSONAL_DATA, type))).toEqual([]);
    expect(Object.keys(PERSONAL_DATA).filter((type) => !declared.has(type))).toEqual([]);
  });

  it('is the name of whoever a token belongs to, and its label, whoever made or renamed it', () => {
    const actor = { actor: { person: { id: 'p1', name: 'Olga' }, token: 't', label: 'ops', face: 'rest' } };
    const data = { owner: { id: 'p2', name: 'Jason' }, name: 'macbook' };
    expect(found('token-1', event('TokenCreated', data, actor))).toEqual([
      'data.owner.name of p2: Jason',
      'data.name of p2: macbook',
      'metadata.actor.person.name of p1: Olga',
      'metadata.actor.label of p1: ops',
    ]);
    expect(found('token-1', event('TokenRenamed', { name: 'laptop', owner: 'p2' }))).toEqual([
      'data.name of p2: laptop',
    ]);
  });

  it('is whom a stream or a list tells of, and where a caller calls from', () => {
    expect(found('person-p3', event('PersonAdded', { id: 'p3', name: 'Ada' }))).toEqual(['data.name of p3: Ada']);
    const assignees = [
      { id: 'p4', name: 'Bo' },
      { id: 'p5', name: 'Cy' },
    ];
    expect(found('ticket-1', event('TicketAssigned', { assignees }))).toEqual([
      'data.assignees.0.name of p4: Bo',
      'data.assignees.1.name of p5: Cy',
    ]);
    const use = { client_address: '192.0.2.7', client_name: 'curl' };
    const actor = { person: { id: 'p1', name: 'Olga' }, token: 't', label: null };
    expect(found('usage-1', event('TokenUsed', use, { actor }))).toEqual([
      'data.client_address of p1: 192.0.2.7',
      'data.client_name of p1: curl',
      'metadata.actor.person.name of p1: Olga',
    ]);
    expect(found('report-1', event('ReportCreated', { title: 'Jason' }, { actor, use }))).toEqual([
      'metadata.actor.person.name of p1: Olga',
      'metadata.use.client_address of p1: 192.0.2.7',
      'metadata.use.client_name of p1: curl',
    ]);
  });

  it('is nothing of a routine’s step: there the server itself calls', () => {
    const actor = { person: { id: 'p1', name: 'Olga' }, token: 't', label: null };
    const use = { face: 'routine', client_address: 'routine', client_name: 'routine 01J9ZK3V8Q6T4W2Y0B7D5F1G3H' };
    expect(found('usage-1', event('TokenUsed', use, { actor }))).toEqual(['metadata.actor.person.name of p1: Olga']);
    expect(found('report-1', event('ReportCreated', {}, { actor, use }))).toEqual([
      'metadata.actor.person.name of p1: Olga',
    ]);
  });

  it('is whom the rows of a digest name', () => {
    const token = { id: 't', label: 'macbook', owner: { id: 'p2', name: 'Jason' } };
    const by = { person: { id: 'p1', name: 'Olga' }, token: null, label: 'ops', face: 'rest' };
    const changes = { items: [{ token, by, change: 'renamed', name: 'laptop' }], more: 0 };
    const first_seen_addresses = { items: [{ token, address: '192.0.2.7' }], more: 0 };
    expect(found('digest-w', event('DigestMade', { digest: { changes, first_seen_addresses } }))).toEqual([
      'data.digest.changes.items.0.token.label of p2: macbook',
      'data.digest.changes.items.0.token.owner.name of p2: Jason',
      'data.digest.first_seen_addresses.items.0.token.label of p2: macbook',
      'data.digest.first_seen_addresses.items.0.token.owner.name of p2: Jason',
      'data.digest.first_seen_addresses.items.0.address of p2: 192.0.2.7',
      'data.digest.changes.items.0.name of p2: laptop',
      'data.digest.changes.items.0.by.person.name of p1: Olga',
      'data.digest.changes.items.0.by.label of p1: ops',
    ]);
  });

  it('is nothing where an event is not of its type’s shape', () => {
    expect(found('token-1', event('TokenCreated', {}))).toEqual([]);
    expect(found('ticket-1', event('TicketAssigned', { assignees: 'none' }))).toEqual([]);
    expect(found('x-1', event('constructor', { name: 'x' }, { actor: null }))).toEqual([]);
  });
});
