-- Puts a challenge; the live ones that give way to it are superseded in the same step.
return answer(function()
  room()
  local now = clock(true)
  local new = hash(A.fields)
  if call('EXISTS', A.key) == 1 then fail('invalid') end
  for _, slot in ipairs(A.older) do
    local old = load_challenge(call('GET', slot))
    if old and is_live(old, now) then end_challenge(old, 'superseded', now) end
  end
  call('HSET', A.key, 'era', era(), unpack(A.fields))
  local expires = time(new.expires_at)
  local keep = math.max(expires - now, 0) + A.keep
  expire(A.key, keep)
  call('SET', new.slot, A.key, 'PX', I(math.min(math.max(keep, 1), 4503599627370496)))
  if new.state == 'live' then
    -- What is over is not looked at again, and what was over for long goes.
    for _, key in ipairs(call('ZRANGEBYSCORE', P .. 'until', '-inf', I(now), 'LIMIT', 0, 20)) do
      call('ZREM', P .. 'live', key)
      call('ZREM', P .. 'until', key)
    end
    call('ZREMRANGEBYSCORE', new.owner, '-inf', I(now))
    call('ZADD', P .. 'live', new.created_at, A.key)
    call('ZADD', P .. 'until', new.expires_at, A.key)
    call('ZADD', new.owner, new.expires_at, A.key)
    expire(P .. 'live', keep)
    expire(P .. 'until', keep)
    expire(new.owner, keep)
  end
  local ended = new.state == 'consumed' and time(new.consumed_at)
    or new.state == 'live' and expires or math.min(now, expires)
  call('ZADD', P .. 'ended', I(ended), A.key)
  expire(P .. 'ended', keep)
  M.intend(A.delivery, now)
  audit(A.event, now)
  return {}
end)
