-- The rest: operators' steps, quotas by themselves, what was seen, the outbox, upkeep.
local steps = {}

function steps.ping(now) return { I(now) } end

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

function steps.peek(now)
  look_quotas(A.quotas, now)
  return { readings(A.quotas) }
end

function steps.charge(now)
  if not look_quotas(A.quotas, now) then charge_quotas(A.quotas, now) end
  return { readings(A.quotas) }
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

function steps.block(now)
  A.entry.added_at = I(now)
  if A.life then
    A.entry.expires_at = I(now + A.life)
    call('ZADD', G .. 'blocks:until', A.entry.expires_at, A.field)
  else
    call('ZREM', G .. 'blocks:until', A.field)
  end
  call('HSET', G .. 'blocks', A.field, cjson.encode(A.entry))
  audit(A.event, now)
  return {}
end

function steps.unblock(now)
  call('HDEL', G .. 'blocks', A.field)
  call('ZREM', G .. 'blocks:until', A.field)
  audit(A.event, now)
  return {}
end

function steps.blocks(now)
  return { I(now), call('HVALS', G .. 'blocks') }
end

function steps.append(now)
  audit(A.event, now)
  return {}
end

function steps.outbox()
  return { call('ZRANGEBYSCORE', G .. 'audit', '(' .. A.after, '+inf', 'LIMIT', 0, A.limit) }
end

-- A record goes with the mark that it was added.
function steps.acknowledge()
  local kept = call('ZRANGEBYSCORE', G .. 'audit', '-inf', A.up_to, 'LIMIT', 0, 500)
  for _, member in ipairs(kept) do
    call('ZREM', G .. 'audit', member)
    call('HDEL', G .. 'audit:ids', cjson.decode(string.match(member, ':(.*)$')).id)
  end
  return { I(#kept) }
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
  return { I(gone) }
end

-- Nobody can say which of the live ones had expired, so all of them end.
function steps.forgive()
  local now, ended = raw_clock(), 0
  for _, key in ipairs(call('ZRANGE', P .. 'ended', 0, -1)) do
    local c = load_challenge(key)
    if c and c.state == 'live' then
      end_challenge(c, 'revoked', now)
      ended = ended + 1
    end
  end
  call('SET', G .. 'clock', I(now))
  audit(A.event, now, nil, A.why .. ':' .. I(ended))
  return { I(ended) }
end

local READS = { budget = true, peek = true, blocks = true }
local TIMELESS = { forgive = true, outbox = true, acknowledge = true }

return answer(function()
  return steps[A.step](not TIMELESS[A.step] and clock(not READS[A.step]))
end)
