-- Live challenges by what an operator knows of them.
local BATCH = 500
local PARTS = { 'tenant', 'id', 'subject', 'channel', 'key_id', 'address' }

local function fits_query(c, q, now)
  if not is_live(c, now) then return false end
  for _, part in ipairs(PARTS) do
    if q[part] and q[part] ~= c[part] then return false end
  end
  local created = time(c.created_at)
  if q.issued_from and created < time(q.issued_from) then return false end
  return not (q.issued_until and created >= time(q.issued_until))
end

-- Walks what may be meant, newest first, until the limit is reached.
local function meant(q, limit, now)
  local found = {}
  local function take(keys)
    for _, key in ipairs(keys) do
      local c = #found < limit and load_challenge(key)
      if c and fits_query(c, q, now) then found[#found + 1] = c end
    end
  end
  if A.key then
    take({ A.key })
  elseif A.owner then
    limit = math.huge
    take(call('ZRANGEBYSCORE', A.owner, '(' .. I(now), '+inf'))
  else
    local from = 0
    repeat
      local keys = call('ZREVRANGE', P .. 'live', from, from + BATCH - 1)
      take(keys)
      from = from + BATCH
    until #keys < BATCH or #found >= limit
  end
  return found
end

local steps = {}

function steps.find(now)
  local c = load_challenge(A.key)
  return { I(now), c and flat(c) or {} }
end

function steps.list(now)
  local list = {}
  for i, c in ipairs(meant(A.query, A.limit, now)) do list[i] = flat(c) end
  return { I(now), list }
end

function steps.revoke(now)
  local found = meant(A.query, math.huge, now)
  for _, c in ipairs(found) do end_challenge(c, 'revoked', now) end
  audit(A.event, now, nil, A.why .. ':' .. I(#found))
  return { I(now), I(#found) }
end

return answer(function()
  return steps[A.step](clock(A.step == 'revoke'))
end)
