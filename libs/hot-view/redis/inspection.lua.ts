import { PRELUDE } from './prelude.lua.ts';
import { TOKEN_FIELDS } from './tokens.lua.ts';

/** The names under which `PUT` writes the fields of a token, in the order in which it takes them. */
export const FIELD_NAMES = [
  'version',
  'record',
  'digest',
  'status',
  'expires',
  'retires',
  'reads',
  'writes',
  'grants',
  'catalogues',
  'own',
  'company',
] as const;

const QUOTED = FIELD_NAMES.map((name) => `'${name}'`).join(', ');

/** Stands for what is held of a token: a write of another version, a parking and a mending each change it. */
const SEEN = `
local function seen(key)
  local t = redis.call('HMGET', key, 'version', 'catalogues', 'parked', 'mended')
  for i = 1, 4 do t[i] = t[i] or '' end
  return table.concat(t, ' ')
end
`;

/** KEYS: tokens. Answers of each [seen, parked, fields…]; an empty list: nothing is held. */
export const HELD = `${SEEN}
local answers = {}
for i = 1, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 0 then answers[i] = {}
  else
    local fields = redis.call('HMGET', KEYS[i], ${QUOTED})
    local answer = { seen(KEYS[i]), redis.call('HGET', KEYS[i], 'parked') or '' }
    for f = 1, #fields do answer[f + 2] = fields[f] or '' end
    answers[i] = answer
  end
end
return answers
`;

/**
 * Writes over what is held, as long as that is what was seen. `mended` tells those who have a record of the same
 * version that theirs is another. KEYS: tokens. ARGV: of each what was seen, then its fields.
 */
export const MEND = `${SEEN}
local names = { ${QUOTED} }
for i = 1, #KEYS do
  local at = (i - 1) * ${TOKEN_FIELDS + 1} + 1
  if seen(KEYS[i]) == ARGV[at] then
    for f = 1, #names do redis.call('HSET', KEYS[i], names[f], ARGV[at + f]) end
    redis.call('HINCRBY', KEYS[i], 'mended', 1)
    redis.call('HDEL', KEYS[i], 'parked')
  end
end
`;

/** KEYS: token. */
export const FORGET = `redis.call('DEL', KEYS[1])`;

/** One step through the keys of the server that runs this. KEYS: a header. ARGV: cursor, pattern, count. Answers run_id, cursor, keys. */
export const SCAN = `
local info = redis.call('INFO', 'server')
local at = string.find(info, 'run_id:', 1, true)
local found = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
return { string.match(info, '^%w+', at + 7), found[1], found[2] }
`;

/**
 * What is counted. KEYS: header, windows. ARGV: run_id, clock offset ms, stale ms. Answers the second it is, then of each
 * (a lineage's, or a workspace's) a list of budget (1 to 4), second, count; only why, where the partition does not stand.
 */
export const COUNTED = `${PRELUDE}
local now, why = standing(KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]))
if not now then return { why } end
local answers = { now.second }
for i = 2, #KEYS do
  local list = {}
  for budget, window in ipairs(load_windows(KEYS[i], now.second)) do
    for second, count in pairs(window) do
      list[#list + 1] = budget
      list[#list + 1] = second
      list[#list + 1] = count
    end
  end
  answers[i] = list
end
return answers
`;

/** KEYS: what companies, or workspaces, are kept in. */
export const HELD_LIMITS = `return redis.call('HGETALL', KEYS[1])`;

/** KEYS: as `HELD_LIMITS`. ARGV: a field, its value or ''. */
export const MEND_LIMITS = `
if ARGV[2] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
`;
