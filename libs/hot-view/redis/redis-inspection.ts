import { isDeepStrictEqual } from 'node:util';
import { type ViewCompany, ViewUnavailable, type ViewToken, type ViewWorkspace } from '../hot-view.ts';
import type { Counted, HotViewInspection, Mending, Taken, Unlike, UnlikeKey } from '../inspection.ts';
import { BUDGETS } from '../../usage/use.ts';
import { script } from './connection.ts';
import { COUNTED, FIELD_NAMES, FORGET, HELD, HELD_LIMITS, MEND, MEND_LIMITS, SCAN } from './inspection.lua.ts';
import { ceilingField, type Keys, partitionOf, partitionOfWorkspace } from './keys.ts';
import { EVERY_PARTITION } from './partitions.ts';
import { fieldsOf, fieldsOfCompany, fieldsOfWorkspace } from './replies.ts';
import type { ViewScripts } from './view-scripts.ts';

const SCRIPTS = {
  held: script(HELD),
  mend: script(MEND),
  forget: script(FORGET),
  scan: script(SCAN),
  heldLimits: script(HELD_LIMITS),
  mendLimits: script(MEND_LIMITS),
  counted: script(COUNTED),
};
/** Keys a server looks at in one go, which calls wait for. */
const KEYS_A_SCAN = 1_000;
const WINDOWS_A_LOOK = 100;

/** [second, of each lineage or workspace…], or [why not]. */
type CountedReply = readonly [second: number, ...windows: (readonly number[])[]] | readonly [why: string];

/** [seen, parked, fields…]; empty: nothing is held. */
type HeldReply = readonly string[];

/** All throw ViewUnavailable. */
export class RedisInspection implements HotViewInspection {
  readonly #scripts: ViewScripts;
  readonly #keys: Keys;

  constructor(scripts: ViewScripts, keys: Keys) {
    this.#scripts = scripts;
    this.#keys = keys;
  }

