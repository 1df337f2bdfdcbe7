-- What every script shares: the request, the clock, rows of challenges, the outbox.
-- Numbers travel and rest as decimal text: a double holds them exactly below 2^53.
local A = cjson.decode(ARGV[1])
local P, G = A.prefix, A.guard
local call = redis.call
-- How long a key stays after it has lapsed, in milliseconds.
local SLACK = 60000

local function I(n)
  return string.format('%.0f', n)
end

local function fail(kind)
  error({ otp = kind })
end

local function time(text)
  local n = type(text) == 'string' and string.find(text, '^%-?%d+$') and tonumber(text)
  if not n then fail('corrupt') end
  return n
end

-- A counter that is anything but a small whole number is no counter, and refuses.
local function count(text)
  local n = type(text) == 'string' and string.find(text, '^%d+$') and tonumber(text)
  if not n or n > 4294967295 then fail('corrupt') end
  return n
end

-- What is stored as JSON is a table, or cannot be read.
local function decode(text)
  local done, value = pcall(cjson.decode, text)
  if not done or type(value) ~= 'table' then fail('corrupt') end
  return value
end

local function raw_clock()
  if A.now then return time(A.now) end
  local t = call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end

-- Gives the next of numbers that only grow: the server's microseconds, so that what was lost of
-- them (a failover, a restart) leaves a gap, and no number is given twice.
local function following(key)
  local t, last = call('TIME'), call('GET', key)
  local next = math.max(tonumber(t[1]) * 1000000 + tonumber(t[2]), last and time(last) + 1 or 0)
  if next > 9007199254740991 then fail('corrupt') end
  call('SET', key, I(next))
  return I(next)
end

-- The engine's time, never earlier than what any script has written.
local function clock(writes)
  local now = raw_clock()
  local mark = call('GET', G .. 'clock')
  if not mark then
    if writes then call('SET', G .. 'clock', I(now)) end
    return now
  end
  local seen = time(mark)
  if seen - now > 5000 then fail('clock') end
  if seen >= now then return seen end
  if writes then call('SET', G .. 'clock', I(now)) end
  return now
end

local function expire(key, wait)
  wait = math.min(math.max(wait, 1), 4503599627370496)
  local left = call('PTTL', key)
  if left < wait then call('PEXPIRE', key, I(wait)) end
end

local function hash(flat)
  local h = {}
  for i = 1, #flat, 2 do h[flat[i]] = flat[i + 1] end
  return h
end

local function flat(h)
  local list = {}
  for name, value in pairs(h) do
    if name ~= 'key' then
      list[#list + 1] = name
      list[#list + 1] = value
    end
  end
  return list
end

-- Names the server's line of replication, which is a new one after every start and every promotion.
-- What another line acknowledged may be lost on this one, and no line ever comes back.
local known_era
local function era()
  if A.era == 'any' then return '' end
  known_era = known_era or string.match(call('INFO', 'replication'), 'master_replid:(%x+)')
  return known_era or fail('unavailable')
end

local function load_challenge(key)
  local rows = key and call('HGETALL', key) or {}
  if #rows == 0 then return nil end
  local c = hash(rows)
  c.key = key
  count(c.attempts); count(c.attempt_limit); count(c.wrong); count(c.sends)
  time(c.expires_at); time(c.created_at); time(c.next_send_at)
  if c.state == 'consumed' then time(c.consumed_at) end
  if not (c.tenant and c.lane and c.budget and c.slot and c.state and c.digest and c.log) then
    fail('corrupt')
  end
  return c
end

local function put_challenge(c, changes)
  local list = {}
  for name, value in pairs(changes) do
    c[name] = value
    list[#list + 1] = name
    list[#list + 1] = value
  end
  call('HSET', c.key, unpack(list))
end

local function is_of_another_era(c)
  return A.era ~= 'any' and c.era ~= era()
end

local function is_live(c, now)
  return c.state == 'live' and now < time(c.expires_at) and not is_of_another_era(c)
end

-- Takes a challenge out of what is listed, and notes when it ended.
local function unlist(c, at)
  call('ZREM', P .. 'live', c.key)
  call('ZREM', P .. 'until', c.key)
  call('ZREM', c.owner, c.key)
  call('ZADD', P .. 'ended', I(at), c.key)
end

local function end_challenge(c, state, now)
  put_challenge(c, { state = state })
  unlist(c, math.min(now, time(c.expires_at)))
end

-- A step that would leave a record begins only where there is room for it.
local function room()
  if call('ZCARD', G .. 'audit') >= A.room then fail('full') end
end

-- Adds a record in the step that makes it true; the same record is added once.
local function audit(event, now, outcome, reason)
  local ids, log = G .. 'audit:ids', G .. 'audit'
  if outcome then event.outcome = outcome end
  if reason then event.reason = reason end
  event.at = event.at or I(now)
  if call('HEXISTS', ids, event.id) == 1 then return end
  -- Records of several shelves are put into one order.
  if A.shelved then
    local t = call('TIME')
    event.us = t[1] .. string.format('%06d', t[2])
  end
  local place = following(log .. ':seq')
  call('ZADD', log, place, place .. ':' .. cjson.encode(event))
  call('HSET', ids, event.id, place)
end

-- Says of whom a record is.
local function about(event, c)
  event.subject, event.challenge, event.purpose = c.subject, c.fingerprint, c.purpose
  event.channel, event.lane, event.destination = c.channel, c.lane, c.destination_masked
end

-- What a script fails with before it has written anything is an answer like any other.
local function answer(main)
  local done, out = pcall(main)
  if done then
    table.insert(out, 1, 'ok')
    table.insert(out, 1, A.call)
    return out
  end
  if type(out) == 'table' then
    if out.otp then return { A.call, out.otp } end
    return out
  end
  return redis.error_reply(out)
end
