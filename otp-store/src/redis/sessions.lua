-- Sessions, and what may be used once.
local steps = {}

function steps.open(now)
  local known = S.load(A.id)
  if known then return { 'known', flat(known) } end
  local ends = now + A.life
  local s = {
    id = A.id, tenant = A.tenant, subject = A.subject, methods = A.methods, class = A.class or '',
    key_id = A.key, digest = A.digest, previous = '', authenticated_at = A.at, created_at = I(now),
    refreshed_at = I(now), lapses_at = I(math.min(now + A.idle, ends)), expires_at = I(ends),
    ended_at = '', owner = A.owner,
  }
  S.open(s, now, A.keep)
  audit(A.event, now)
  return { 'fresh', flat(s) }
end

-- Says of whom a record is.
local function of(s)
  A.event.tenant, A.event.subject = s.tenant, 'sub:' .. s.subject
  return A.event
end

function steps.rotate(now)
  local s = S.load(A.id)
  if not s or not S.is_live(s, now) then
    audit(A.event, now, 'refused', A.ended)
    return { 'gone' }
  end
  if A.presented == s.digest then
    S.save(s, {
      previous = s.digest, digest = A.next, key_id = A.key, refreshed_at = I(now),
      lapses_at = I(math.min(now + A.idle, time(s.expires_at))),
    })
    S.list(s, now)
    audit(of(s), now)
    return { 'fresh', flat(s) }
  end
  if A.presented == s.previous and now < time(s.refreshed_at) + A.grace then
    return { 'again', flat(s) }
  end
  S.finish(s, now)
  audit(of(s), now, 'refused', A.reused)
  return { 'reused', flat(s) }
end

function steps.live(now)
  local s = S.load(A.id)
  return { s and S.is_live(s, now) and flat(s) or {} }
end

-- Newest first, as everywhere.
local function newer(one, other)
  local a, b = time(one.created_at), time(other.created_at)
  if a ~= b then return a > b end
  return one.id > other.id
end

function steps.list(now)
  local live, list = {}, {}
  for _, id in ipairs(S.listed(A.owner, now)) do
    local s = S.load(id)
    if s and S.is_live(s, now) then live[#live + 1] = s end
  end
  table.sort(live, newer)
  for i = 1, math.min(A.limit, #live) do list[i] = flat(live[i]) end
  return { list }
end

local function end_those(ids, now)
  local ended = 0
  for _, id in ipairs(ids) do
    local s = S.load(id)
    if s and S.is_live(s, now) then
      S.finish(s, now)
      ended = ended + 1
    end
  end
  return ended
end

-- Without an event it is another shelf that leaves the record.
steps['end'] = function(now)
  local ended
  if A.id then
    ended = end_those({ A.id }, now)
  elseif A.owner then
    ended = end_those(S.listed(A.owner, now), now)
  elseif A.tenant then
    ended = S.sweep(A.tenant, now)
  else
    ended = S.sweep_all(now)
  end
  if A.event then
    audit(A.event, now, nil, (A.event.reason or 'ended') .. ':' .. I(A.before + ended))
  end
  return { I(ended) }
end

-- State is bound to the server's line of replication, as challenges are: what another line has
-- given out may come back on this one.
local function state_era()
  return A.era == 'any' and '' or era()
end

local function pardons()
  return call('GET', G .. 'pardons') or '0'
end

function steps.put(now)
  local key = P .. 'o:' .. A.key
  call('DEL', key)
  call('HSET', key, 'binding', A.binding, 'payload', A.payload, 'expires_at', I(now + A.life),
    'era', state_era(), 'pardons', pardons())
  call('PEXPIRE', key, I(A.life + SLACK))
  return {}
end

function steps.take(now)
  local key = P .. 'o:' .. A.key
  local rows = call('HGETALL', key)
  if #rows == 0 then return { 'none' } end
  local kept = hash(rows)
  local is_over = now >= time(kept.expires_at) or kept.pardons ~= pardons()
  local is_lost = A.era ~= 'any' and kept.era ~= era()
  if is_over or is_lost or kept.binding ~= A.binding then return { 'none' } end
  call('DEL', key)
  return { 'taken', kept.payload }
end

local function look(key, now)
  local with = S.key('')
  if not U.begins(key, with) then return end
  local s = S.load(string.sub(key, #with + 1))
  if s and S.is_live(s, now) then U.add(s.key_id, 'sessions', time(s.lapses_at)) end
end

function steps.keys(now)
  return U.page(look, now)
end

return answer(function()
  if A.event then room() end
  return steps[A.step](clock(A.step ~= 'keys'))
end)
