-- Sessions as rows: a hash each, found by its name, its account and its tenant.
local S = {}

function S.key(id)
  return G .. 'e:' .. id
end

-- Names the list of a tenant's live sessions, by when they lapse.
local function of_tenant(tenant)
  return G .. 'g:' .. tenant
end

-- What ended all sessions of a tenant says how often that was, and when the last time.
local function sweep(tenant)
  local mark = call('GET', G .. 'swept:' .. tenant)
  if not mark then return '0' end
  local round, at = string.match(mark, '^(%d+):(%-?%d+)$')
  if not round then fail('corrupt') end
  return round, at
end

function S.load(id)
  local rows = call('HGETALL', S.key(id))
  if #rows == 0 then return nil end
  local s = hash(rows)
  time(s.created_at); time(s.refreshed_at); time(s.lapses_at); time(s.expires_at)
  if not (s.id and s.tenant and s.subject and s.owner and s.digest and s.key_id and s.round) then
    fail('corrupt')
  end
  s.ended_at, s.previous = s.ended_at or '', s.previous or ''
  local round, at = sweep(s.tenant)
  if s.ended_at == '' and s.round ~= round then s.ended_at = at or fail('corrupt') end
  return s
end

function S.is_live(s, now)
  return s.ended_at == '' and now < time(s.lapses_at)
end

-- Writes what has changed.
function S.save(s, changes)
  local list = {}
  for name, value in pairs(changes) do
    s[name] = value
    list[#list + 1] = name
    list[#list + 1] = value
  end
  call('HSET', S.key(s.id), unpack(list))
end

-- Puts a live session on its lists, and takes off them what has lapsed.
function S.list(s, now)
  for _, list in ipairs({ s.owner, of_tenant(s.tenant) }) do
    call('ZREMRANGEBYSCORE', list, '-inf', I(now))
    call('ZADD', list, s.lapses_at, s.id)
    expire(list, time(s.lapses_at) - now + SLACK)
  end
end

function S.open(s, now, keep)
  s.round = sweep(s.tenant)
  S.save(s, s)
  expire(S.key(s.id), time(s.expires_at) + keep - now + SLACK)
  call('SADD', G .. 'tenants', s.tenant)
  S.list(s, now)
end

function S.finish(s, now)
  S.save(s, { ended_at = I(now) })
  call('ZREM', s.owner, s.id)
  call('ZREM', of_tenant(s.tenant), s.id)
end

-- Names the live ones of a list.
function S.listed(list, now)
  return call('ZRANGEBYSCORE', list, '(' .. I(now), '+inf')
end

-- Ends all sessions of a tenant, however many there are, and counts those that were live.
function S.sweep(tenant, now)
  local ended = call('ZCOUNT', of_tenant(tenant), '(' .. I(now), '+inf')
  local round = sweep(tenant)
  call('SET', G .. 'swept:' .. tenant, I(count(round) + 1) .. ':' .. I(now))
  call('DEL', of_tenant(tenant))
  return ended
end

function S.sweep_all(now)
  local ended = 0
  for _, tenant in ipairs(call('SMEMBERS', G .. 'tenants')) do
    ended = ended + S.sweep(tenant, now)
  end
  return ended
end