  /** In a cluster every server is looked through once, found by the partitions it holds. */
  async *ids(): AsyncGenerator<readonly string[]> {
    const done = new Set<string>();
    for (const partition of EVERY_PARTITION) {
      let cursor = '0';
      do {
        const args = [cursor, this.#keys.tokenPattern, KEYS_A_SCAN];
        const reply = await this.#scripts.run(SCRIPTS.scan, [this.#keys.header(partition)], args);
        const [runId, next, keys] = reply as readonly [string, string, readonly string[]];
        if (cursor === '0' && done.has(runId)) break;
        done.add(runId);
        yield keys.map((key) => key.slice(key.lastIndexOf(':') + 1));
        cursor = next;
      } while (cursor !== '0');
    }
  }

  async unlike(tokens: readonly ViewToken[]): Promise<readonly Unlike[]> {
    const compared = await Promise.all(
      byPartition(tokens, ({ id }) => id).map(async (some) => {
        const keys = some.map(({ id }) => this.#keys.token(id));
        const held = (await this.#scripts.run(SCRIPTS.held, keys, [])) as readonly HeldReply[];
        return some.flatMap((token, index) => unlikeOf(token, held[index] ?? []));
      }),
    );
    return compared.flat();
  }

  async mend(tokens: readonly Mending[]): Promise<void> {
    await Promise.all(
      byPartition(tokens, ({ token }) => token.id).map(async (some) => {
        const keys = some.map(({ token }) => this.#keys.token(token.id));
        const args = some.flatMap(({ token, seen }) => [seen ?? NOTHING_SEEN, ...fieldsOf(token)]);
        await this.#scripts.run(SCRIPTS.mend, keys, args);
      }),
    );
  }

  async forget(id: string): Promise<void> {
    await this.#scripts.run(SCRIPTS.forget, [this.#keys.token(id)], []);
  }

  unlikeCompanies(companies: readonly ViewCompany[]): Promise<readonly UnlikeKey[]> {
    return this.#unlikeLimits('', companies.map(fieldsOfCompany), (partition) => this.#keys.companies(partition));
  }

  async mendCompany(key: string, company: ViewCompany | null): Promise<void> {
    const value = company === null ? '' : valueOf(fieldsOfCompany(company));
    await this.#mendLimits(key, value, (partition) => this.#keys.companies(partition));
  }

  unlikeWorkspaces(workspaces: readonly ViewWorkspace[]): Promise<readonly UnlikeKey[]> {
    return this.#unlikeLimits(ceilingField(''), workspaces.map(fieldsOfWorkspace), (partition) =>
      this.#keys.header(partition),
    );
  }

  async mendWorkspace(id: string, workspace: ViewWorkspace | null): Promise<void> {
    const value = workspace === null ? '' : valueOf(fieldsOfWorkspace(workspace));
    await this.#mendLimits(ceilingField(id), value, (partition) => this.#keys.header(partition));
  }

  /** @param prefix of the fields that are meant; the others are none of these, and the key of each goes on behind it */
  async #unlikeLimits(
    prefix: string,
    wanted: readonly (readonly (string | number)[])[],
    keyOf: (partition: number) => string,
  ): Promise<readonly UnlikeKey[]> {
    const expected = new Map(wanted.map((fields) => [String(fields[0]), valueOf(fields)]));
    const unlike = new Map<string, UnlikeKey>();
    const note = (field: string, what: UnlikeKey['what']): void => {
      unlike.set(field, { key: field.slice(prefix.length), what });
    };
    for (const partition of EVERY_PARTITION) {
      const reply = await this.#scripts.run(SCRIPTS.heldLimits, [keyOf(partition)], []);
      const held = pairsOf(reply as readonly string[]);
      for (const [field, value] of expected) {
        if (held.get(field) !== value) note(field, held.has(field) ? 'different' : 'missing');
      }
      for (const field of held.keys()) if (field.startsWith(prefix) && !expected.has(field)) note(field, 'unexpected');
    }
    return [...unlike.values()];
  }

  async #mendLimits(field: string, value: string, keyOf: (partition: number) => string): Promise<void> {
    await Promise.all(
      EVERY_PARTITION.map((partition) => this.#scripts.run(SCRIPTS.mendLimits, [keyOf(partition)], [field, value])),
    );
  }

  counted(ids: readonly string[]): Promise<readonly Counted[]> {
    return this.#counted(ids, partitionOf, (id) => this.#keys.windows(id));
  }

  countedCeilings(workspaces: readonly string[]): Promise<readonly Counted[]> {
    return this.#counted(workspaces, partitionOfWorkspace, (id) => this.#keys.ceilingWindows(id));
  }

  async #counted(
    ids: readonly string[],
    partitionOfId: (id: string) => number,
    keyOf: (id: string) => string,
  ): Promise<readonly Counted[]> {
    const counted = new Map<string, Counted>();
    for (const [partition, of] of Map.groupBy(ids, partitionOfId)) {
      for (let from = 0; from < of.length; from += WINDOWS_A_LOOK) {
        const some = of.slice(from, from + WINDOWS_A_LOOK);
        const keys = [this.#keys.header(partition), ...some.map(keyOf)];
        const reply = await this.#scripts.run(SCRIPTS.counted, keys, this.#scripts.standingArgs());
        const [second, ...windows] = reply as CountedReply;
        if (typeof second === 'string') throw new ViewUnavailable(`the hot view may not be trusted: ${second}`);
        some.forEach((id, index) => counted.set(id, { second, taken: takenOf(windows[index] ?? []) }));
      }
    }
    return ids.map((id) => counted.get(id)!);
  }
}

/** What `SEEN` answers of a key that is not there. */
const NOTHING_SEEN = '   ';

function unlikeOf(token: ViewToken, [seen, parked, ...fields]: HeldReply): readonly Unlike[] {
  const { id } = token;
  if (seen === undefined) return [{ id, what: 'missing', columns: [], seen: null }];
  const expected = fieldsOf(token);
  const columns: string[] = FIELD_NAMES.filter((name, index) => {
    const [held = '', wanted] = [fields[index], String(expected[index])];
    return name === 'record' ? !sameJson(held, wanted) : held !== wanted;
  });
  if (parked !== '') columns.push('parked');
  return columns.length === 0 ? [] : [{ id, what: 'different', columns, seen }];
}

/** Another release may have written the members in another order. */
function sameJson(a: string, b: string): boolean {
  if (a === b) return true;
  try {
    return isDeepStrictEqual(JSON.parse(a), JSON.parse(b));
  } catch {
    return false;
  }
}

/** @param flat budget as the scripts number it (from 1), second, count, and so on */
const takenOf = (flat: readonly number[]): Taken[] =>
  Array.from({ length: flat.length / 3 }, (_, index) => {
    const [budget = 1, second = 0, cost = 0] = flat.slice(index * 3, index * 3 + 3);
    return { budget: BUDGETS[budget - 1]!, second, cost };
  });

const byPartition = <Item>(items: readonly Item[], idOf: (item: Item) => string): readonly Item[][] => [
  ...Map.groupBy(items, (item) => partitionOf(idOf(item))).values(),
];

/** As `PUT_LIMITS` writes it. */
const valueOf = (fields: readonly (string | number)[]): string => fields.slice(1).join(' ');

function pairsOf(flat: readonly string[]): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (let at = 0; at + 1 < flat.length; at += 2) pairs.set(flat[at]!, flat[at + 1]!);
  return pairs;
}
