import { PRELUDE } from './prelude.lua.ts';

/**
 * The workspace's part of a call `ADMIT` has let in: all of its cost or nothing. In the workspace's own partition, which a
 * script that touches the token cannot reach. KEYS: header, the workspace's windows. ARGV: run_id, clock offset ms, stale
 * ms, workspace, reads, writes. Answers [kind, …]; `none`: it has no ceiling (any more).
 */
export const TAKE_CEILING = `${PRELUDE}
local now, why = standing(KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4])
if not now then return { 'not-ready', why } end
local limits, second = ceiling_of(now.ceiling), now.second
if not limits then return { 'none' } end
local windows, costs = load_windows(KEYS[2], second), { tonumber(ARGV[5]), tonumber(ARGV[6]) }
local short, retry = short_of(costs, limits, windows, second)
if short ~= '' then return readings({ 'short', short, retry }, limits, windows, second) end
for budget, cost in ipairs(costs) do
  if cost > 0 then take(windows[budget], second, cost) end
end
save_windows(KEYS[2], windows, second)
return readings({ 'taken', second, now.epoch }, limits, windows, second)
`;

/**
 * Gives back what `ADMIT` took from a token, to the very second it was taken in, unless the windows were built anew since
 * (another epoch): what was not recorded is not in them. KEYS: header, token, windows, companies. ARGV: run_id, clock
 * offset ms, stale ms, epoch, second, reads, writes, 1 to count a refusal or 0, seconds a refused one is to wait.
 */
export const GIVE_BACK = `${PRELUDE}
local now, why = standing(KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]))
if not now then return { 'not-ready', why } end
local second, windows = now.second, load_windows(KEYS[3], now.second)
if now.epoch == ARGV[4] then
  for budget = 1, 2 do give_back(windows[budget], tonumber(ARGV[5]), tonumber(ARGV[5 + budget])) end
end
local within, wait = 1, tonumber(ARGV[9])
if ARGV[8] == '1' then within, wait = count_refusal(windows, second, wait) end
save_windows(KEYS[3], windows, second)
local t = redis.call('HMGET', KEYS[2], 'reads', 'writes', 'own', 'company')
if not t[1] then return { 'unknown' } end
return readings({ 'given-back', wait, within }, limits_of(KEYS[4], t[1], t[2], t[3], t[4]), windows, second)
`;

/** What is used, nothing taken. KEYS: header, the workspace's windows. ARGV: clock offset ms, workspace. */
export const CEILING_USAGE = `${PRELUDE}
local h = redis.call('HMGET', KEYS[1], 'second', 'ceiling:' .. ARGV[2])
local limits = ceiling_of(h[2])
if not limits then return {} end
local second = math.max(tonumber(h[1] or '0'), math.floor(raw_ms(tonumber(ARGV[1])) / 1000))
return readings({}, limits, load_windows(KEYS[2], second), second)
`;

/** Whether certificates still stand. KEYS: header. ARGV: run_id, clock offset ms, stale ms, then epochs. */
export const CONFIRM_EPOCHS = `${PRELUDE}
local now = standing(KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]))
local answers = {}
for i = 4, #ARGV do answers[i - 3] = now and now.epoch == ARGV[i] and 'stands' or 'lapsed' end
return answers
`;
