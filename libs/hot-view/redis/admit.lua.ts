import { HANDSHAKES_PER_MINUTE, REFUSALS_PER_MINUTE } from '../hot-view.ts';
import { PRELUDE } from './prelude.lua.ts';

/**
 * One call: look-up, scope and metering. KEYS: header, token, windows, companies.
 * ARGV: run_id, clock offset ms, stale ms, digest, scope or '', reads, writes, handshakes, stamp of the record the
 * caller has parsed (its version, catalogues and mendings), the caller's clock (an expiry has passed when it has by either).
 * Answers [kind, …]; the record itself, under its stamp, only where the caller has not got this one.
 */
export const ADMIT = `${PRELUDE}
local now, why = standing(KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]))
if not now then return { 'not-ready', why, 1 } end
local t = redis.call('HMGET', KEYS[2], 'digest', 'status', 'expires', 'retires', 'reads', 'writes', 'grants', 'version', 'parked', 'catalogues', 'own', 'company', 'mended')
local known = t[1] == ARGV[4]
if t[9] and (known or not t[1]) then return { 'not-ready', 'the events of this token are not understood', 0 } end
if not known then return { 'unknown' } end
if t[2] == 'parked' then return { 'not-ready', 'the catalogue of this token is not loaded', 0 } end

local second = now.second
local windows = load_windows(KEYS[3], second)
local record = ''
local stamp = t[8] .. ' ' .. t[10] .. ' ' .. (t[13] or '')
if stamp ~= ARGV[9] then record = stamp .. '\\n' .. redis.call('HGET', KEYS[2], 'record') end

local limits = limits_of(KEYS[4], t[5], t[6], t[11], t[12])
limits[3] = ${HANDSHAKES_PER_MINUTE}

local function readings(answer)
  for budget = 1, 2 do
    answer[#answer + 1] = limits[budget]
    answer[#answer + 1] = used(windows[budget])
    answer[#answer + 1] = reset(windows[budget], second)
  end
  return answer
end

local function refuse(reason, short, retry)
  local refusals = windows[4]
  local within = used(refusals) < ${REFUSALS_PER_MINUTE}
  if within then
    take(refusals, second, 1)
    save_windows(KEYS[3], windows, second)
  else
    retry = retry_after(refusals, second, 1, ${REFUSALS_PER_MINUTE})
  end
  return readings({ 'refused', record, second, now.epoch, reason, short, retry, within and 1 or 0 })
end

local dead = death(t[2], t[3], t[4], math.max(now.ms, tonumber(ARGV[10])))
if dead then return refuse(dead, '', 60) end
if ARGV[5] ~= '' and not string.find(t[7], '\\n' .. ARGV[5] .. '\\n', 1, true) then return refuse('missing_scope', '', 1) end

local names = { 'reads', 'writes', 'handshakes' }
local short, longest, taken = {}, 0, false
for budget = 1, 3 do
  local cost = tonumber(ARGV[5 + budget])
  if cost > 0 and used(windows[budget]) + cost > limits[budget] then
    short[#short + 1] = names[budget]
    longest = math.max(longest, retry_after(windows[budget], second, cost, limits[budget]))
  end
end
if #short > 0 then return refuse('throttled', table.concat(short, ','), longest) end
for budget = 1, 3 do
  local cost = tonumber(ARGV[5 + budget])
  if cost > 0 then
    take(windows[budget], second, cost)
    taken = true
  end
end
if taken then save_windows(KEYS[3], windows, second) end
return readings({ 'admitted', record, second, now.epoch })
`;
