import { PRELUDE } from './prelude.lua.ts';

/** Fields `PUT` takes of each token, in this order. */
export const TOKEN_FIELDS = 12;

/**
 * Writes tokens of one partition, each unless its version is known (the same version counts when only it was made under the
 * catalogues the header names). KEYS: header, tokens. ARGV: run_id, clock offset ms, stale ms, then of each token its
 * version, record, digest, status, expires, retires, reads, writes, grants, catalogues, own, company
 * (the last two as `limits_of` takes them).
 * Answers why the partition may not vouch for the write, '' where it may or where it was never certified.
 */
export const PUT = `${PRELUDE}
local under = redis.call('HGET', KEYS[1], 'catalogues')
for i = 2, #KEYS do
  local at = 4 + (i - 2) * ${TOKEN_FIELDS}
  local version, catalogues = tonumber(ARGV[at]), ARGV[at + 9]
  local held = redis.call('HMGET', KEYS[i], 'version', 'catalogues', 'parked')
  local known = tonumber(held[1] or '')
  if not known or version > known or version == known and catalogues == under and held[2] ~= under then
    redis.call('HSET', KEYS[i], 'version', ARGV[at], 'record', ARGV[at + 1], 'digest', ARGV[at + 2],
      'status', ARGV[at + 3], 'expires', ARGV[at + 4], 'retires', ARGV[at + 5],
      'reads', ARGV[at + 6], 'writes', ARGV[at + 7], 'grants', ARGV[at + 8], 'catalogues', catalogues,
      'own', ARGV[at + 10], 'company', ARGV[at + 11])
  end
  -- Whoever writes has understood the events up to this version.
  if held[3] and version >= tonumber(held[3]) then redis.call('HDEL', KEYS[i], 'parked') end
end
local now, why, building = standing(KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]))
if now or building then return '' end
return why
`;

/**
 * Writes what companies, or workspaces, say of limits into one partition, each unless its version is known. KEYS: header,
 * what they are kept in (companies; the header itself). ARGV: run_id, clock offset ms, stale ms, then of each its field,
 * version, reads or '', writes or ''. Answers as `PUT` does.
 */
export const PUT_LIMITS = `${PRELUDE}
for i = 4, #ARGV, 4 do
  local held = redis.call('HGET', KEYS[2], ARGV[i])
  if not held or tonumber(ARGV[i + 1]) > tonumber(string.match(held, '^%d+')) then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[i + 2] .. ' ' .. ARGV[i + 3])
  end
end
local now, why, building = standing(KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]))
if now or building then return '' end
return why
`;

/**
 * A token whose events up to a version were not understood, unless somebody has understood them. KEYS: token.
 * ARGV: version.
 */
export const PARK = `
local held = redis.call('HMGET', KEYS[1], 'version', 'parked')
local version = tonumber(ARGV[1])
if tonumber(held[1] or '-1') < version and tonumber(held[2] or '-1') < version then
  redis.call('HSET', KEYS[1], 'parked', ARGV[1])
end
`;

/** KEYS: header, tokens. ARGV: run_id, clock offset ms, stale ms, the caller's clock, then the epoch each was metered under. */
export const CONFIRM = `${PRELUDE}
local now = standing(KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]))
local answers = {}
for i = 2, #KEYS do
  local answer = 'stands'
  local t = redis.call('HMGET', KEYS[i], 'status', 'expires', 'retires', 'parked')
  if not now or now.epoch ~= ARGV[i + 3] or t[4] then answer = 'lapsed'
  elseif not t[1] or death(t[1], t[2], t[3], math.max(now.ms, tonumber(ARGV[4]))) then answer = 'dead' end
  answers[i - 1] = answer
end
return answers
`;

/** The record and the limits in force. KEYS: header, token, windows, companies. */
export const GET = `${PRELUDE}
local t = redis.call('HMGET', KEYS[2], 'record', 'reads', 'writes', 'own', 'company')
if not t[1] then return {} end
local limits = limits_of(KEYS[4], t[2], t[3], t[4], t[5])
return { t[1], limits[1], limits[2] }
`;

/** What is used, nothing taken, certified or not. KEYS: header, token, windows, companies. ARGV: clock offset ms. */
export const USAGE = `${PRELUDE}
local t = redis.call('HMGET', KEYS[2], 'reads', 'writes', 'own', 'company')
if not t[1] then return {} end
local limits = limits_of(KEYS[4], t[1], t[2], t[3], t[4])
local last = tonumber(redis.call('HGET', KEYS[1], 'second') or '0')
local second = math.max(last, math.floor(raw_ms(tonumber(ARGV[1])) / 1000))
local windows = load_windows(KEYS[3], second)
return { limits[1], used(windows[1]), reset(windows[1], second),
  limits[2], used(windows[2]), reset(windows[2], second) }
`;
