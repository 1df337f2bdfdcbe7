-- The rest: operators' steps, what was seen, the outbox, upkeep.
local steps = {}

-- The form of what is stored; one that an older library would misread has the next number.
local FORM = '1'
-- How long a late write of a block, or a key that was given up, is remembered.
local MEMORY = 3600000

-- A server that takes no writes decides nothing.
function steps.ping(now)
  call('SET', G .. 'alive', I(now))
  return { I(now) }
end

-- What the server says of itself; another number of shelves would not find what is in these, and
-- another form would not be understood.
function steps.enter()
  call('SET', G .. 'version', FORM, 'NX')
  if call('GET', G .. 'version') ~= FORM then return { 'other_form' } end
  if A.shelves then
    local key = G .. 'shelves'
    call('SET', key, A.shelves, 'NX')
    if call('GET', key) ~= A.shelves then return { 'other_shelves' } end
  end
  era()
  return { string.match(call('INFO', 'memory'), 'maxmemory_policy:(%S+)') or '' }
end

function steps.budget(now)
  load_budget(A.key)
  return { I(now), call('HGETALL', A.key) }
end

function steps.unlock(now)
  call('DEL', A.key)
  audit(A.event, now)
  return {}
end

function steps.disable(now)
  local b = load_budget(A.key)
  b.disabled = true
  save_budget(b)
  audit(A.event, now)
  return {}
end

