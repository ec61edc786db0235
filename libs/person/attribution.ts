import type { Actor, By } from './actor.ts';

const FACES = { rest: 'REST', mcp: 'MCP', routine: 'routine', cli: 'CLI' } as const;

const UNITS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

/** `just now` under a minute, else `5 minutes ago`. */
export function ago(at: number, now: number): string {
  const seconds = Math.floor((now - at) / 1000);
  for (const [unit, length] of UNITS) {
    if (seconds >= length) return relative.format(-Math.floor(seconds / length), unit);
  }
  return 'just now';
}

/** `Jason (claude-code on macbook) · via MCP · just now`; a name can hold neither `·` nor parentheses, so this is unambiguous. */
export function attribute(actor: Actor, at: string, now: number): By {
  const who = actor.label === null ? actor.person.name : `${actor.person.name} (${actor.label})`;
  return {
    owner: actor.person,
    label: actor.label,
    token: actor.token,
    face: actor.face,
    at,
    text: `${who} · via ${FACES[actor.face]} · ${ago(Date.parse(at), now)}`,
  };
}
