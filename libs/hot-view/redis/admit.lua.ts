import { HANDSHAKES_PER_MINUTE } from '../hot-view.ts';
import { PRELUDE } from './prelude.lua.ts';

/**
 * One call: look-up, scope and metering. KEYS: header, token, windows, companies.
 * ARGV: run_id, clock offset ms, stale ms, digest, scope or '', reads, writes, handshakes, stamp of the record the
 * caller has parsed (its version, catalogues and mendings), the caller's clock (an expiry has passed when it has by either),
 * the workspace of the record the caller has parsed, or ''.
 * Answers [kind, …]; the record itself, under its stamp, only where the caller has not got this one. `below-ceiling`: taken
 * from the token's windows, and only admitted once the workspace's allow it too (ceiling.lua.ts).
 */
export const ADMIT = `${PRELUDE}
local now, why = standing(KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[11])
if not now then return { 'not-ready', why, 1 } end
local t = redis.call('HMGET', KEYS[2], 'digest', 'status', 'expires', 'retires', 'reads', 'writes', 'grants', 'version', 'parked', 'catalogues', 'own', 'company', 'mended')
local known = t[1] == ARGV[4]
if t[9] and (known or not t[1]) then return { 'not-ready', 'the events of this token are not understood', 0 } end
if not known then return { 'unknown' } end
if t[2] == 'parked' then return { 'not-ready', 'the catalogue of this token is not loaded', 0 } end

local second = now.second
local windows = load_windows(KEYS[3], second)
local record, ceiling = '', now.ceiling
local stamp = t[8] .. ' ' .. t[10] .. ' ' .. (t[13] or '')
if stamp ~= ARGV[9] then
  local held = redis.call('HGET', KEYS[2], 'record')
  record = stamp .. '\\n' .. held
  ceiling = redis.call('HGET', KEYS[1], 'ceiling:' .. cjson.decode(held).workspace)
end

local limits = limits_of(KEYS[4], t[5], t[6], t[11], t[12])
limits[3] = ${HANDSHAKES_PER_MINUTE}

local function refuse(reason, short, retry)
  local within, wait = count_refusal(windows, second, retry)
  if within == 1 then save_windows(KEYS[3], windows, second) end
  return readings({ 'refused', record, second, now.epoch, reason, short, wait, within }, limits, windows, second)
end

local dead = death(t[2], t[3], t[4], math.max(now.ms, tonumber(ARGV[10])))
if dead then return refuse(dead, '', 60) end
if ARGV[5] ~= '' and not string.find(t[7], '\\n' .. ARGV[5] .. '\\n', 1, true) then return refuse('missing_scope', '', 1) end

local costs = { tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]) }
local short, retry = short_of(costs, limits, windows, second)
if short ~= '' then return refuse('throttled', short, retry) end
local taken = false
for budget, cost in ipairs(costs) do
  if cost > 0 then
    take(windows[budget], second, cost)
    taken = true
  end
end
if taken then save_windows(KEYS[3], windows, second) end
local kind = costs[1] + costs[2] > 0 and ceiling_of(ceiling) and 'below-ceiling' or 'admitted'
return readings({ kind, record, second, now.epoch }, limits, windows, second)
`;
