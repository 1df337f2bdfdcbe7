-- Remembered devices, a JSON text each under their owner, who lapses with the last of them; and
-- what hangs on keys.
local steps = {}

local function read(text)
  local d = decode(text)
  time(d.created_at); time(d.expires_at)
  if type(d.id) ~= 'string' or type(d.key_id) ~= 'string' then fail('corrupt') end
  return d
end

-- Newest first, as everywhere.
local function newer(one, other)
  local a, b = time(one.created_at), time(other.created_at)
  if a ~= b then return a > b end
  return one.id > other.id
end

local function live(now)
  local list = {}
  for _, text in ipairs(call('HVALS', A.devices)) do
    local d = read(text)
    if now < time(d.expires_at) then list[#list + 1] = d end
  end
  table.sort(list, newer)
  return list
end

function steps.remember(now)
  local d = {
    id = A.id, label = A.label or '', key_id = A.key, created_at = I(now),
    expires_at = I(now + A.life),
  }
  local kept = {}
  for _, known in ipairs(live(now)) do
    if known.id ~= d.id and #kept < A.most - 1 then kept[#kept + 1] = known end
  end
  kept[#kept + 1] = d
  call('DEL', A.devices)
  for _, one in ipairs(kept) do
    call('HSET', A.devices, one.id, cjson.encode(one))
    expire(A.devices, time(one.expires_at) - now + SLACK)
  end
  audit(A.event, now)
  return { flat(d) }
end

function steps.list(now)
  local list = {}
  for i, d in ipairs(live(now)) do list[i] = flat(d) end
  return { list }
end

function steps.forget(now)
  local forgotten = 0
  for _, d in ipairs(live(now)) do
    if not A.id or A.id == d.id then
      call('HDEL', A.devices, d.id)
      forgotten = forgotten + 1
    end
  end
  audit(A.event, now, nil, (A.event.reason or 'ended') .. ':' .. I(forgotten))
  return { I(forgotten) }
end

-- A sealed value names its key: a byte of version, one of length, the name, all in hexadecimal.
local function sealed_by(hex)
  local length = tonumber(string.sub(hex, 3, 4), 16)
  if not length or #hex < 4 + 2 * length then fail('corrupt') end
  local name = string.gsub(string.sub(hex, 5, 4 + 2 * length), '%x%x', function(two)
    return string.char(tonumber(two, 16))
  end)
  return name
end

local function look(key, now)
  if U.begins(key, P .. 'c:') then
    local c = load_challenge(key)
    if c and is_live(c, now) then U.add(c.key_id, 'challenges', time(c.expires_at)) end
  elseif U.begins(key, G .. 'd:') then
    A.devices = key
    for _, d in ipairs(live(now)) do U.add(d.key_id, 'devices', time(d.expires_at)) end
  elseif U.begins(key, G .. 'f:') then
    for _, text in ipairs(call('HVALS', key)) do U.add(sealed_by(decode(text).secret), 'factors') end
  end
end

function steps.keys(now)
  return U.page(look, now)
end

return answer(function()
  if A.event then room() end
  return steps[A.step](clock(A.event ~= nil))
end)
