-- Messages as rows, and the lists that they are found by.
local M = {}
local MONTH, DAY = 2592000000, 86400000

function M.key(id)
  return P .. 'm:' .. id
end

function M.load(id)
  local rows = call('HGETALL', M.key(id))
  if #rows == 0 then return nil end
  local m = hash(rows)
  m.place = count(m.place)
  time(m.created_at); time(m.updated_at)
  if not (m.id and m.destination and m.provider and m.reference) then fail('corrupt') end
  return m
end

function M.flat(m)
  local row = {}
  for name, value in pairs(m) do row[name] = value end
  row.place = I(m.place)
  return flat(row)
end

local function listed(name, m, at)
  local list = P .. 'messages:' .. name
  if not at then return call('ZREM', list, m.id) end
  call('ZADD', list, at, m.id)
  expire(list, MONTH + DAY)
end

-- Writes a row, and puts it on the lists where it belongs.
function M.put(m, now)
  local to_somebody, place = m.destination ~= '', m.place
  local failed = to_somebody and place >= 40 and place <= 48
  local till = time(m.created_at) + (failed and MONTH or DAY)
  call('HSET', M.key(m.id), unpack(M.flat(m)))
  expire(M.key(m.id), till - now)
  listed('queued', m, to_somebody and place == 10 and m.provider == '' and m.created_at)
  listed('sent', m, to_somebody and place == 20 and m.overdue_at == '' and m.updated_at)
  listed('failed', m, failed and m.created_at)
  listed('kept', m, I(till))
end

-- Writes the intent to send a message, in the step that makes its code true; one that is written
-- already stays.
function M.intend(f, now)
  if not f or call('EXISTS', M.key(f.id)) == 1 then return end
  local m = { place = 10, provider = '', reference = '', reason = '', resent_at = '',
    overdue_at = '', created_at = I(now), updated_at = I(now) }
  for name, value in pairs(f) do m[name] = value end
  M.put(m, now)
end

-- Moves a message forward, where that is forward.
function M.climb(m, place, reason, now)
  if place <= m.place then return false end
  m.place, m.reason, m.updated_at = place, reason or '', I(now)
  return true
end

function M.purge(now, limit)
  local gone = call('ZRANGEBYSCORE', P .. 'messages:kept', '-inf', I(now), 'LIMIT', 0, limit)
  for _, id in ipairs(gone) do
    call('DEL', M.key(id))
    for _, list in ipairs({ 'queued', 'sent', 'failed', 'kept' }) do
      call('ZREM', P .. 'messages:' .. list, id)
    end
  end
  return #gone
end
