import { setTimeout as sleep } from 'node:timers/promises';
import { QueryBus } from '@nestjs/cqrs';
import type { EventLog } from '../../libs/event-log/event-log.ts';
import { Operations } from '../../libs/operation/operations.ts';
import { RoutineFace } from '../../libs/routines/runner/routine-face.ts';
import { RoutineRunner } from '../../libs/routines/runner/routine-runner.ts';
import type { Body, TestServer } from './server.ts';

export const MINUTE_MS = 60_000;

/** A clock that a test puts forward and back; begins at the start of a minute, so that none passes unasked. */
export class TestClock {
  #aheadMs = MINUTE_MS - (Date.now() % MINUTE_MS) + 1_000;

  readonly now = (): number => Date.now() + this.#aheadMs;

  advance(ms: number): void {
    this.#aheadMs += ms;
  }
}

export interface RunBody extends Body {
  readonly id: string;
  readonly status: string;
  readonly steps: readonly Body[];
}

/** Runs of a routine with their steps, newest first, as the operator sees them. */
export async function runsOf({ call, operator }: TestServer, routine: string): Promise<RunBody[]> {
  const path = `/api/v1/admin/routines/${routine}/runs`;
  const page = await call('GET', path, { token: operator });
  const items = (page.body['items'] ?? []) as RunBody[];
  return Promise.all(
    items.map(async ({ id }) => (await call('GET', `${path}/${id}`, { token: operator })).body as RunBody),
  );
}

/** What a look finds in the end: the runner works on its own. */
export async function eventually<Value>(look: () => Promise<Value | null | false>): Promise<Value> {
  for (let tries = 0; tries < 400; tries++) {
    const found = await look();
    if (found !== null && found !== false) return found;
    await sleep(100);
  }
  throw new Error('it did not come about');
}

/** Another runner beside the server's own, as another process would have; moved by hand. */
export function newRunner({ app, parts }: TestServer, clock: () => number, log: EventLog = parts.log): RoutineRunner {
  const { view, freshness } = parts;
  return new RoutineRunner(log, view, freshness, clock, app.get(QueryBus), app.get(Operations), app.get(RoutineFace));
}

/** One look of each runner, at once, and all that comes of it, the read model included. */
export async function tick({ parts }: TestServer, ...runners: readonly RoutineRunner[]): Promise<void> {
  await readModelAtHead(parts);
  await Promise.all(runners.map((runner) => runner.tick()));
  await Promise.all(runners.map((runner) => runner.idle()));
  await readModelAtHead(parts);
}

async function readModelAtHead({ log, freshness }: TestServer['parts']): Promise<void> {
  const head = await log.head();
  if (head !== null) await freshness.waitFor('routines', head, MINUTE_MS);
}

/** A log through which appends of an event type do not get: before they are stored, or after, unheard. */
export function breaking(log: EventLog, type: string, moment: 'before' | 'after'): EventLog {
  return new Proxy(log, {
    get(target, property) {
      if (property !== 'append') {
        const member: unknown = Reflect.get(target, property, target);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      }
      const append: EventLog['append'] = async (stream, expected, events) => {
        const hit = events.some((event) => event.type === type);
        const appended = hit && moment === 'before' ? null : await target.append(stream, expected, events);
        if (hit || appended === null) throw new Error('the process died here');
        return appended;
      };
      return append;
    },
  });
}
