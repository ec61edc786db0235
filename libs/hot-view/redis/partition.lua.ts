import { PRELUDE } from './prelude.lua.ts';

/**
 * Leaves a mark that a loss of data takes away, and says under which catalogues tokens will be written: of two writes of
 * one version theirs counts. Marks of buildings that never ended go. KEYS: header. ARGV: run_id, name of the building,
 * digest of the catalogues, names before this one are ended.
 */
export const BEGIN = `${PRELUDE}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 9) == 'building:' and field < 'building:' .. ARGV[4] then redis.call('HDEL', KEYS[1], field) end
end
redis.call('HSET', KEYS[1], 'building:' .. ARGV[2], this_run(ARGV[1]), 'catalogues', ARGV[3])
`;

/**
 * Certifies a partition. One that stands keeps its epoch, so that a second follower's start ends nobody's call.
 * KEYS: header. ARGV: run_id, clock offset ms, stale ms, new epoch, position or '', name of the building or ''.
 * Answers 1; 0 where what was built is gone, in part at least: another run of the server, or a flush.
 */
export const CERTIFY = `${PRELUDE}
if ARGV[6] ~= '' then
  local begun = redis.call('HGET', KEYS[1], 'building:' .. ARGV[6])
  if begun ~= this_run(ARGV[1]) then return 0 end
  redis.call('HDEL', KEYS[1], 'building:' .. ARGV[6])
end
local offset = tonumber(ARGV[2])
local raw = raw_ms(offset)
local now = standing(KEYS[1], ARGV[1], offset, tonumber(ARGV[3]))
if not now then
  local last = tonumber(redis.call('HGET', KEYS[1], 'second') or '0')
  local second = math.floor(raw / 1000)
  if raw + BACK_MS >= last * 1000 then second = math.max(second, last) end
  redis.call('HSET', KEYS[1], 'run_id', this_run(ARGV[1]), 'epoch', ARGV[4], 'second', second, 'position', ARGV[5])
end
redis.call('HSET', KEYS[1], 'beat_ms', now and now.ms or raw)
return 1
`;

/**
 * Says that the log is followed, up to this position; revives nothing that is stale. KEYS: header.
 * ARGV: run_id, clock offset ms, stale ms, position or '', or 'ask' to say nothing. Answers '' or why the partition does not stand.
 */
export const BEAT = `${PRELUDE}
local now, why = standing(KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]))
if not now then return why end
if ARGV[4] == 'ask' then return '' end
redis.call('HSET', KEYS[1], 'beat_ms', now.ms)
local held = tonumber(redis.call('HGET', KEYS[1], 'position') or '')
local position = tonumber(ARGV[4])
if position and (not held or position > held) then redis.call('HSET', KEYS[1], 'position', ARGV[4]) end
return ''
`;

/**
 * Counts recorded uses of a lineage. Of each second the greater of what is counted and what is recorded: a live view
 * knows of uses the log does not hold yet, a lost one of fewer. KEYS: header, windows.
 * ARGV: clock offset ms, then budget (1 to 4), second, seconds since it was recorded or '', cost, each three once.
 */
export const REFILL = `${PRELUDE}
local LEAP_SECONDS = BACK_MS / 1000
local raw = raw_ms(tonumber(ARGV[1]))
local last = tonumber(redis.call('HGET', KEYS[1], 'second') or '0')
local now = math.floor(raw / 1000)
if raw + BACK_MS >= last * 1000 then now = math.max(now, last) end
local windows = load_windows(KEYS[2], now)
local recorded = { {}, {}, {}, {} }
for i = 2, #ARGV, 4 do
  local second, ago = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  -- Less than a leap is the time between metering, recording and this: moved by it, a use the view still holds would count twice.
  if ago and now - ago > second + LEAP_SECONDS then second = now - ago end
  second = math.min(second, now)
  if second > now - BUCKETS then take(recorded[tonumber(ARGV[i])], second, tonumber(ARGV[i + 3])) end
end
for budget = 1, 4 do
  for second, count in pairs(recorded[budget]) do
    windows[budget][second] = math.max(windows[budget][second] or 0, count)
  end
end
save_windows(KEYS[2], windows, now)
`;
