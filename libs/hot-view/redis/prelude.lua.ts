import { REFUSALS_PER_MINUTE } from '../hot-view.ts';

/** Why a partition does not stand that has lost nothing: its server is the same, its windows are whole. */
export const NOT_FOLLOWING = 'it does not follow the log';

/**
 * What the scripts share. A partition's header is a hash {run_id, beat_ms, epoch, position, second, catalogues}, a
 * mark `building:<name>` of each building under way, and `ceiling:<workspace>` of each workspace that ever had one
 * (version, reads, writes: the last two empty where there is none); the windows of a lineage, and of a workspace, are one
 * packed string: the second they were written in, then for each budget a list of bucket, count.
 * A bucket is its second modulo 61, so the whole stays below 1 KiB (`libs/window/window.ts` is the same, in memory).
 */
export const PRELUDE = `
local BUCKETS = 61
local TTL_SECONDS = 62
local BACK_MS = 2000

local function raw_ms(offset)
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000) + offset
end

-- Which run of the server this is: as the caller's connection knows it, or as the server says that runs this.
local function this_run(known)
  if known ~= '' then return known end
  local info = redis.call('INFO', 'server')
  local at = string.find(info, 'run_id:', 1, true)
  return string.match(info, '^%w+', at + 7)
end

-- Now, never before the last second seen; nil and the reason where the view may not answer. With it what the header says
-- of the ceiling of a workspace.
local function standing(head, run_id, offset, stale_ms, workspace)
  local h = redis.call('HMGET', head, 'run_id', 'beat_ms', 'epoch', 'second', 'ceiling:' .. (workspace or ''))
  if not h[1] then return nil, 'it is being built', true end
  if h[1] ~= this_run(run_id) then return nil, 'its server was restarted or replaced' end
  local raw, last = raw_ms(offset), tonumber(h[4])
  if raw + BACK_MS < last * 1000 then return nil, 'the clock of its server ran back' end
  local ms = math.max(raw, last * 1000)
  if ms - tonumber(h[2]) > stale_ms then return nil, '${NOT_FOLLOWING}' end
  local second = math.floor(ms / 1000)
  if second > last then redis.call('HSET', head, 'second', second) end
  return { ms = ms, second = second, epoch = h[3], ceiling = h[5] }
end

local function load_windows(key, now)
  local windows = { {}, {}, {}, {} }
  local packed = redis.call('GET', key)
  if not packed then return windows end
  local parts = cmsgpack.unpack(packed)
  local at = parts[1]
  for budget = 1, 4 do
    local list, window = parts[budget + 1], windows[budget]
    for i = 1, #list, 2 do
      local second = math.min(at - (at - list[i]) % BUCKETS, now)
      if second > now - BUCKETS then window[second] = (window[second] or 0) + list[i + 1] end
    end
  end
  return windows
end

local function save_windows(key, windows, now)
  local parts = { now }
  for budget = 1, 4 do
    local list = {}
    for second, count in pairs(windows[budget]) do
      list[#list + 1] = second % BUCKETS
      list[#list + 1] = count
    end
    parts[budget + 1] = list
  end
  redis.call('SET', key, cmsgpack.pack(parts), 'EX', TTL_SECONDS)
end

local function used(window)
  local sum = 0
  for _, count in pairs(window) do sum = sum + count end
  return sum
end

local function reset(window, now)
  local taken = 0
  for second in pairs(window) do taken = math.max(taken, second) end
  return taken == 0 and 0 or taken + BUCKETS - now
end

local function retry_after(window, now, cost, limit)
  local sum = used(window)
  for age = BUCKETS - 1, 0, -1 do
    if sum + cost <= limit then return math.max(1, BUCKETS - 1 - age) end
    sum = sum - (window[now - age] or 0)
  end
  return BUCKETS
end

-- Limits in force of a token: its own, else its company's, else its catalogue's. reads and writes are those without the
-- company, own names the budgets it has a limit of its own for, company is its field or ''.
local function limits_of(companies, reads, writes, own, company)
  local limits = { tonumber(reads), tonumber(writes) }
  local held = company ~= '' and redis.call('HGET', companies, company)
  if held then
    local _, r, w = string.match(held, '^(%d+) (%d*) (%d*)$')
    if r ~= '' and own ~= 'reads' then limits[1] = tonumber(r) end
    if w ~= '' and own ~= 'writes' then limits[2] = tonumber(w) end
  end
  return limits
end

-- Reads and writes a minute as the header says them, false where there is no ceiling of one; nil: of neither.
local function ceiling_of(held)
  if not held then return nil end
  local _, r, w = string.match(held, '^(%d+) (%d*) (%d*)$')
  if r == '' and w == '' then return nil end
  return { tonumber(r) or false, tonumber(w) or false }
end

local function take(window, second, cost)
  window[second] = (window[second] or 0) + cost
end

local function give_back(window, second, cost)
  local left = (window[second] or 0) - cost
  window[second] = left > 0 and left or nil
end

-- Limit, used and reset of reads, then of writes.
local function readings(answer, limits, windows, second)
  for budget = 1, 2 do
    answer[#answer + 1] = limits[budget] or -1
    answer[#answer + 1] = used(windows[budget])
    answer[#answer + 1] = reset(windows[budget], second)
  end
  return answer
end

-- The budgets of which costs do not fit below limits, and the seconds until they do.
local function short_of(costs, limits, windows, second)
  local names = { 'reads', 'writes', 'handshakes' }
  local short, longest = '', 0
  for budget, cost in ipairs(costs) do
    if cost > 0 and limits[budget] and used(windows[budget]) + cost > limits[budget] then
      short = short == '' and names[budget] or short .. ',' .. names[budget]
      longest = math.max(longest, retry_after(windows[budget], second, cost, limits[budget]))
    end
  end
  return short, longest
end

-- Counts a refusal while the token has some left; 0 and the wait where it has not.
local function count_refusal(windows, second, retry)
  local refusals = windows[4]
  if used(refusals) >= ${REFUSALS_PER_MINUTE} then return 0, retry_after(refusals, second, 1, ${REFUSALS_PER_MINUTE}) end
  take(refusals, second, 1)
  return 1, retry
end

local function death(status, expires, retires, ms)
  if status == 'revoked' then return 'revoked' end
  if expires ~= '' and tonumber(expires) <= ms then return 'expired' end
  if retires ~= '' and tonumber(retires) <= ms then return 'rotated' end
  if status == 'suspended' or status == 'inert' then return status end
  return nil
end
`;