-- Guesses that were reserved elsewhere while this server was away count as made now.
function steps.carry_over(now)
  local b, lane = load_budget(A.key), lane_of(A.lane)
  for _ = 1, A.guesses do b.guesses[#b.guesses + 1] = { now, lane } end
  b.run = math.min(b.run + A.guesses, 4294967295)
  save_budget(b)
  audit(A.event, now)
  return {}
end

-- Charges what another shelf will decide about, unless it is known to be refused already.
function steps.hold(now)
  local blocks = blocked(now)
  local refused = look_quotas(A.quotas, now) or A.refused or #blocks > 0
  if refused then return { readings(A.quotas), {}, blocks } end
  charge_quotas(A.quotas, now)
  local hits = {}
  for i, q in ipairs(A.quotas) do hits[i] = I(q.at or q.tat) end
  return { readings(A.quotas), hits, blocks }
end

function steps.refund(now)
  local back = {}
  for _, q in ipairs(A.quotas) do
    if not back[q.key] then give_back(q, now) end
    back[q.key] = true
  end
  look_quotas(A.quotas, now)
  return { readings(A.quotas) }
end

local function given_up(claim)
  return P .. 'v:' .. claim.challenge
end

-- Takes a key for a request that another shelf will decide about; a blocked one gets none, and
-- neither does one that was given up before it came here.
function steps.claim(now)
  local verdict, blocks = { 'blocked' }, blocked(now)
  if call('EXISTS', given_up(A.idempotency)) == 1 then fail('unavailable') end
  if #blocks == 0 then
    verdict = issued_before(now)
    if not verdict then take_key(A.idempotency, now) end
  end
  return { I(now), verdict or { 'taken' }, blocks, {}, '', {} }
end

-- What is not there may be on its way still, and finds then that it was given up.
function steps.unclaim()
  local key = A.idempotency.key
  if call('HGET', key, 'challenge') == A.idempotency.challenge then
    call('DEL', key)
  else
    call('SET', given_up(A.idempotency), '1', 'PX', I(MEMORY))
  end
  return {}
end

function steps.delete()
  for _, key in ipairs(A.keys) do call('DEL', key) end
  return {}
end

function steps.seen(now)
  local till = call('GET', A.key)
  if till and now < time(till) then return { 'again' } end
  local wait = math.min(A.life, 4503599627370496)
  call('SET', A.key, I(now + A.life), 'PX', I(wait + SLACK))
  return { 'first' }
end

-- Says which of the writes of a block this one is: the first shelf counts them, and the others heed
-- none that is older than what they have.
local function turn()
  if not A.version then return following(G .. 'blocks:seq') end
  local key = G .. 'blocks:v:' .. A.field
  local kept = call('GET', key)
  if kept and time(kept) >= time(A.version) then return nil end
  call('SET', key, A.version, 'PX', I(MEMORY))
  return A.version
end

function steps.block(now)
  local version = turn()
  if not version then return { '' } end
  A.entry.added_at = I(now)
  if A.life then
    A.entry.expires_at = I(now + A.life)
    call('ZADD', G .. 'blocks:until', A.entry.expires_at, A.field)
  else
    call('ZREM', G .. 'blocks:until', A.field)
  end
  call('HSET', G .. 'blocks', A.field, cjson.encode(A.entry))
  if A.event then audit(A.event, now) end
  return { version }
end

function steps.unblock(now)
  local version = turn()
  if not version then return { '' } end
  call('HDEL', G .. 'blocks', A.field)
  call('ZREM', G .. 'blocks:until', A.field)
  if A.event then audit(A.event, now) end
  return { version }
end

function steps.blocks(now)
  return { I(now), call('HVALS', G .. 'blocks') }
end

function steps.append(now)
  audit(A.event, now)
  return {}
end

function steps.outbox()
  return { call('ZRANGEBYSCORE', G .. A.log, '(' .. A.after, '+inf', 'LIMIT', 0, A.limit) }
end

-- A record goes with the mark that it was added.
function steps.acknowledge()
  local log = G .. A.log
  local kept = call('ZRANGEBYSCORE', log, '-inf', A.up_to, 'LIMIT', 0, 500)
  for _, member in ipairs(kept) do
    local event = decode(string.match(member, ':(.*)$'))
    call('ZREM', log, member)
    call('HDEL', log .. ':ids', event.id)
  end
  return { I(#kept) }
end

-- Gives records of other shelves their places, each once.
function steps.adopt()
  local log = G .. A.log
  if call('ZCARD', log) >= A.room then fail('full') end
  for _, record in ipairs(A.records) do
    local id = decode(record).id
    if call('HEXISTS', log .. ':ids', id) == 0 then
      local place = following(log .. ':seq')
      call('ZADD', log, place, place .. ':' .. record)
      call('HSET', log .. ':ids', id, place)
    end
  end
  return {}
end

function steps.purge(now)
  local gone, before = 0, I(now - A.keep)
  for _, key in ipairs(call('ZRANGEBYSCORE', P .. 'ended', '-inf', before, 'LIMIT', 0, A.limit)) do
    call('DEL', key)
    for _, index in ipairs({ 'ended', 'live', 'until' }) do call('ZREM', P .. index, key) end
    gone = gone + 1
  end
  local lapsed = G .. 'blocks:until'
  for _, field in ipairs(call('ZRANGEBYSCORE', lapsed, '-inf', I(now), 'LIMIT', 0, A.limit - gone)) do
    call('HDEL', G .. 'blocks', field)
    call('ZREM', lapsed, field)
    gone = gone + 1
  end
  gone = gone + M.purge(now, A.limit - gone)
  return { I(gone) }
end

-- Nobody can say which of the live ones had expired, so all of them end: challenges, sessions,
-- states.
function steps.forgive()
  local now, ended = raw_clock(), 0
  for _, key in ipairs(call('ZRANGE', P .. 'ended', 0, -1)) do
    local c = load_challenge(key)
    if c and c.state == 'live' then
      end_challenge(c, 'revoked', now)
      ended = ended + 1
    end
  end
  S.sweep_all(now)
  call('INCR', G .. 'pardons')
  call('SET', G .. 'clock', I(now))
  if A.event then audit(A.event, now, nil, A.why .. ':' .. I(A.ended + ended)) end
  return { I(ended) }
end

local READS = { budget = true, blocks = true }
local TIMELESS = {
  forgive = true, outbox = true, acknowledge = true, adopt = true, enter = true, unclaim = true,
}

return answer(function()
  if A.event or A.step == 'ping' then room() end
  return steps[A.step](not TIMELESS[A.step] and clock(not READS[A.step]))
end)
