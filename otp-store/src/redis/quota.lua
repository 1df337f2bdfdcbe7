-- Windows and rates, as `otp_core::quota::{window, gcra}` have them.
-- A window is a sorted set of its hits, a rate is `tat,burst,step` in microseconds.

local LATEST = 16725225600000

local function bounded(now)
  return math.min(math.max(now, 0), LATEST)
end

local function look_window(q, now)
  local newest = call('ZREVRANGE', q.key, 0, 0, 'WITHSCORES')[2]
  newest = newest and tonumber(newest)
  local as_of = newest and math.max(newest, now) or now
  local horizon = as_of - q.length
  local hits = newest and newest > horizon
    and call('ZCOUNT', q.key, '(' .. I(horizon), '+inf') or 0
  q.at = now
  if hits == 0 then return { q.max, 0, -1 } end
  q.at = math.max(newest, now)
  local reset = math.max(newest + q.length - now, 0) * 1000
  if hits < q.max then return { q.max - hits, reset, -1 } end
  local leaves = tonumber(call('ZREVRANGE', q.key, q.max - 1, q.max - 1, 'WITHSCORES')[2])
  return { 0, reset, math.max(leaves + q.length - now, 0) * 1000 }
end

local function level(q, tat, now)
  local ahead = math.max(tat - now, 0)
  local free = q.step * q.burst - ahead
  local lacking = q.step - free
  return { math.max(math.floor(free / q.step), 0), ahead, lacking > 0 and lacking or -1 }
end

-- A bucket of another rate is restated: the hits that it remembers count under the one it has.
local function restated(tat, burst, step, q, now)
  if burst == q.burst and step == q.step then return tat end
  local as_of = math.max(now, tat - step * burst)
  local used = math.min(math.floor((math.max(tat - as_of, 0) + step - 1) / step), burst)
  return as_of + q.step * math.min(used, q.burst)
end

local function look_rate(q, now)
  local kept = call('GET', q.key)
  if kept then
    local tat, burst, step = string.match(kept, '^(%d+),(%d+),(%d+)$')
    if not tat or tonumber(step) == 0 then fail('corrupt') end
    q.tat = restated(tonumber(tat), tonumber(burst), tonumber(step), q, now)
  end
  return level(q, q.tat or now, now)
end

-- Reads every claim; answers the scope of the first one that refuses. What another shelf keeps was
-- read there.
local function look_quotas(quotas, now)
  local refused
  now = bounded(now)
  for _, q in ipairs(quotas) do
    if q.kind == 'window' then q.level = look_window(q, now)
    elseif q.kind == 'rate' then q.level = look_rate(q, now * 1000) end
    if q.level[3] >= 0 and not refused then refused = q.scope end
  end
  return refused
end

local function hit_window(q, keep, now)
  local at = I(q.at)
  call('ZREMRANGEBYSCORE', q.key, '-inf', I(q.at - keep))
  call('ZADD', q.key, at, at .. ':' .. call('ZCOUNT', q.key, at, at))
  expire(q.key, q.at + keep - now + SLACK)
end

-- Charges every claim with one; a key that stands in several is charged once.
local function charge_quotas(quotas, now)
  now = bounded(now)
  local keep, charged = {}, {}
  for _, q in ipairs(quotas) do
    if q.length then keep[q.key] = math.max(keep[q.key] or 0, q.length) end
  end
  for _, q in ipairs(quotas) do
    local first = not charged[q.key]
    charged[q.key] = true
    if q.kind == 'window' then
      if first then hit_window(q, keep[q.key], now) end
      q.level = { math.max(q.level[1] - 1, 0), (q.at + q.length - now) * 1000, -1 }
    elseif q.kind == 'rate' then
      local tat = math.max(q.tat or 0, now * 1000) + q.step
      q.tat = tat
      if first then
        local wait = math.ceil(tat / 1000) - now + SLACK
        call('SET', q.key, I(tat) .. ',' .. I(q.burst) .. ',' .. I(q.step), 'PX', I(wait))
      end
      q.level = level(q, tat, now * 1000)
      q.level[3] = -1
    end
  end
end

-- Takes back a hit: of a window by when it was charged, where hits of one time are alike and
-- numbered from 0; of a rate by when it would be gone by itself, and no more than the rest of it.
local function give_back(q, now)
  if q.kind == 'window' then
    local hits = call('ZCOUNT', q.key, q.hit, q.hit)
    if hits > 0 then call('ZREM', q.key, q.hit .. ':' .. I(hits - 1)) end
    return
  end
  local kept, left = call('GET', q.key), call('PTTL', q.key)
  local tat, burst, step = string.match(kept or '', '^(%d+),(%d+),(%d+)$')
  local rest = math.min(time(q.hit) - bounded(now) * 1000, tonumber(step or 0))
  if not tat or left < 1 or rest <= 0 then return end
  tat = math.max(tonumber(tat) - rest, 0)
  call('SET', q.key, I(tat) .. ',' .. burst .. ',' .. step, 'PX', I(left))
end

local function readings(quotas)
  local list = {}
  for i, q in ipairs(quotas) do
    list[i] = { I(q.place), I(q.level[1]), I(q.level[2]), I(q.level[3]) }
  end
  return list
end
