-- What was sent, what became of it, and what can be sent again.
local steps = {}

local function moved(m, place, reason, now)
  local from = m.place
  if not M.climb(m, place, reason, now) then return { 'unchanged' } end
  M.put(m, now)
  return { 'moved', I(from), M.flat(m) }
end

-- Names a message as its vendor does, and takes what was reported under that name before.
local function name_it(now)
  call('SET', P .. 'n:' .. A.name, A.target, 'PX', I(MONTH + DAY))
  local kept = hash(call('HGETALL', P .. 'r:' .. A.name))
  call('DEL', P .. 'r:' .. A.name)
  if kept.kept_until and now < time(kept.kept_until) then return kept end
end

local function keep(f, now)
  local key = P .. 'r:' .. A.name
  local kept = hash(call('HGETALL', key))
  local over = not kept.kept_until or time(kept.kept_until) <= now
  if not over and f.place <= count(kept.place) then return end
  call('DEL', key)
  call('HSET', key, 'place', I(f.place), 'reason', f.reason, 'kept_until', I(now + f.life))
  expire(key, f.life)
end

-- The first settlement of a message stands. Says whether the name is the message's.
function steps.settle(now)
  local f = A.fields
  local m = M.load(f.id)
  if m and m.provider == '' and m.place ~= 30 then
    m.provider, m.reference = f.provider or '', f.reference or ''
    M.climb(m, f.place, f.reason, now)
    M.put(m, now)
  end
  local named = m and f.reference and m.provider == f.provider and m.reference == f.reference
  if named and A.here then
    local kept = name_it(now)
    if kept then moved(m, count(kept.place), kept.reason, now) end
  end
  if A.event then audit(A.event, now) end
  return { named and 'named' or 'nameless' }
end

function steps.name(now)
  local kept = name_it(now)
  return { kept and kept.place or '', kept and kept.reason or '' }
end

-- A report of a message that is not known yet is kept, the highest of several.
function steps.advance(now)
  local f, target = A.fields, call('GET', P .. 'n:' .. A.name)
  if target and not A.here then return { 'at', target } end
  local m = target and M.load(string.match(target, ':(.*)$'))
  if m then return moved(m, f.place, f.reason, now) end
  keep(f, now)
  return { 'unknown' }
end

function steps.climb(now)
  local m = M.load(A.id)
  if not m then return { 'unknown' } end
  return moved(m, A.fields.place, A.fields.reason, now)
end

function steps.find()
  local m = M.load(A.id)
  return { m and M.flat(m) or {} }
end

-- Walks a list, and answers the rows that the visit takes.
local function walk(list, from, till, visit)
  local found, name = {}, P .. 'messages:' .. list
  for _, id in ipairs(call('ZRANGEBYSCORE', name, from, till, 'LIMIT', 0, A.limit)) do
    local m = M.load(id)
    if not m then
      call('ZREM', name, id)
    else
      visit(m)
      found[#found + 1] = M.flat(m)
    end
  end
  return { found }
end

function steps.failures()
  local found, name = {}, P .. 'messages:failed'
  local ids = call('ZREVRANGEBYSCORE', name, '(' .. I(A['until']), I(A.from), 'LIMIT', 0, A.limit)
  for _, id in ipairs(ids) do
    local m = M.load(id)
    if m then found[#found + 1] = M.flat(m) end
  end
  return { found }
end

function steps.claim(now)
  local claimed = {}
  for _, id in ipairs(A.ids) do
    local m = M.load(id)
    local failed = m and m.destination ~= '' and m.place >= 40 and m.place <= 48
    if failed and m.resent_at == '' then
      m.resent_at = I(now)
      M.put(m, now)
      claimed[#claimed + 1] = id
    end
  end
  return { claimed }
end

-- One who looks ends each, with a record whose name is made of the message's.
function steps.unsent(now)
  return walk('queued', '-inf', I(now - A.older_than), function(m)
    M.climb(m, A.place, A.why, now)
    M.put(m, now)
    audit({ id = string.sub(redis.sha1hex('unsent ' .. P .. m.id), 1, 32),
      kind = 'identity.delivery.failed', outcome = 'failed', reason = A.why, tenant = m.tenant,
      subject = m.subject, challenge = m.fingerprint, purpose = m.purpose, channel = m.channel,
      destination = m.masked }, now)
  end)
end

function steps.overdue(now)
  return walk('sent', I(now - A.oldest), I(now - A.youngest), function(m)
    m.overdue_at = I(now)
    M.put(m, now)
  end)
end

local READS = { find = true, failures = true }

return answer(function()
  if A.event or A.step == 'unsent' then room() end
  return steps[A.step](clock(not READS[A.step]))
end)
